// SPDX-License-Identifier: Apache-2.0
#include "complete_command.h"

#include <fmt/core.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <set>

#include "complete_answer.h"
#include "complete_asked.h"
#include "complete_line.h"
#include "complete_values.h"

namespace paribus {
namespace {

constexpr unsigned kMostSeconds = 5;
constexpr std::size_t kMostAbout = 120;

const char* to_text(Answer::Form form) {
  if (form == Answer::Form::files) return "files";
  return form == Answer::Form::paths ? "paths" : "words";
}

/// Whole words that fit what is typed, each once.
Answer answer_to(const CLI::App& app, const std::vector<std::string>& words,
                 const std::string& word) {
  const Asked asked = what_is_asked(app, words, word);
  const Answer all = answer(app, asked);
  Answer fitting{all.form};
  std::set<std::string> seen;
  for (const Candidate& one : all.candidates) {
    const bool fits = one.text.starts_with(asked.value) && !has_control(one.text);
    if (fits && seen.insert(one.text).second)
      fitting.candidates.push_back({asked.lead + one.text, one.about});
  }
  return fitting;
}

std::string one_line(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
  }
  if (text.size() <= kMostAbout) return text;
  std::size_t end = kMostAbout;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80) --end;
  return text.substr(0, end) + "...";
}

void print(const Answer& answer) {
  fmt::print("{}\n", to_text(answer.form));
  for (const Candidate& one : answer.candidates) {
    if (one.about.empty()) {
      fmt::print("{}\n", one.text);
    } else {
      fmt::print("{}\t{}\n", one.text, one_line(one.about));
    }
  }
}

void complete_bash(const CLI::App& app, const std::string& breaks, const std::string& typed) {
  const BashLine line = read_bash_line(typed, breaks);
  if (line.is_odd || line.is_file) return print({Answer::Form::files});
  const Answer answer = answer_to(app, line.words, line.word);
  Answer shown{answer.form};
  for (const Candidate& one : answer.candidates) {
    // Within double quotes nothing keeps an interactive bash from replacing a `!`.
    if (line.quote == '"' && one.text.find('!') != std::string::npos) continue;
    const bool escapes_itself = answer.form == Answer::Form::paths;
    shown.candidates.push_back(
        {escapes_itself ? line.replacing(one.text) : line.inserted(one.text)});
  }
  print(shown);
}

}  // namespace

int complete(const CLI::App& app, const std::vector<std::string>& arguments) {
  ::alarm(kMostSeconds);  // a file system that doesn't answer, a pipe instead of a file
  if (arguments.size() == 3 && arguments[0] == "bash") {
    complete_bash(app, arguments[1], arguments[2]);
  } else if (arguments.size() >= 2 && arguments[0] == "words") {
    print(answer_to(app, {arguments.begin() + 1, arguments.end() - 1}, arguments.back()));
  }
  return 0;
}

}  // namespace paribus
