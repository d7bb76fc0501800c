// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "study/arms.h"
#include "study/study.h"
#include "study/sweep.h"

namespace paribus {

/// Where a point holds from: a population's points change as training goes on.
struct Stretch {
  std::int64_t epoch = 0;
  SearchPoint point;
};

/// A sweep whose search looks at results: its points become trials while the study runs.
class AdaptiveSweep {
 public:
  AdaptiveSweep(const Study& study, PartSpec search, std::vector<SweepAxis> axes, Place place);

  [[nodiscard]] const PartSpec& search() const { return search_; }
  [[nodiscard]] std::vector<SearchAxis> axes() const;
  /// Epochs of a whole training.
  [[nodiscard]] std::int64_t epochs() const { return epochs_; }
  /// One trial for each seed, of a point that holds throughout or of several, one after the other.
  /// Throws Error where the search asks for what can't be.
  [[nodiscard]] std::vector<PlannedTrial> trials(const std::vector<Stretch>& course,
                                                 const registry::Catalog& catalog) const;
  /// What is wrong with the search, at its place.
  [[nodiscard]] Diagnostic problem(const std::string& message) const;

  /// Points at which every axis takes each of its extremes once: if they are right, so is nearly
  /// every other, and it can be said before the first step what is wrong.
  static std::vector<SearchPoint> probes(const std::vector<SweepAxis>& axes);

 private:
  [[nodiscard]] Variant variant(const std::vector<Stretch>& course,
                                const registry::Catalog& catalog) const;
  [[nodiscard]] Config pieces(const SweepAxis& axis, const std::vector<Stretch>& course,
                              std::size_t number, const registry::Catalog& catalog) const;

  std::filesystem::path path_;
  std::vector<std::uint64_t> seeds_;
  std::int64_t threads_, epochs_;
  TrialSpec first_;  // to look up addresses in
  std::shared_ptr<const Provenance> provenance_;
  PartSpec search_;
  std::vector<SweepAxis> axes_;
  Place place_;
};

}  // namespace paribus
