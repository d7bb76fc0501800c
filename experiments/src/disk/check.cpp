// SPDX-License-Identifier: Apache-2.0
#include "disk/check.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "disk/checkpoints.h"
#include "journal/journal.h"
#include "paribus/error.h"
#include "registry/sha256.h"

namespace paribus::disk {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// As kernel/src/checkpoint_file.h states it.
constexpr std::string_view kHead = "{\"__metadata__\":{\"sha256\":\"";
constexpr std::string_view kLarge = "large/";
constexpr std::size_t kSumSize = 64;

std::string text_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) throw Error("can't be opened");
  std::ostringstream all;
  all << in.rdbuf();
  return std::move(all).str();
}

std::int64_t size_of(const fs::path& file) {
  std::error_code none;
  const auto size = fs::file_size(file, none);
  return none ? 0 : static_cast<std::int64_t>(size);
}

/// The sums of the large tensors of a checkpoint whose own sum holds.
std::set<std::string> pins_named_in(const fs::path& file) {
  std::string bytes = text_of(file);
  if (bytes.size() < 8 + kHead.size() + kSumSize ||
      std::string_view(bytes).substr(8, kHead.size()) != kHead) {
    throw Error("its first bytes aren't those of a checkpoint");
  }
  const std::string expected = bytes.substr(8 + kHead.size(), kSumSize);
  bytes.replace(8 + kHead.size(), kSumSize, kSumSize, '0');
  if (registry::sha256(std::string_view(bytes).substr(8)) != expected)
    throw Error("its bytes aren't those that were written");
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), sizeof length);
  const json header = json::parse(bytes.substr(8, length), nullptr, false);
  if (!header.is_object()) throw Error("its header can't be read");
  std::uint64_t end = 8 + length;
  for (const auto& [name, tensor] : header.items()) {
    if (name == "__metadata__") continue;
    end = std::max(end, 8 + length + tensor.at("data_offsets").at(1).get<std::uint64_t>());
  }
  if (end != bytes.size()) throw Error("the length of its header is wrong");
  std::set<std::string> sums;
  for (const auto& [key, value] : header.at("__metadata__").items()) {
    const std::string text = value.get<std::string>();
    if (key.starts_with(kLarge)) sums.insert(text.substr(text.rfind(' ') + 1));
  }
  return sums;
}

class Checker {
 public:
  Checker(const fs::path& study, bool repair) : study_(study), repair_(repair) {}

  std::vector<Finding> check() {
    for (const fs::path& folder : entries_of(study_ / "checkpoints")) {
      if (folder.filename() != kObjects) check_trial(folder);
    }
    for (const fs::path& group : entries_of(study_ / "checkpoints" / kObjects)) {
      if (!fs::is_directory(group)) left_over(group, "no tensor of this study");
      for (const fs::path& object : entries_of(group)) check_object(object);
    }
    for (const fs::path& draft : stale_drafts(study_))
      left_over(draft, "a killed process was writing it");
    return std::move(findings_);
  }

 private:
  static std::vector<fs::path> entries_of(const fs::path& folder) {
    std::error_code none;
    std::vector<fs::path> entries;
    for (const auto& entry : fs::directory_iterator(folder, none)) entries.push_back(entry.path());
    std::sort(entries.begin(), entries.end());
    return entries;
  }

  Finding& add(const fs::path& path, std::string state, std::string problem) {
    const std::string name = path.lexically_relative(study_).string();
    const bool is_bad = state != "left over" && state != "whole";
    findings_.push_back({name, std::move(state), std::move(problem), size_of(path), is_bad});
    return findings_.back();
  }

  void left_over(const fs::path& path, const std::string& why) {
    Finding& finding = add(path, "left over", why);
    if (!repair_) return;
    if (fs::is_directory(path))
      remove_checkpoint(fs::path(path).replace_extension(".safetensors"));
    else
      fs::remove(path);
    finding.state = "removed";
  }

  void check_trial(const fs::path& folder) {
    const fs::path journal = study_ / "journal" / (folder.filename().string() + ".log");
    if (journal::has_writer(journal)) return;
    for (const fs::path& path : entries_of(folder)) {
      const std::string name = path.filename().string();
      if (!fs::exists(path)) continue;  // the tensors of what was removed just now
      if (path.extension() == ".partial")
        left_over(path, "a killed process was writing it");
      else if (path.extension() == ".tensors")
        check_pins(path);
      else if (name.starts_with("step-") || name.starts_with("branch-"))
        check_checkpoint(path);
    }
    check_final(folder, journal);
  }

  void check_pins(const fs::path& folder) {
    const fs::path file = fs::path(folder).replace_extension(".safetensors");
    if (!fs::exists(file)) left_over(folder, "the tensors of a checkpoint that isn't there");
  }

  void check_checkpoint(const fs::path& file) {
    const std::string problem = problem_of(file);
    if (problem.empty()) {
      add(file, "whole", "");
      return;
    }
    Finding& finding =
        add(file, "damaged", problem + "; a resume goes on from an older one or from the start");
    if (!repair_) return;
    remove_checkpoint(file);
    finding.state = "removed";
    finding.is_bad = false;
  }

  static std::string problem_of(const fs::path& file) try {
    const fs::path pins = fs::path(file).replace_extension(".tensors");
    for (const std::string& sum : pins_named_in(file)) {
      if (!fs::exists(pins / sum)) return fmt::format("its tensor {} is missing", sum);
      if (registry::sha256_of_file(pins / sum) != sum)
        return fmt::format("its tensor {} is damaged", sum);
    }
    return "";
  } catch (const std::exception& problem) {
    return problem.what();
  }

  void check_final(const fs::path& folder, const fs::path& journal) {
    const fs::path file = folder / "final.safetensors";
    const json* end = nullptr;
    journal::Record record;
    try {
      record = journal::read(journal);
      end = record.last("end");
    } catch (const Error&) {  // told of as a journal
    }
    const bool is_there = fs::exists(file);
    const std::string expected = end != nullptr ? end->value("weights_sha256", "") : "";
    const bool is_done = end != nullptr && end->value("status", "") == "done";
    if (!is_done) {
      if (is_there) add(file, "whole", "");  // the trial was killed before it told their sum
    } else if (is_there && registry::sha256_of_file(file) == expected) {
      add(file, "whole", "");
    } else if (is_there || end->value("keep", "none") != "none") {
      add(file, is_there ? "damaged" : "missing",
          fmt::format("its journal says SHA-256 {}; put it back from a copy, or remove {} and "
                      "resume to train it again",
                      expected, journal.lexically_relative(study_).string()));
    }
  }

  void check_object(const fs::path& object) {
    struct stat facts {};
    if (::stat(object.c_str(), &facts) != 0 || facts.st_nlink > 1) return;
    left_over(object, "a tensor that no checkpoint needs");
  }

  fs::path study_;
  bool repair_;
  std::vector<Finding> findings_;
};

}  // namespace

std::vector<Finding> check_checkpoints(const fs::path& study, bool repair) {
  return Checker(study, repair).check();
}

}  // namespace paribus::disk
