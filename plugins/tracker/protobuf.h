// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

/// The bytes of protocol buffers, by field number.
namespace paribus::tracker::protobuf {

inline std::string varint(std::uint64_t number) {
  std::string bytes;
  for (; number > 127; number >>= 7) bytes += static_cast<char>((number & 127) | 128);
  bytes += static_cast<char>(number);
  return bytes;
}

template <class T>
std::string raw(T value) {
  std::array<char, sizeof value> bytes{};
  std::memcpy(bytes.data(), &value, sizeof value);
  return {bytes.data(), bytes.size()};
}

inline std::string whole(unsigned field, std::int64_t value) {
  return varint(field << 3).append(varint(static_cast<std::uint64_t>(value)));
}
inline std::string real(unsigned field, double value) {
  return varint(field << 3 | 1).append(raw(value));
}
inline std::string single(unsigned field, double value) {
  return varint(field << 3 | 5).append(raw(static_cast<float>(value)));
}
inline std::string bytes(unsigned field, std::string_view value) {
  return varint(field << 3 | 2).append(varint(value.size())).append(value);
}

}  // namespace paribus::tracker::protobuf
