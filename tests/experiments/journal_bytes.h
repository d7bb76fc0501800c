// SPDX-License-Identifier: Apache-2.0
#pragma once

// Records of a journal by hand.

#include <string>

#include "journal/crc32c.h"
#include "journal/format.h"

namespace paribus::journal {

inline std::string record_of(std::uint8_t type, const std::string& payload) {
  std::string bytes(kHeader, '\0');
  store(bytes.data(), static_cast<std::uint32_t>(payload.size()));
  bytes[4] = static_cast<char>(type);
  bytes += payload;
  std::string crc(kTrailer, '\0');
  store(crc.data(), crc32c(bytes));
  return bytes + crc;
}

}  // namespace paribus::journal
