// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "driver/files.h"
#include "paribus/value.h"

namespace paribus::driver {

/// What trials share that differ in nothing but their seed and numbers of their optimizer and
/// schedules: one inspection speaks for all, and a study of 100,000 trials may hold one family.
class TrialFamily {
 public:
  /// `spec`: resolved, of any of them; `places`: where the numbers stand in it.
  explicit TrialFamily(nlohmann::json spec, std::vector<nlohmann::json::json_pointer> places = {})
      : spec_(std::move(spec)), places_(std::move(places)) {}

  nlohmann::json facts = nlohmann::json::object();  // what inspection found
  FilePaths files;

  /// The resolved configuration of one of them. `numbers`: one for each place.
  [[nodiscard]] nlohmann::json spec(const std::vector<Value>& numbers, std::uint64_t seed) const;
  [[nodiscard]] const std::vector<nlohmann::json::json_pointer>& places() const { return places_; }

 private:
  nlohmann::json spec_;
  std::vector<nlohmann::json::json_pointer> places_;
};

/// The ids of a family's trials, equal to what `trial_id` gives: the text that it hashes is made
/// once, with holes for what differs.
class FamilyIds {
 public:
  FamilyIds(const TrialFamily& family, const std::string& fingerprint,
            const nlohmann::json& environment);
  [[nodiscard]] std::string id(const std::vector<Value>& numbers, std::uint64_t seed) const;

 private:
  struct Piece {
    std::string before;  // what stands in front of the hole
    std::size_t hole;    // number of the place; one more is the seed's
  };
  std::vector<Piece> pieces_;
  std::string end_;
};

/// The id of a trial: a hash of all that determines its result. `environment` holds the sums of
/// plugins and libraries and what the machine computes with. Where data files lie, how many threads
/// load them and how often checkpoints are made change no number, so they change no id.
std::string trial_id(const nlohmann::json& resolved_spec, const std::string& fingerprint,
                     const nlohmann::json& environment);

}  // namespace paribus::driver
