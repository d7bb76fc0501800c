// SPDX-License-Identifier: Apache-2.0
#include <paribus/search/halving.h>

/// Brackets of successive halving, from many points that are dropped early to few that all train to
/// the end (Li et al. 2018): with s_max = floor(log(train.epochs / min_epochs) / log(reduction)),
/// bracket s = s_max, ..., 0 begins with ceil((s_max + 1) / (s + 1) reduction^s) points, trained
/// for train.epochs / reduction^s. A worker that finds nothing to do in a bracket begins the next.
struct Hyperband : paribus::search::Told {
  struct Params {
    int min_epochs = 1;
    int reduction = 3;
    int rounds = 1;
    std::string_view sampler = "random";
    int at_once = 4;
    static constexpr auto fields() {
      using paribus::field;
      return std::tuple{
          field("min_epochs", &Params::min_epochs, "least epochs before any is dropped")
              .at_least(1)
              .unit("epochs"),
          field("reduction", &Params::reduction, "one in so many goes on; eta in the paper")
              .at_least(2)
              .at_most(1000),
          field("rounds", &Params::rounds, "how often all brackets are gone through")
              .at_least(1)
              .at_most(1000),
          field("sampler", &Params::sampler, "how points are drawn").one_of("random", "sobol"),
          field("at_once", &Params::at_once, "jobs under way at a time: the most that -j can use")
              .at_least(1)
              .at_most(1024)};
    }
  } params;

  [[nodiscard]] std::int64_t at_once() const override { return params.at_once; }

  void check(const std::vector<paribus::Axis>& axes, std::int64_t epochs) const override {
    const std::string who = "search/hyperband";
    check_sampler(who, params.sampler, axes);
    paribus::search::check_rungs(who, epochs, params.min_epochs, params.reduction);
  }

 protected:
  void begin() override {
    brackets_.clear();
    const std::int64_t most =
        paribus::search::divisions(epochs(), params.min_epochs, params.reduction);
    std::int64_t first = 0;
    for (int round = 0; round < params.rounds; ++round) {
      std::int64_t power = 1;
      for (std::int64_t s = 0; s < most; ++s) power *= params.reduction;
      for (std::int64_t s = most; s >= 0; --s, power /= params.reduction) {
        const std::int64_t points = ((most + 1) * power + s) / (s + 1);
        brackets_.emplace_back(first, points, paribus::search::rungs(epochs(), params.reduction, s),
                               params.reduction);
        first += points;
      }
    }
  }

  void tell(const paribus::search::Event& event) override {
    for (paribus::search::Bracket& bracket : brackets_) {
      if (bracket.has(event.job.point)) return bracket.tell(event);
    }
  }

  [[nodiscard]] std::optional<paribus::Job> ask() override {
    for (const paribus::search::Bracket& bracket : brackets_) {
      const auto step = bracket.next();
      if (!step) continue;
      return step->point ? go_on(*step->point, step->until)
                         : new_point(params.sampler, step->until);
    }
    return std::nullopt;
  }

 private:
  std::vector<paribus::search::Bracket> brackets_;
};
PARIBUS_PART(Hyperband, "hyperband",
             "successive halving with many points and few epochs, then fewer and more (Li et al. "
             "2018)")
