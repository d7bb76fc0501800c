// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

/// The bytes of a journal: the magic, then records of
///
///     u32 length of the payload | u8 type | payload | u32 CRC-32C over length, type and payload
///
/// little-endian. Payloads:
///   event   JSON text
///   series  u16 length of the name | name | unit; series are numbered from 0 in order of
///   definition points  of each point: varint (series * 2 + narrow) | zigzag varint (step - step
///   before, at first 0) | value,
///           a float32 if `narrow` (where that loses no bit), else a float64
///   chain   i64 step | u32 fingerprint of that step | of the next | ...
///   tensors of each tensor: u16 length of the name | name
///   full    i64 step | u32 fingerprint of each tensor, in the order of the last `tensors`
///   histogram  u16 length of the name | name | i64 step | f64 low | f64 high | f64 sum |
///           f64 squares | u64 not finite | u64 count of each bin
///   picture u16 length of the name | name | i64 step | a PNG file
///   table   u16 length of the name | name | i64 step | u32 rows | of each column: u8 of what (0
///           f64, 1 i64, 2 text) | u16 length of its name | name | its values, a text as u32 length
///           and bytes
namespace paribus::journal {

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
              "journals are written as the memory holds them");

inline constexpr std::string_view kMagic{"paribus\x01", 8};  // the last byte is the version
inline constexpr std::uint8_t kEvent = 1, kSeries = 2, kPoints = 3, kChain = 4, kTensors = 5,
                              kFull = 6, kHistogram = 7, kPicture = 8, kTable = 9;
inline constexpr std::uint8_t kFloats = 0, kIntegers = 1, kTexts = 2;  // in a column
inline constexpr std::size_t kHeader = 5, kTrailer = 4;
inline constexpr std::size_t kMaxPayload = std::size_t{1} << 30;
inline constexpr std::size_t kMaxName = 4096;         // of a series, its unit, a tensor
inline constexpr std::size_t kMaxPoint = 5 + 10 + 8;  // bytes
inline constexpr std::size_t kMaxBins = 4096;         // of a histogram
inline constexpr std::size_t kMaxPicture = std::size_t{16} << 20;  // bytes of a PNG
inline constexpr std::size_t kMaxTable = std::size_t{16} << 20;    // bytes, texts as the longest
inline constexpr std::size_t kMaxColumns = 100, kMaxColumnName = 256;

template <class T>
T load(const char* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

template <class T>
void store(char* to, T value) {
  std::memcpy(to, &value, sizeof value);
}

}  // namespace paribus::journal
