// SPDX-License-Identifier: Apache-2.0
#include <paribus/search/halving.h>

#include <set>

/// Successive halving that never waits (ASHA; Li et al. 2020): a free worker takes the best point
/// that is among the best 1 / reduction of its rung so far and hasn't gone on yet, from the highest
/// rung that has one; else it begins a new point. Rungs are at train.epochs / reduction^k, rounded,
/// for as long as that is at least `min_epochs`.
struct Asha : paribus::search::Told {
  struct Params {
    int trials = 27;
    int min_epochs = 1;
    int reduction = 3;
    std::string_view sampler = "random";
    int at_once = 4;
    static constexpr auto fields() {
      using paribus::field;
      return std::tuple{
          field("trials", &Params::trials, "how many points").at_least(1).at_most(1'000'000),
          field("min_epochs", &Params::min_epochs, "least epochs before any is dropped")
              .at_least(1)
              .unit("epochs"),
          field("reduction", &Params::reduction, "one in so many goes on; eta in the paper")
              .at_least(2)
              .at_most(1000),
          field("sampler", &Params::sampler, "how points are drawn").one_of("random", "sobol"),
          field("at_once", &Params::at_once, "jobs under way at a time: the most that -j can use")
              .at_least(1)
              .at_most(1024)};
    }
  } params;

  [[nodiscard]] std::int64_t at_once() const override { return params.at_once; }

  void check(const std::vector<paribus::Axis>& axes, std::int64_t epochs) const override {
    const std::string who = "search/asha";
    check_sampler(who, params.sampler, axes);
    paribus::search::check_rungs(who, epochs, params.min_epochs, params.reduction);
    paribus::search::check_points(who, params.trials, rungs(epochs), params.reduction);
  }

 protected:
  void begin() override {
    rungs_.clear();
    for (const std::int64_t epochs : rungs(epochs())) rungs_.push_back({epochs, {}, {}});
  }

  void tell(const paribus::search::Event& event) override {
    const auto rung = std::find_if(rungs_.begin(), rungs_.end(),
                                   [&](const Rung& r) { return r.epochs == event.epochs; });
    if (rung == rungs_.end()) return;
    if (event.ended) {
      rung->results.insert({event.score, event.job.point});
    } else if (rung != rungs_.begin()) {
      std::prev(rung)->gone_on.insert(event.job.point);
    }
  }

  [[nodiscard]] std::optional<paribus::Job> ask() override {
    for (std::size_t k = rungs_.size() - 1; k-- > 0;) {
      if (const auto point = promotable(rungs_[k])) return go_on(*point, rungs_[k + 1].epochs);
    }
    if (points() < params.trials) return new_point(params.sampler, rungs_[0].epochs);
    return std::nullopt;
  }

 private:
  struct Better {
    bool operator()(const paribus::search::Result& a, const paribus::search::Result& b) const {
      return paribus::search::better(a, b);
    }
  };
  struct Rung {
    std::int64_t epochs = 0;
    std::set<paribus::search::Result, Better> results;  // failed ones too: they count, as the worst
    std::set<std::int64_t> gone_on;
  };

  [[nodiscard]] std::optional<std::int64_t> promotable(const Rung& rung) const {
    auto left = static_cast<std::int64_t>(rung.results.size()) / params.reduction;
    for (const paribus::search::Result& result : rung.results) {
      if (left-- == 0 || std::isnan(result.score)) break;
      if (!rung.gone_on.contains(result.point)) return result.point;
    }
    return std::nullopt;
  }
  [[nodiscard]] std::vector<std::int64_t> rungs(std::int64_t epochs) const {
    using paribus::search::divisions;
    return paribus::search::rungs(epochs, params.reduction,
                                  divisions(epochs, params.min_epochs, params.reduction));
  }

  std::vector<Rung> rungs_;
};
PARIBUS_PART(Asha, "asha", "successive halving that never waits for a rung (Li et al. 2020)")
