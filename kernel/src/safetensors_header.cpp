// SPDX-License-Identifier: Apache-2.0
#include "safetensors_header.h"

#include "paribus/error.h"

namespace paribus {
namespace {

constexpr std::size_t kMaxDims = 64;

class HeaderReader {
 public:
  HeaderReader(std::string_view text, const std::string& file) : text_(text), file_(file) {}

  std::vector<std::int64_t> read_shape() {
    std::vector<std::int64_t> sizes = shape();
    if (at_ != text_.size()) fail("text after a shape");
    return sizes;
  }

  std::vector<SafetensorsEntry> read(SafetensorsMetadata& about) {
    std::vector<SafetensorsEntry> entries;
    expect('{');
    if (!take('}')) {
      do {
        const std::string name = string();
        expect(':');
        if (name == "__metadata__") {
          metadata(about);
        } else {
          entries.push_back(entry(name));
        }
      } while (take(','));
      expect('}');
    }
    skip_space();
    if (at_ != text_.size()) fail("text after the header's end");
    return entries;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw Error(file_ + ": not a safetensors file: " + what + " at header byte " +
                std::to_string(at_));
  }
  void skip_space() {
    static constexpr std::string_view kSpace = " \t\r\n";
    while (at_ < text_.size() && kSpace.find(text_[at_]) != std::string_view::npos) ++at_;
  }
  bool take(char c) {
    skip_space();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (!take(c)) fail(std::string("expected '") + c + "'");
  }

  std::string string() {
    expect('"');
    std::string out;
    while (at_ < text_.size() && text_[at_] != '"') {
      if (static_cast<unsigned char>(text_[at_]) < 0x20) fail("a control character in a text");
      if (text_[at_] != '\\') {
        out += text_[at_++];
        continue;
      }
      if (++at_ >= text_.size()) break;
      escape(out);
    }
    expect('"');
    if (!is_utf8(out)) fail("a text that isn't UTF-8");
    return out;
  }
  void escape(std::string& out) {
    static constexpr std::string_view kShort = "\"\\/bfnrt";
    static constexpr std::string_view kMeaning = "\"\\/\b\f\n\r\t";
    const char c = text_[at_++];
    if (const auto i = kShort.find(c); i != std::string_view::npos) {
      out += kMeaning[i];
      return;
    }
    if (c != 'u') fail("a bad escape");
    unsigned code = hexadecimal();
    if (code >= 0xD800 && code < 0xDC00) {  // the first half of a character above U+FFFF
      if (text_.substr(at_, 2) != "\\u") fail("half a character");
      at_ += 2;
      const unsigned low = hexadecimal();
      if (low < 0xDC00 || low > 0xDFFF) fail("half a character");
      code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    }
    put(out, code);
  }
  unsigned hexadecimal() {
    static constexpr std::string_view kDigits = "0123456789abcdefABCDEF";
    unsigned code = 0;
    for (int i = 0; i < 4; ++i, ++at_) {
      const auto digit = at_ < text_.size() ? kDigits.find(text_[at_]) : std::string_view::npos;
      if (digit == std::string_view::npos) fail("a bad escape");
      code = code * 16 + static_cast<unsigned>(digit < 16 ? digit : digit - 6);
    }
    return code;
  }
  static void put(std::string& out, unsigned code) {
    const auto tail = [&](int shift) { out += static_cast<char>(0x80 | ((code >> shift) & 0x3F)); };
    if (code < 0x80) {
      out += static_cast<char>(code);
    } else if (code < 0x800) {
      out += static_cast<char>(0xC0 | (code >> 6)), tail(0);
    } else if (code < 0x10000) {
      out += static_cast<char>(0xE0 | (code >> 12)), tail(6), tail(0);
    } else {
      out += static_cast<char>(0xF0 | (code >> 18)), tail(12), tail(6), tail(0);
    }
  }

  std::uint64_t integer() {
    skip_space();
    const std::size_t start = at_;
    std::uint64_t value = 0;
    while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9') {
      const auto digit = static_cast<std::uint64_t>(text_[at_++] - '0');
      if (value > (std::uint64_t{1} << 62) / 10) fail("a number too large");
      value = value * 10 + digit;
    }
    if (at_ == start) fail("expected a number of at least 0");
    return value;
  }
  std::vector<std::uint64_t> integers() {
    std::vector<std::uint64_t> list;
    expect('[');
    if (take(']')) return list;
    do {
      if (list.size() == kMaxDims) fail("a shape of more than 64 dimensions");
      list.push_back(integer());
    } while (take(','));
    expect(']');
    return list;
  }
  void metadata(SafetensorsMetadata& about) {
    expect('{');
    if (take('}')) return;
    do {
      std::string key = string();
      expect(':');
      about.emplace_back(std::move(key), string());
    } while (take(','));
    expect('}');
  }

  std::vector<std::int64_t> shape() {
    std::vector<std::int64_t> sizes;
    for (const std::uint64_t size : integers()) sizes.push_back(static_cast<std::int64_t>(size));
    return sizes;
  }

  SafetensorsEntry entry(const std::string& name) {
    SafetensorsEntry entry{name, "", {}, 0, 0};
    unsigned seen = 0;
    const auto once = [&](unsigned bit) {
      if ((seen & bit) != 0) fail("a key of tensor '" + name + "' twice");
      seen |= bit;
    };
    expect('{');
    do {
      const std::string key = string();
      expect(':');
      if (key == "dtype") {
        once(1), entry.type = string();
      } else if (key == "shape") {
        once(2), entry.shape = shape();
      } else if (key == "data_offsets") {
        once(4);
        const auto offsets = integers();
        if (offsets.size() != 2) fail("data_offsets without two numbers");
        entry.begin = offsets[0], entry.end = offsets[1];
      } else {
        fail("unknown key '" + key + "'");
      }
    } while (take(','));
    expect('}');
    if (seen != 7) fail("tensor '" + name + "' lacks dtype, shape or data_offsets");
    return entry;
  }

  std::string_view text_;
  const std::string& file_;
  std::size_t at_ = 0;
};

/// Bytes of the character that starts with `lead`, and the least code that needs so many; 0: none.
struct Lead {
  std::size_t bytes;
  unsigned least;
};
Lead lead_of(unsigned char lead) {
  if (lead < 0x80) return {1, 0};
  if (lead >= 0xC2 && lead < 0xE0) return {2, 0x80};
  if (lead >= 0xE0 && lead < 0xF0) return {3, 0x800};
  if (lead >= 0xF0 && lead < 0xF5) return {4, 0x10000};
  return {0, 0};
}

}  // namespace

std::vector<SafetensorsEntry> read_safetensors_header(std::string_view text,
                                                      const std::string& file,
                                                      SafetensorsMetadata& metadata) {
  return HeaderReader(text, file).read(metadata);
}

std::vector<std::int64_t> read_safetensors_shape(std::string_view text, const std::string& file) {
  return HeaderReader(text, file).read_shape();
}

bool is_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const auto first = static_cast<unsigned char>(text[at]);
    const Lead lead = lead_of(first);
    if (lead.bytes == 0 || at + lead.bytes > text.size()) return false;
    unsigned code = lead.bytes == 1 ? first : first & (0x7FU >> lead.bytes);
    for (std::size_t i = 1; i < lead.bytes; ++i) {
      const auto next = static_cast<unsigned char>(text[at + i]);
      if ((next & 0xC0) != 0x80) return false;
      code = (code << 6) | (next & 0x3FU);
    }
    if (code < lead.least || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) return false;
    at += lead.bytes;
  }
  return true;
}

}  // namespace paribus
