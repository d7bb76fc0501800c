// SPDX-License-Identifier: Apache-2.0
#include "driver/family.h"

#include <algorithm>

#include "registry/sha256.h"
#include "study/spec_json.h"

namespace paribus::driver {

namespace {

using nlohmann::json;

constexpr std::size_t kDigits = 16;  // of an id

/// The text whose hash is an id.
std::string identity(const json& resolved_spec, const std::string& fingerprint,
                     const json& environment) {
  json all = {{"spec", resolved_spec}, {"data", fingerprint}, {"environment", environment}};
  all["spec"]["data"].erase("workers");
  all["spec"]["train"].erase("checkpoint_seconds");
  return all.dump();
}

std::string hash(std::string_view text) { return registry::sha256(text).substr(0, kDigits); }

std::size_t count(const std::string& text, const std::string& word) {
  std::size_t times = 0;
  for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1))
    ++times;
  return times;
}

}  // namespace

json TrialFamily::spec(const std::vector<Value>& numbers, std::uint64_t seed) const {
  json made = spec_;
  for (std::size_t i = 0; i < places_.size(); ++i) made.at(places_[i]) = tagged_json(numbers.at(i));
  made["seed"] = seed;
  return made;
}

std::string trial_id(const json& resolved_spec, const std::string& fingerprint,
                     const json& environment) {
  return hash(identity(resolved_spec, fingerprint, environment));
}

FamilyIds::FamilyIds(const TrialFamily& family, const std::string& fingerprint,
                     const json& environment) {
  const std::size_t holes = family.places().size() + 1;
  std::vector<std::string> marks(holes);
  std::string text;
  // A mark that occurs once, whatever a study's texts may hold.
  for (std::string name = "hole";; name += "'") {
    json spec = family.spec(std::vector<Value>(family.places().size()), 0);
    for (std::size_t i = 0; i < holes; ++i) {
      const std::string mark = name + " " + std::to_string(i);
      (i + 1 < holes ? spec.at(family.places()[i]) : spec["seed"]) = mark;
      marks[i] = '"' + mark + '"';
    }
    text = identity(spec, fingerprint, environment);
    const bool once = std::all_of(marks.begin(), marks.end(),
                                  [&](const auto& mark) { return count(text, mark) == 1; });
    if (once) break;
  }
  std::vector<std::pair<std::size_t, std::size_t>> places;  // offset, number
  for (std::size_t i = 0; i < holes; ++i) places.emplace_back(text.find(marks[i]), i);
  std::sort(places.begin(), places.end());
  std::size_t at = 0;
  for (const auto& [offset, number] : places) {
    pieces_.push_back({text.substr(at, offset - at), number});
    at = offset + marks[number].size();
  }
  end_ = text.substr(at);
}

std::string FamilyIds::id(const std::vector<Value>& numbers, std::uint64_t seed) const {
  std::string text;
  for (const Piece& piece : pieces_) {
    text += piece.before;
    text += piece.hole == numbers.size() ? std::to_string(seed)
                                         : tagged_json(numbers[piece.hole]).dump();
  }
  return hash(text + end_);
}

}  // namespace paribus::driver
