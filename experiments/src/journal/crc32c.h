// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

namespace paribus::journal {

/// CRC-32C (Castagnoli), as in iSCSI and ext4; by the CPU's instruction where it has one.
std::uint32_t crc32c(std::string_view bytes);

/// The same without that instruction: what other CPUs run, here so that a test can hold one against
/// the other.
std::uint32_t crc32c_by_table(std::string_view bytes);

}  // namespace paribus::journal
