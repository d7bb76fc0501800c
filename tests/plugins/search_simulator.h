// SPDX-License-Identifier: Apache-2.0
#pragma once

// Plays a study with an adaptive search in logical time: `at_once` workers, a job lasts as many
// epochs as it trains, jobs that end at the same time end in the order in which they began.

#include <cmath>
#include <functional>
#include <map>
#include <optional>

#include "paribus/search.h"
#include "parts.h"

namespace paribus::testing {

/// What a job does: trains the point from one epoch to another, first as a copy of `parent`.
struct Work {
  std::int64_t point, parent, from, until;
  const Point& choices;
};
/// The value of the objective at the end.
using World = std::function<double(const Work&)>;

using Parameters = std::map<std::string, Value>;

struct Played {
  struct Asked {
    std::size_t happenings;
    std::optional<Job> job;
  };
  History history;
  std::vector<Asked> asked;
  std::vector<Point> points;
  std::vector<std::int64_t> trained;  // epochs of each point
  std::int64_t time = 0;              // when the last job ended

  /// How many jobs of points [first, last) train up to each epoch.
  [[nodiscard]] std::map<std::int64_t, int> jobs_up_to(std::int64_t first = 0,
                                                       std::int64_t last = 1'000'000) const {
    std::map<std::int64_t, int> result;
    for (const Job& job : history.jobs) {
      if (job.point >= first && job.point < last)
        ++result[job.until == 0 ? history.epochs : job.until];
    }
    return result;
  }
};

inline bool same(const Point& a, const Point& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Choice& x, const Choice& y) {
    return x.index == y.index && (x.index >= 0 || x.value == y.value);
  });
}

/// What a search may not ask for, in words; empty if it may.
inline std::string nonsense(const Job& job, const std::vector<Axis>& axes, const Played& played,
                            const std::vector<bool>& busy, const std::vector<bool>& failed) {
  const auto known = static_cast<std::int64_t>(played.trained.size());
  const std::int64_t until = job.until == 0 ? played.history.epochs : job.until;
  if (until > played.history.epochs) return "more epochs than there are";
  if (job.point < 0 || job.point > known) return "a point out of turn";
  const bool is_new = job.point == known;
  const std::int64_t base = is_new ? job.parent : job.point;
  if (!is_new && (job.parent != -1 || !job.choices.empty())) return "an old point born again";
  if (base >= known) return "an unknown parent";
  if (base >= 0) {
    const auto i = static_cast<std::size_t>(base);
    if (busy[i]) return "a point that is under way";
    if (failed[i]) return "a point that failed";
    if (until <= played.trained[i]) return "nothing to train";
  }
  if (!is_new) return "";
  if (job.choices.size() != axes.size()) return "another number of axes";
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const Choice& choice = job.choices[i];
    if (axes[i].count > 0 && (choice.index < 0 || choice.index >= axes[i].count))
      return "no entry of the list";
    if (axes[i].count > 0) continue;
    if (choice.index >= 0 || !(choice.value >= axes[i].low && choice.value <= axes[i].high))
      return "a value outside the range";
    if (axes[i].integer && choice.value != std::round(choice.value)) return "no integer";
  }
  return "";
}

class Simulator {
 public:
  Simulator(std::string use, Parameters parameters, std::vector<Axis> axes, std::int64_t epochs,
            bool maximize = false)
      : spec_(part("search", use, std::move(parameters))), axes_(std::move(axes)) {
    empty_.epochs = epochs, empty_.maximize = {maximize};
  }

  /// One more objective.
  Simulator& also(bool maximize, World world) {
    empty_.maximize.push_back(maximize), more_.push_back(std::move(world));
    return *this;
  }

  [[nodiscard]] std::unique_ptr<Made<AdaptiveSearch>> made() const {
    return std::make_unique<Made<AdaptiveSearch>>(spec_);
  }
  [[nodiscard]] std::optional<Job> ask(const Made<AdaptiveSearch>& search, const History& history,
                                       std::uint64_t seed) const {
    return search->next(axes_, Stream(seed, "search"), history);
  }

