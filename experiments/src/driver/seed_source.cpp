// SPDX-License-Identifier: Apache-2.0
#include "driver/seed_source.h"

#include <fmt/core.h>

#include <algorithm>

#include "stats/compare.h"

namespace paribus::driver {

namespace {

/// What the directory holds of the trials that were bought so far: an earlier run may have bought
/// more.
results::StudyRecord record_of(const StudyDirectory& directory, const CheckedStudy& checked) {
  std::set<std::string> bought;
  for (const Trial& trial : checked.trials) bought.insert(trial.id);
  results::StudyRecord record = results::read_study(directory.path());
  std::erase_if(record.trials, [&](const auto& trial) { return !bought.contains(trial.id); });
  return record;
}

}  // namespace

SeedSource::SeedSource(CheckedStudy& checked, const StudyDirectory& directory, PlanLog& plan,
                       Engine& engine, Observer& observer, bool fresh, std::vector<Trial> first)
    : checked_(checked),
      directory_(directory),
      plan_(plan),
      engine_(engine),
      observer_(observer),
      fresh_(fresh) {
  begin_round(std::move(first), checked.shared);
}

std::vector<Work> SeedSource::more() {
  while (under_way_.empty() && !is_over_) look();
  return round_->more();
}

void SeedSource::ended(const Trial& trial, const Outcome& outcome) {
  under_way_.erase(trial.id);
  round_->ended(trial, outcome);
}

void SeedSource::begin_round(std::vector<Trial> trials, const std::vector<Shared>& shared) {
  for (const Trial& trial : trials) under_way_.insert(trial.id);
  round_.emplace(directory_, std::move(trials), shared);
}

/// All that was bought has ended: is it enough?
void SeedSource::look() {
  const stats::Decision decision = stats::decide(record_of(directory_, checked_));
  if (!decision.decided && buy(decision.undecided)) return;
  is_over_ = true;
  plan_.ends();
  if (decision.decided) return;
  std::string arms;
  for (const std::string& arm : decision.undecided) arms += (arms.empty() ? "" : ", ") + arm;
  observer_.note(fmt::format("undecided after max_seeds = {}: {}", checked_.study.max_seeds, arms));
}

/// The next seed of each of the arms, and of the baseline where it has fewer. False if none may
/// have one more.
bool SeedSource::buy(const std::vector<std::string>& arms) {
  const std::vector<PlannedTrial>& known = checked_.study.trials;
  std::map<std::string, const PlannedTrial*> first;
  for (const PlannedTrial& planned : known) first.try_emplace(planned.arm, &planned);
  std::map<std::string, std::uint64_t> seeds;  // seeds 0 to n - 1
  for (const Trial& trial : checked_.trials) ++seeds[trial.arm];
  const auto most = static_cast<std::uint64_t>(checked_.study.max_seeds);
  const std::string& baseline = checked_.study.arms.front();
  std::uint64_t wanted = 0;  // of the baseline
  std::vector<PlannedTrial> bought;
  const auto add = [&](const std::string& arm) {
    bought.push_back(*first.at(arm));
    bought.back().seed = seeds[arm];
  };
  for (const std::string& arm : arms) {
    if (seeds[arm] < most) wanted = std::max(wanted, seeds[arm] + 1);
  }
  if (wanted == 0) return false;
  if (seeds[baseline] < wanted) add(baseline);
  for (const std::string& arm : arms) {
    if (seeds[arm] < most) add(arm);
  }
  std::vector<Trial> trials = check_more(checked_, bought, engine_, observer_);
  const std::vector<Shared> shared = shared_of(checked_, trials, engine_);
  const std::size_t from = checked_.trials.size();
  checked_.trials.insert(checked_.trials.end(), trials.begin(), trials.end());
  plan_.grew(from);
  begin_round(missing(std::move(trials), directory_, fresh_).to_run, shared);
  return true;
}

}  // namespace paribus::driver
