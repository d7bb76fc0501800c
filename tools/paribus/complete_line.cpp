// SPDX-License-Identifier: Apache-2.0
#include "complete_line.h"

#include <algorithm>

namespace paribus {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n'; }

class Reader {
 public:
  Reader(std::string_view line, std::string_view breaks) : line_(line), breaks_(breaks) {}

  BashLine read() && {
    for (; at_ < line_.size(); ++at_) step(line_[at_]);
    if (result_.quote != '\0') result_.kept = opened_at_;
    result_.is_odd = result_.is_odd || is_nested_ || (has_closed_ && result_.quote == '\0');
    if (!result_.words.empty()) result_.words.erase(result_.words.begin());  // `paribus`
    return std::move(result_);
  }

 private:
  void step(char c) {
    if (result_.quote == '\'') return c == '\'' ? close() : put(c);
    if (result_.quote == '"') return in_double(c);
    if (is_blank(c)) return end_word();
    if (c == '\\') return escaped();
    if (c == '\'' || c == '"') return open(c);
    if (c == '<' || c == '>') return redirect();
    if (c == '|' || c == '&' || c == ';') return other_command();
    if (c == '`' || c == '(' || c == ')') is_nested_ = true;
    if (c == '$') result_.is_odd = true;
    if (c == '~' && !has_word_) result_.has_tilde = true;
    put(c);
    if (breaks_.find(c) != std::string_view::npos) result_.kept = result_.word.size();
  }

  void in_double(char c) {
    if (c == '"') return close();
    if (c == '$' || c == '`') result_.is_odd = true;
    const bool escapes = c == '\\' && at_ + 1 < line_.size() &&
                         std::string_view("$`\"\\").find(line_[at_ + 1]) != std::string_view::npos;
    put(escapes ? line_[++at_] : c);
  }

  void put(char c) {
    result_.word += c;
    has_word_ = true;
  }

  void escaped() {
    if (at_ + 1 < line_.size()) put(line_[++at_]);
  }

  void open(char c) {
    result_.quote = c;
    opened_at_ = result_.word.size();
    has_word_ = true;
  }

  void close() {
    result_.quote = '\0';
    has_closed_ = true;
  }

  void end_word() {
    if (has_word_ && !result_.is_file) result_.words.push_back(result_.word);
    if (has_word_) result_.is_file = false;
    result_.word.clear();
    result_.kept = 0;
    has_word_ = has_closed_ = result_.is_odd = result_.has_tilde = false;
  }

  /// `2>` and `&>` as well: the number before it is no word.
  void redirect() {
    if (result_.word.size() == 1 && result_.word[0] >= '0' && result_.word[0] <= '9')
      result_.word.clear(), has_word_ = false;
    end_word();
    result_.is_file = true;
  }

  void other_command() {
    end_word();
    if (!result_.is_file) result_.words.clear();
  }

  std::string_view line_, breaks_;
  std::size_t at_ = 0, opened_at_ = 0;
  bool has_word_ = false, has_closed_ = false;
  bool is_nested_ = false;  // a command within the command: bash's alone
  BashLine result_;
};

bool is_plain(char c) {
  const auto byte = static_cast<unsigned char>(c);
  const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  return letter || byte >= 0x80 || std::string_view("_./,:=@%+-").find(c) != std::string_view::npos;
}

}  // namespace

std::string BashLine::replacing(std::string_view candidate) const {
  return std::string(candidate.substr(std::min(kept, candidate.size())));
}

std::string BashLine::inserted(std::string_view candidate) const {
  const std::string rest = replacing(candidate);
  std::string text;
  for (std::size_t i = 0; i < rest.size(); ++i) {
    const char c = rest[i];
    const bool is_home = c == '~' && i == 0 && kept == 0 && has_tilde;
    if (quote == '\'') {
      text += c == '\'' ? "'\\''" : std::string(1, c);
    } else if (quote == '"') {
      if (std::string_view("$`\"\\").find(c) != std::string_view::npos) text += '\\';
      text += c;
    } else {
      if (!is_plain(c) && !is_home) text += '\\';
      text += c;
    }
  }
  return text;
}

BashLine read_bash_line(std::string_view line, std::string_view breaks) {
  return Reader(line, breaks).read();
}

}  // namespace paribus
