// SPDX-License-Identifier: Apache-2.0
#include "watch_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>

#include "results/trial_log.h"

namespace paribus {
namespace {

constexpr std::streamoff kMostBytes = 64 << 10;  // of a log's end

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.emplace_back(results::last_state(text.substr(0, end)));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::string tail_of(const std::filesystem::path& path) {
  std::error_code unknown;
  if (!std::filesystem::is_regular_file(path, unknown)) return "";
  std::ifstream file(path, std::ios::binary);
  file.seekg(0, std::ios::end);
  const std::streamoff size = file.tellg(), from = std::max<std::streamoff>(0, size - kMostBytes);
  if (size <= 0) return "";
  std::string text(static_cast<std::size_t>(size - from), '\0');
  file.seekg(from);
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (from > 0) text.erase(0, text.find('\n') + 1);  // a line that began before
  return text;
}

}  // namespace

std::vector<std::string> log_of(const std::filesystem::path& dir, const results::Trial& trial,
                                std::size_t most) {
  const auto path = results::trial_log_path(dir, trial.id);
  std::vector<std::string> lines = lines_of(trial.message);
  std::error_code unknown;
  if (const auto stack = results::stack_path(dir, trial.id);
      std::filesystem::exists(stack, unknown))
    lines.push_back(fmt::format("its stack is in {}", stack.string()));
  lines.resize(std::min(lines.size(), most / 2));
  if (!lines.empty()) lines.emplace_back();
  const std::vector<std::string> log = lines_of(tail_of(path));
  lines.push_back(log.empty() ? fmt::format("{} is empty", path.string()) : path.string() + ":");
  const std::size_t room = most - std::min(most, lines.size());
  lines.insert(lines.end(), log.end() - static_cast<std::ptrdiff_t>(std::min(room, log.size())),
               log.end());
  return lines;
}

}  // namespace paribus
