// SPDX-License-Identifier: Apache-2.0
#include "study/read_toml.h"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <fstream>

namespace paribus {
namespace {

constexpr std::size_t kMaxBytes = std::size_t{4} << 20;
constexpr int kMaxDepth = 24;  // of tables and lists in each other; of dots in a key

[[noreturn]] void fail(Diagnostic problem) { throw StudyError({std::move(problem)}); }

/// Keys of very many parts ("a.a.a...") nest tables so deeply that freeing them would exhaust the
/// stack: they are refused before parsing. Lists and inline tables are bounded by the parser.
class KeyDepth {
 public:
  explicit KeyDepth(const std::string& text) : text_(text) {}

  /// The line of the first key that is too deep, or 0.
  int first_too_deep() {
    int dots = 0;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '"' || c == '\'') {
        skip_string(c);
        continue;
      }
      if (c == '#') skip_comment();
      if (at_ < text_.size() &&
          std::string_view("=[]{},\n").find(text_[at_]) != std::string_view::npos)
        dots = 0;
      if (c == '.' && ++dots > kMaxDepth) return line_;
      advance();
    }
    return 0;
  }

 private:
  void advance() {
    if (at_ < text_.size() && text_[at_] == '\n') ++line_;
    ++at_;
  }
  void skip_comment() {
    while (at_ < text_.size() && text_[at_] != '\n') ++at_;
  }
  void skip_string(char quote) {
    const std::string triple(3, quote);
    const bool is_long = text_.compare(at_, 3, triple) == 0;
    at_ += is_long ? 3 : 1;
    while (at_ < text_.size()) {
      if (quote == '"' && text_[at_] == '\\') {
        advance();
        advance();
        continue;
      }
      if (!is_long && text_[at_] == '\n') return;  // the parser will refuse it
      if (is_long ? text_.compare(at_, 3, triple) == 0 : text_[at_] == quote) break;
      advance();
    }
    at_ += is_long ? 3 : 1;
  }

  const std::string& text_;
  std::size_t at_ = 0;
  int line_ = 1;
};

class Converter {
 public:
  explicit Converter(const std::string& file) : file_(std::make_shared<const std::string>(file)) {}

  [[nodiscard]] Config operator()(const toml::node& node, int depth = 0) const {
    const Place here = place(node.source());
    if (depth > kMaxDepth) {
      fail({*file_, here.line, here.column,
            fmt::format("tables or lists nested more than {} deep", kMaxDepth)});
    }
    if (const auto* table = node.as_table()) return convert(*table, here, depth);
    if (const auto* array = node.as_array()) return convert(*array, here, depth);
    if (const auto* flag = node.as_boolean()) return {flag->get(), here};
    if (const auto* whole = node.as_integer()) return {whole->get(), here};
    if (const auto* real = node.as_floating_point()) return {real->get(), here};
    if (const auto* word = node.as_string()) return {word->get(), here};
    return {Config::Moment{}, here};
  }

 private:
  [[nodiscard]] Place place(const toml::source_region& source) const {
    return {file_, static_cast<int>(source.begin.line), static_cast<int>(source.begin.column)};
  }

  [[nodiscard]] Config convert(const toml::array& array, const Place& here, int depth) const {
    Config::List list;
    list.reserve(array.size());
    for (const toml::node& element : array) list.push_back((*this)(element, depth + 1));
    return {std::move(list), here};
  }

  /// The parser sorts keys by name; here they stand again as they are written.
  [[nodiscard]] Config convert(const toml::table& table, const Place& here, int depth) const {
    Config::Table entries;
    entries.reserve(table.size());
    for (const auto& [key, value] : table) {
      entries.push_back({std::string(key.str()), place(key.source()), (*this)(value, depth + 1)});
    }
    std::stable_sort(entries.begin(), entries.end(),
                     [](const Config::Entry& a, const Config::Entry& b) {
                       return std::pair(a.key_place.line, a.key_place.column) <
                              std::pair(b.key_place.line, b.key_place.column);
                     });
    return {std::move(entries), here};
  }

  std::shared_ptr<const std::string> file_;
};

Config replaced(const Config& value, const Place& place) {
  if (const auto* list = value.as_list()) {
    Config::List copy;
    for (const Config& element : *list) copy.push_back(replaced(element, place));
    return {std::move(copy), place};
  }
  if (const auto* table = value.as_table()) {
    Config copy = Config::table(place);
    for (const Config::Entry& entry : *table)
      copy.set(entry.key, place, replaced(entry.value, place));
    return copy;
  }
  if (const auto* flag = value.as_bool()) return {*flag, place};
  if (const auto* whole = value.as_integer()) return {*whole, place};
  if (const auto* real = value.as_real()) return {*real, place};
  if (const auto* word = value.as_text()) return {*word, place};
  return {Config::Moment{}, place};
}

}  // namespace

Config parse_toml(const std::string& text, const std::string& file) {
  if (text.size() > kMaxBytes)
    fail({file, 0, 0, fmt::format("larger than {} MiB, which no study is", kMaxBytes >> 20)});
  if (const int line = KeyDepth(text).first_too_deep()) {
    fail({file, line, 1, fmt::format("a key of more than {} parts", kMaxDepth)});
  }
  try {
    return Converter(file)(toml::parse(text, file));
  } catch (const toml::parse_error& problem) {
    const auto& begin = problem.source().begin;
    fail({file, static_cast<int>(begin.line), static_cast<int>(begin.column),
          printable(fmt::format("not TOML: {}", problem.description()))});
  }
}

Config read_toml(const std::filesystem::path& path, const Place& asked) {
  const auto refuse = [&](const std::string& why) {
    if (!asked.file) fail({path.string(), 0, 0, why});
    fail({*asked.file, asked.line, asked.column,
          fmt::format("{}: {}", printable(path.string()), why)});
  };
  std::error_code code;
  const auto status = std::filesystem::status(path, code);
  if (!std::filesystem::exists(status)) refuse("no such file");
  if (std::filesystem::is_directory(status)) refuse("is a folder, expected a study file");
  std::ifstream stream(path, std::ios::binary);
  if (!stream) refuse("can't be read");
  std::string text(kMaxBytes + 1, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (stream.bad()) refuse("can't be read");
  text.resize(static_cast<std::size_t>(stream.gcount()));
  if (text.size() > kMaxBytes)
    refuse(fmt::format("larger than {} MiB, which no study is", kMaxBytes >> 20));
  return parse_toml(text, path.string());
}

Config parse_value(const std::string& text, const Place& place) {
  const bool several_lines = text.find_first_of("\r\n") != std::string::npos;
  try {
    if (several_lines)
      throw StudyError({{*place.file, 0, 0, "the value has several lines, expected one"}});
    const Config table = parse_toml("value = " + text, "");
    return replaced(*table.find("value"), place);
  } catch (const StudyError& problem) {
    const bool bare = !text.empty() && text.find_first_of("\"'[]{}#=\r\n") == std::string::npos;
    if (bare) return Config::text(text, place);
    fail({*place.file, 0, 0, problem.problems().front().message});
  }
}

}  // namespace paribus
