// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace paribus::registry {

/// Lower-case hexadecimal SHA-256.
std::string sha256(std::string_view bytes);
/// Of a file; throws Error naming it if it can't be read.
std::string sha256_of_file(const std::filesystem::path& file);
/// Of all that an open file holds, wherever it stands; throws Error.
std::string sha256_of_descriptor(int descriptor);
/// Of what is in a gzip file (or of the file itself if it isn't one).
std::string sha256_of_content(const std::filesystem::path& file);

}  // namespace paribus::registry
