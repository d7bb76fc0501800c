// SPDX-License-Identifier: Apache-2.0
#include "files.h"

#include <fmt/core.h>

#include <fstream>

#include "results/trial_log.h"

namespace paribus::uplink {

namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kLongestText = std::uintmax_t{64} << 20;

bool holds_something(const fs::path& file) {
  std::error_code none;
  return fs::is_regular_file(file, none) && fs::file_size(file, none) > 0 && !none;
}

}  // namespace

std::vector<TrackedFile> files_of(const fs::path& dir, const std::string& trial) {
  std::vector<TrackedFile> files{
      {"output.txt", results::trial_log_path(dir, trial)},
      {"weights.safetensors", dir / "checkpoints" / trial / "final.safetensors"}};
  std::erase_if(files, [](const TrackedFile& one) { return !holds_something(one.path); });
  return files;
}

std::pair<std::vector<TrackedFile>, std::string> closing_files(const fs::path& dir) {
  std::vector<TrackedFile> files;
  std::string mark;
  const fs::path report = dir / "report.html";
  if (!holds_something(report)) return {};
  std::error_code none;
  files.push_back({"report.html", report});
  mark = fmt::format("{} {}", fs::file_size(report, none),
                     fs::last_write_time(report, none).time_since_epoch().count());
  return {files, mark};
}

std::optional<std::pair<std::int64_t, std::int64_t>> png_size(std::string_view file) {
  constexpr std::string_view kSignature = "\x89PNG\r\n\x1a\n";
  constexpr std::size_t kWidth = 16, kHeight = 20, kEnd = 24;
  if (!file.starts_with(kSignature) || file.size() < kEnd) return std::nullopt;
  const auto number = [&](std::size_t at) {
    std::int64_t value = 0;
    for (std::size_t i = at; i < at + 4; ++i)
      value = value * 256 + static_cast<unsigned char>(file[i]);
    return value;
  };
  return std::pair(number(kWidth), number(kHeight));
}

std::string text_file(const fs::path& file) {
  std::error_code none;
  const std::uintmax_t size = fs::file_size(file, none);
  if (none || size > kLongestText) return "";
  std::string text(size, '\0');
  std::ifstream in(file, std::ios::binary);
  in.read(text.data(), static_cast<std::streamsize>(size));
  text.resize(static_cast<std::size_t>(in.gcount()));
  return text;
}

}  // namespace paribus::uplink
