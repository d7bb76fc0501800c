// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace paribus {

/// One tensor of a safetensors header, as it stands there: sizes and offsets are unchecked.
struct SafetensorsEntry {
  std::string name, type;
  std::vector<std::int64_t> shape;
  std::uint64_t begin = 0, end = 0;
};

/// Keys and texts of `__metadata__`, in order.
using SafetensorsMetadata = std::vector<std::pair<std::string, std::string>>;

/// Reads the header's JSON, strictly and only in the form that the format allows. Throws Error
/// naming `file` and the byte.
std::vector<SafetensorsEntry> read_safetensors_header(std::string_view text,
                                                      const std::string& file,
                                                      SafetensorsMetadata& metadata);

/// A shape as a header has it: "[2,3]".
std::vector<std::int64_t> read_safetensors_shape(std::string_view text, const std::string& file);

/// Whether a text is UTF-8: shortest forms only, no surrogates, nothing above U+10FFFF.
bool is_utf8(std::string_view text);

}  // namespace paribus
