// SPDX-License-Identifier: Apache-2.0
#include <paribus/search/told.h>

#include <algorithm>

/// Population-based training (Jaderberg et al. 2017): every `every` epochs, each of the worst
/// `quantile` of the population is replaced by one of the best `quantile`, weights, state and
/// values, which goes on with values that are perturbed or drawn anew. A generation is judged when
/// all of it is there. The axes must be parameters that may change during training.
struct Pbt : paribus::search::Told {
  struct Params {
    int population = 8;
    int every = 1;
    double quantile = 0.25;
    std::vector<double> factors{0.8, 1.2};
    double resample = 0.25;
    std::string_view sampler = "random";
    int at_once = 8;
    static constexpr auto fields() {
      using paribus::field;
      return std::tuple{
          field("population", &Params::population, "points that are trained side by side")
              .at_least(2)
              .at_most(100'000),
          field("every", &Params::every, "epochs of a generation").at_least(1).unit("epochs"),
          field("quantile", &Params::quantile,
                "the share that is replaced, and that replaces it; one point at least")
              .above(0)
              .at_most(0.5),
          field("factors", &Params::factors,
                "a perturbed value is multiplied by one of these; of a list, below 1 the entry "
                "before, above 1 the next")
              .above(0),
          field("resample", &Params::resample, "probability that a value is drawn anew instead")
              .at_least(0)
              .at_most(1),
          field("sampler", &Params::sampler, "how the first points are drawn")
              .one_of("random", "sobol"),
          field("at_once", &Params::at_once, "jobs under way at a time: the most that -j can use")
              .at_least(1)
              .at_most(1024)};
    }
  } params;

  [[nodiscard]] std::int64_t at_once() const override { return params.at_once; }

  void check(const std::vector<paribus::Axis>& axes, std::int64_t epochs) const override {
    check_sampler("search/pbt", params.sampler, axes);
    if (params.factors.empty()) {
      throw paribus::Error("search/pbt: factors is empty, expected one at least, e.g. [0.8, 1.2]");
    }
    if (params.every < epochs) return;
    throw paribus::Error("search/pbt: there is one generation only: train.epochs is " +
                         std::to_string(epochs) + ", expected more than every = " +
                         std::to_string(params.every) + "; train longer, or lower `every`");
  }

 protected:
  void begin() override {
    generation_ = begun_ = 0;
    values_.clear(), results_.clear();
    jobs_.assign(static_cast<std::size_t>(params.population), {});
  }

  void tell(const paribus::search::Event& event) override {
    if (!event.ended) {
      ++begun_;
      if (!event.job.choices.empty()) values_.push_back(event.job.choices);
      return;
    }
    results_.push_back({event.score, event.job.point});
    if (results_.size() == jobs_.size()) breed();
  }

  [[nodiscard]] std::optional<paribus::Job> ask() override {
    if (begun_ == jobs_.size()) return std::nullopt;
    if (generation_ == 0) return new_point(params.sampler, params.every);
    return jobs_[begun_];
  }

 private:
  /// The next generation: new points first, while those they come from still stand where they were
  /// judged.
  void breed() {
    ++generation_;
    begun_ = 0;
    std::vector<paribus::search::Result> ranked = std::move(results_);
    results_.clear(), jobs_.clear();
    if (generation_ * params.every >= epochs()) return;
    std::sort(ranked.begin(), ranked.end(), paribus::search::better);
    const auto alive = static_cast<std::size_t>(
        std::find_if(ranked.begin(), ranked.end(),
                     [](const auto& result) { return std::isnan(result.score); }) -
        ranked.begin());
    if (alive == 0) return;
    const auto cut =
        std::max<std::size_t>(1, static_cast<std::size_t>(params.quantile * params.population));
    const std::size_t kept = std::min(alive, ranked.size() - cut);
    for (std::size_t i = kept; i < ranked.size(); ++i) {
      paribus::Draws draws = stream().step(generation_, static_cast<std::int64_t>(i));
      const auto chosen = draws.below(static_cast<std::uint32_t>(std::min(cut, kept)));
      jobs_.push_back(child(ranked[chosen].point, i - kept, draws));
    }
    for (std::size_t i = 0; i < kept; ++i) jobs_.push_back(go_on(ranked[i].point, until()));
  }
  [[nodiscard]] std::int64_t until() const { return (generation_ + 1) * params.every; }

  paribus::Job child(std::int64_t parent, std::size_t number, paribus::Draws& draws) const {
    paribus::Job job = go_on(static_cast<std::int64_t>(values_.size() + number), until());
    job.parent = parent;
    const paribus::Point& values = values_.at(static_cast<std::size_t>(parent));
    for (std::size_t i = 0; i < axes().size(); ++i) {
      job.choices.push_back(draws.uniform() < params.resample
                                ? paribus::search::random_choice(axes()[i], draws)
                                : perturbed(axes()[i], values.at(i), draws));
    }
    return job;
  }

  paribus::Choice perturbed(const paribus::Axis& axis, paribus::Choice choice,
                            paribus::Draws& draws) const {
    const double factor =
        params.factors[draws.below(static_cast<std::uint32_t>(params.factors.size()))];
    const int step = (factor > 1 ? 1 : 0) - (factor < 1 ? 1 : 0);
    if (choice.index >= 0) {
      choice.index = std::clamp<std::int64_t>(choice.index + step, 0, axis.count - 1);
      return choice;
    }
    double value = choice.value * factor;
    if (axis.integer) {
      value = std::round(value);
      if (value == choice.value) value += step;
    }
    const double low = axis.integer ? std::ceil(axis.low) : axis.low;
    const double high = axis.integer ? std::floor(axis.high) : axis.high;
    return {.value = std::clamp(value, low, high)};
  }

  std::int64_t generation_ = 0;
  std::size_t begun_ = 0;           // jobs of this generation
  std::vector<paribus::Job> jobs_;  // of this generation; the first's are not yet drawn
  std::vector<paribus::search::Result> results_;  // of this generation
  std::vector<paribus::Point> values_;            // of each point
};
PARIBUS_PART(Pbt, "pbt",
             "a population whose worst go on from copies of its best (Jaderberg et al. 2017)")
