// SPDX-License-Identifier: Apache-2.0
#include <paribus/search/told.h>

#include <algorithm>
#include <set>

/// The median stopping rule (Golovin et al. 2017): after every `every` epochs a point is stopped if
/// its best value so far is strictly worse than the median, over the points that are through, of
/// the mean of their values up to the same epoch. Points that failed have no say.
struct MedianStopping : paribus::search::Told {
  struct Params {
    int trials = 20;
    int every = 1;
    int grace = 1;
    int quorum = 3;
    std::string_view sampler = "random";
    int at_once = 4;
    static constexpr auto fields() {
      using paribus::field;
      return std::tuple{
          field("trials", &Params::trials, "how many points").at_least(1).at_most(1'000'000),
          field("every", &Params::every, "epochs from one decision to the next")
              .at_least(1)
              .unit("epochs"),
          field("grace", &Params::grace, "epochs that every point is trained for")
              .at_least(0)
              .unit("epochs"),
          field("quorum", &Params::quorum,
                "no point is stopped before so many others are through that got as far")
              .at_least(1)
              .at_most(1'000'000),
          field("sampler", &Params::sampler, "how points are drawn").one_of("random", "sobol"),
          field("at_once", &Params::at_once, "jobs under way at a time: the most that -j can use")
              .at_least(1)
              .at_most(1024)};
    }
  } params;

  [[nodiscard]] std::int64_t at_once() const override { return params.at_once; }

  void check(const std::vector<paribus::Axis>& axes, std::int64_t epochs) const override {
    check_sampler("search/median_stopping", params.sampler, axes);
    const int first = std::max(params.every, params.grace);
    if (first < epochs) return;
    throw paribus::Error("search/median_stopping: nothing can be stopped early: train.epochs is " +
                         std::to_string(epochs) + ", expected more than " + std::to_string(first) +
                         ", the first decision; train longer, or lower `every` or `grace`");
  }

 protected:
  void begin() override { courses_.clear(), ready_.clear(), means_.clear(); }

  void tell(const paribus::search::Event& event) override {
    const std::int64_t point = event.job.point;
    if (!event.ended) {
      ready_.erase(point);
      return;
    }
    if (std::isnan(event.score)) return;
    courses_.resize(static_cast<std::size_t>(points()));
    std::vector<double>& scores = courses_[static_cast<std::size_t>(point)];
    scores.push_back(event.score);
    if (event.epochs < epochs() && !stops(scores, event.epochs)) {
      ready_.insert(point);
      return;
    }
    double sum = 0;
    means_.resize(std::max(means_.size(), scores.size()));
    for (std::size_t i = 0; i < scores.size(); ++i) {
      sum += scores[i];
      means_[i].insert(
          std::upper_bound(means_[i].begin(), means_[i].end(), sum / static_cast<double>(i + 1)),
          sum / static_cast<double>(i + 1));
    }
  }

  [[nodiscard]] std::optional<paribus::Job> ask() override {
    if (!ready_.empty()) {
      const std::int64_t point = *ready_.begin();
      const auto jobs = static_cast<std::int64_t>(courses_[static_cast<std::size_t>(point)].size());
      return go_on(point, (jobs + 1) * params.every);
    }
    if (points() < params.trials) return new_point(params.sampler, params.every);
    return std::nullopt;
  }

 private:
  [[nodiscard]] bool stops(const std::vector<double>& scores, std::int64_t epochs) const {
    if (epochs < params.grace || means_.size() < scores.size()) return false;
    const std::vector<double>& means = means_[scores.size() - 1];
    if (means.size() < static_cast<std::size_t>(params.quorum)) return false;
    const std::size_t middle = means.size() / 2;
    const double median =
        means.size() % 2 == 1 ? means[middle] : (means[middle - 1] + means[middle]) / 2;
    return *std::max_element(scores.begin(), scores.end()) < median;
  }

  std::vector<std::vector<double>> courses_;  // of each point, its scores so far
  std::set<std::int64_t> ready_;              // points that are to go on and haven't begun to
  std::vector<std::vector<double>> means_;  // by number of jobs: of the points that are through, in
                                            // order
};
PARIBUS_PART(MedianStopping, "median_stopping",
             "stops what is worse than the median of what came before (Golovin et al. 2017)")
