// SPDX-License-Identifier: Apache-2.0
#include "study/problems.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

namespace paribus {
namespace {

auto key_of(const Diagnostic& it) { return std::tie(it.file, it.line, it.column, it.message); }

std::string joined(const std::vector<Diagnostic>& problems) {
  std::string text;
  for (const Diagnostic& problem : problems)
    text += fmt::format("{}{}", text.empty() ? "" : "\n", problem.text());
  return text;
}

std::vector<Diagnostic> sorted(std::vector<Diagnostic> problems) {
  std::sort(problems.begin(), problems.end(),
            [](const auto& a, const auto& b) { return key_of(a) < key_of(b); });
  problems.erase(std::unique(problems.begin(), problems.end()), problems.end());
  return problems;
}

}  // namespace

std::string Diagnostic::text() const {
  return line == 0 ? fmt::format("{}: {}", file, message)
                   : fmt::format("{}:{}:{}: {}", file, line, column, message);
}

StudyError::StudyError(std::vector<Diagnostic> problems)
    : Error(joined(sorted(problems))), problems_(sorted(std::move(problems))) {}

bool Problems::Before::operator()(const Diagnostic& a, const Diagnostic& b) const {
  return key_of(a) < key_of(b);
}

void Problems::add(const Place& place, const std::string& message) {
  add_of_arm(place, message, "");
}

void Problems::add_of_arm(const Place& place, const std::string& message, const std::string& arm) {
  if (!place.file) return add(message);
  auto& arms = found_[{*place.file, place.line, place.column, printable(message)}];
  if (!arm.empty()) arms.insert(arm);
}

void Problems::add(const std::string& message) {
  found_.try_emplace({path_, 1, 1, printable(message)});
}

void Problems::raise() const {
  if (found_.empty()) return;
  std::vector<Diagnostic> problems;
  for (const auto& [problem, arms] : found_) {
    problems.push_back(problem);
    std::string names;
    for (const std::string& arm : arms)
      names += fmt::format("{}{}", names.empty() ? "" : ", ", arm);
    if (!names.empty()) problems.back().message += fmt::format(" (in arm {})", printable(names));
  }
  throw StudyError(std::move(problems));
}

std::string printable(std::string_view text) {
  std::string result;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7F) {
      result += fmt::format("\\x{:02x}", byte);
    } else {
      result += c;
    }
  }
  return result;
}

}  // namespace paribus
