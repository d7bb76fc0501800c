// SPDX-License-Identifier: Apache-2.0
#include "complete_paths.h"

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <system_error>

namespace paribus {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostEntries = 20'000;  // that are looked at: nobody reads more

struct Entry {
  std::string name;
  bool is_folder = false;
  fs::path path;
};

std::vector<Entry> entries_of(const fs::path& folder) {
  std::vector<Entry> entries;
  std::error_code problem;
  fs::directory_iterator at(folder, fs::directory_options::skip_permission_denied, problem);
  std::size_t seen = 0;
  for (const fs::directory_iterator end; !problem && at != end && ++seen < kMostEntries;
       at.increment(problem)) {
    std::error_code ignored;
    Entry entry{at->path().filename().string(), at->is_directory(ignored), at->path()};
    if (!has_control(entry.name)) entries.push_back(std::move(entry));
  }
  std::sort(entries.begin(), entries.end(),
            [](const Entry& a, const Entry& b) { return a.name < b.name; });
  return entries;
}

bool is_study_directory(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path / "journal", ignored);
}

/// What is typed, as the folder that it leads to and the beginning of a name in it.
struct Typed {
  std::string folder;  // "" or with its last '/'
  std::string begin;

  explicit Typed(const std::string& text)
      : folder(text.substr(0, text.rfind('/') + 1)), begin(text.substr(folder.size())) {}

  /// Files that are hidden are offered to who types the point.
  [[nodiscard]] bool fits(const std::string& name) const {
    return name.starts_with(begin) && (name.front() != '.' || !begin.empty());
  }
};

using Offer = std::function<void(const Entry&, const std::string& path, Answer&)>;

Answer look(const std::string& text, const Offer& offer) {
  const Typed typed(text);
  Answer answer{Answer::Form::paths};
  for (const Entry& entry : entries_of(path_meant(typed.folder.empty() ? "." : typed.folder))) {
    if (typed.fits(entry.name)) offer(entry, typed.folder + entry.name, answer);
  }
  return answer;
}

/// Studies in a folder that is none itself spare a key; without any it is a step on the way.
void offer_directories(const Entry& entry, const std::string& path, Answer& answer) {
  if (!entry.is_folder) return;
  if (is_study_directory(entry.path)) return answer.candidates.push_back({path, "a study"});
  bool found = false;
  for (const Entry& inner : entries_of(entry.path)) {
    const bool hidden = inner.name.front() == '.';
    if (hidden || !inner.is_folder || !is_study_directory(inner.path)) continue;
    answer.candidates.push_back({path + "/" + inner.name, "a study"});
    found = true;
  }
  if (!found) answer.candidates.push_back({path + "/"});
}

}  // namespace

bool has_control(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x20 || byte == 0x7F) return true;
    const bool is_c1 =
        byte == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0;
    if (is_c1) return true;
  }
  return false;
}

fs::path path_meant(const std::string& typed) {
  const char* home = std::getenv("HOME");
  if (!typed.starts_with("~/") || home == nullptr) return typed;
  return fs::path(home) / typed.substr(2);
}

Answer study_files(const std::string& typed) {
  return look(typed, [](const Entry& entry, const std::string& path, Answer& answer) {
    if (entry.is_folder) return answer.candidates.push_back({path + "/"});
    if (entry.name.ends_with(".toml")) answer.candidates.push_back({path});
  });
}

Answer study_directories(const std::string& typed) { return look(typed, offer_directories); }

Answer folders(const std::string& typed) {
  return look(typed, [](const Entry& entry, const std::string& path, Answer& answer) {
    if (entry.is_folder) answer.candidates.push_back({path + "/"});
  });
}

}  // namespace paribus
