// SPDX-License-Identifier: Apache-2.0
#include "driver/meter.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace paribus::driver {

namespace {

struct Glyph {
  std::string_view bytes;  // "?" in place of what must not be printed
  std::size_t length = 0;  // in the source
  int width = 0;
};

bool is_between(char32_t c, char32_t low, char32_t high) { return c >= low && c <= high; }

int width_of(char32_t c) {
  if (is_between(c, 0x300, 0x36F) || is_between(c, 0x200B, 0x200D) || is_between(c, 0xFE00, 0xFE0F))
    return 0;
  const bool wide = is_between(c, 0x1100, 0x115F) || is_between(c, 0x2E80, 0xA4CF) ||
                    is_between(c, 0xAC00, 0xD7A3) || is_between(c, 0xF900, 0xFAFF) ||
                    is_between(c, 0xFE30, 0xFE6F) || is_between(c, 0xFF00, 0xFF60) ||
                    is_between(c, 0x1F300, 0x1FAFF) || is_between(c, 0x20000, 0x3FFFD);
  return wide ? 2 : 1;
}

/// Line separators and the marks that turn the direction of writing would garble the display.
bool is_printable(char32_t c) {
  return c >= 0x20 && !is_between(c, 0x7F, 0x9F) && !is_between(c, 0x200E, 0x200F) &&
         !is_between(c, 0x2028, 0x202E) && !is_between(c, 0x2066, 0x2069) &&
         !is_between(c, 0xD800, 0xDFFF) && c <= 0x10FFFF;
}

Glyph first_glyph(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  std::size_t length = lead < 0x80                   ? 1
                       : lead >= 0xF0 && lead < 0xF8 ? 4
                       : lead >= 0xE0                ? 3
                       : lead >= 0xC2                ? 2
                                                     : 0;
  if (length == 0 || length > text.size() || lead >= 0xF8) return {"?", 1, 1};
  char32_t c = length == 1 ? lead : lead & (0xFFu >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return {"?", 1, 1};
    c = (c << 6) | (byte(i) & 0x3F);
  }
  constexpr std::array<char32_t, 5> kLeast = {0, 0, 0x80, 0x800, 0x10000};
  if (c < kLeast[length] || !is_printable(c)) return {"?", length, 1};
  return {text.substr(0, length), length, width_of(c)};
}

}  // namespace

std::string bar(double fraction, int cells, bool ascii) {
  constexpr std::array<const char*, 8> kParts = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  cells = std::max(cells, 0);
  if (!(fraction > 0)) fraction = 0;
  const int eighths = static_cast<int>(std::floor(std::min(fraction, 1.0) * cells * 8));
  const int full = eighths / 8;
  std::string text;
  for (int i = 0; i < full; ++i) text += ascii ? "#" : "█";
  int used = full;
  if (!ascii && eighths % 8 != 0) text += kParts[static_cast<std::size_t>(eighths % 8)], ++used;
  for (; used < cells; ++used) text += ascii ? "." : "·";
  return text;
}

std::string duration(double seconds) {
  if (!std::isfinite(seconds) || seconds < 0) return "?";
  if (seconds < 0.9995) return fmt::format("{:.0f} ms", seconds * 1000);
  if (seconds < 9.95) return fmt::format("{:.1f} s", seconds);
  const auto whole = std::llround(std::min(seconds, 1e15));
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  if (whole < 86400) return fmt::format("{} h {:02} min", whole / 3600, whole % 3600 / 60);
  return fmt::format("{} d {:02} h", whole / 86400, whole % 86400 / 3600);
}

std::string byte_count(double bytes) {
  constexpr std::array<const char*, 5> kUnits = {"B", "KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  while (bytes >= 1024 && unit + 1 < kUnits.size()) bytes /= 1024, ++unit;
  return unit == 0 ? fmt::format("{:.0f} B", bytes) : fmt::format("{:.1f} {}", bytes, kUnits[unit]);
}

int columns(std::string_view text) {
  int width = 0;
  while (!text.empty()) {
    const Glyph glyph = first_glyph(text);
    width += glyph.width;
    text.remove_prefix(glyph.length);
  }
  return width;
}

std::string clip(std::string_view text, int most) {
  if (most <= 0) return "";
  const bool cut = columns(text) > most;
  const int room = cut ? most - 1 : most;
  std::string kept;
  int width = 0;
  while (!text.empty()) {
    const Glyph glyph = first_glyph(text);
    if (width + glyph.width > room) break;
    kept += glyph.bytes;
    width += glyph.width;
    text.remove_prefix(glyph.length);
  }
  if (cut) kept += "…";
  return kept;
}

std::string padded(std::string_view text, int width) {
  std::string kept = clip(text, width);
  kept.append(static_cast<std::size_t>(std::max(0, width - columns(kept))), ' ');
  return kept;
}

}  // namespace paribus::driver