  /// The whole study. Fails the test where the search asks for nonsense.
  [[nodiscard]] Played play(const World& world, std::uint64_t seed = 1) const {
    const auto search = made();
    (*search)->check(axes_, empty_.epochs);
    Played played;
    played.history = empty_;
    std::vector<bool> busy, failed;
    std::vector<UnderWay> under_way;  // in the order in which they began
    while (true) {
      while (under_way.size() < static_cast<std::size_t>((*search)->at_once())) {
        const auto job = ask(*search, played.history, seed);
        played.asked.push_back({played.history.happenings.size(), job});
        if (!job) break;
        const std::string wrong = nonsense(*job, axes_, played, busy, failed);
        EXPECT_EQ(wrong, "") << "job " << played.history.jobs.size() << ", point " << job->point;
        if (!wrong.empty()) return played;
        under_way.push_back(begin(*job, world, played, busy, failed));
      }
      if (under_way.empty()) return played;
      const auto next =
          std::min_element(under_way.begin(), under_way.end(),
                           [](const auto& a, const auto& b) { return a.time < b.time; });
      played.time = next->time;
      played.history.happenings.push_back({next->job, true, next->values});
      const auto point = static_cast<std::size_t>(next->point);
      busy[point] = false, failed[point] = std::isnan(next->values[0]);
      played.trained[point] = next->until;
      under_way.erase(next);
    }
  }

 private:
  struct UnderWay {
    std::int64_t job, point, until, time;
    std::vector<double> values;
  };

  [[nodiscard]] UnderWay begin(const Job& job, const World& world, Played& played,
                               std::vector<bool>& busy, std::vector<bool>& failed) const {
    const auto number = static_cast<std::int64_t>(played.history.jobs.size());
    played.history.jobs.push_back(job);
    played.history.happenings.push_back({number, false, {}});
    const auto point = static_cast<std::size_t>(job.point);
    if (point == played.trained.size()) {
      played.points.push_back(job.choices);
      played.trained.push_back(
          job.parent >= 0 ? played.trained[static_cast<std::size_t>(job.parent)] : 0);
      busy.push_back(false), failed.push_back(false);
    }
    busy[point] = true;
    const std::int64_t from = played.trained[point];
    const std::int64_t until = job.until == 0 ? played.history.epochs : job.until;
    const Work work{job.point, job.parent, from, until, played.points[point]};
    std::vector<double> values{world(work)};
    for (const World& other : more_) values.push_back(other(work));
    return {number, job.point, until, played.time + until - from, std::move(values)};
  }

  PartSpec spec_;
  std::vector<Axis> axes_;
  History empty_;
  std::vector<World> more_;
};

/// What was known when the search was asked.
inline History known(const Played& played, const Played::Asked& asked) {
  History history = played.history;
  history.happenings.resize(asked.happenings);
  history.jobs.resize(static_cast<std::size_t>(
      std::count_if(history.happenings.begin(), history.happenings.end(),
                    [](const Happening& happening) { return !happening.ended; })));
  return history;
}

inline void expect_same(const std::optional<Job>& said, const Played::Asked& asked) {
  ASSERT_EQ(said.has_value(), asked.job.has_value()) << asked.happenings;
  if (!said) return;
  EXPECT_EQ(said->point, asked.job->point) << asked.happenings;
  EXPECT_EQ(said->until, asked.job->until) << asked.happenings;
  EXPECT_EQ(said->parent, asked.job->parent) << asked.happenings;
  EXPECT_TRUE(same(said->choices, asked.job->choices)) << asked.happenings;
}

/// What each instance says must not depend on what it was asked before: a new one is asked with
/// every history that came up, and one is asked all of them backwards.
inline void expect_a_function_of_history(const Simulator& simulator, const Played& played,
                                         std::uint64_t seed = 1) {
  const auto backwards = simulator.made();
  for (auto asked = played.asked.rbegin(); asked != played.asked.rend(); ++asked) {
    const History history = known(played, *asked);
    expect_same(simulator.ask(*simulator.made(), history, seed), *asked);
    expect_same(simulator.ask(*backwards, history, seed), *asked);
    if (::testing::Test::HasFailure()) return;
  }
}

}  // namespace paribus::testing
