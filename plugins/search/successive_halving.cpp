// SPDX-License-Identifier: Apache-2.0
#include <paribus/search/halving.h>

/// All points train up to the first rung; the best 1 / reduction of them go on to the next, and so
/// on to the end of training (Jamieson and Talwalkar 2016). Rungs are at train.epochs /
/// reduction^k, rounded, for as long as that is at least `min_epochs`. A rung is judged when all of
/// it is there.
struct SuccessiveHalving : paribus::search::Told {
  struct Params {
    int trials = 27;
    int min_epochs = 1;
    int reduction = 3;
    std::string_view sampler = "random";
    int at_once = 4;
    static constexpr auto fields() {
      using paribus::field;
      return std::tuple{
          field("trials", &Params::trials, "points in the first rung")
              .at_least(1)
              .at_most(1'000'000),
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
    const std::string who = "search/successive_halving";
    check_sampler(who, params.sampler, axes);
    paribus::search::check_rungs(who, epochs, params.min_epochs, params.reduction);
    paribus::search::check_points(who, params.trials, rungs(epochs), params.reduction);
  }

 protected:
  void begin() override { bracket_.emplace(0, params.trials, rungs(epochs()), params.reduction); }
  void tell(const paribus::search::Event& event) override { bracket_->tell(event); }
  [[nodiscard]] std::optional<paribus::Job> ask() override {
    const auto step = bracket_->next();
    if (!step) return std::nullopt;
    return step->point ? go_on(*step->point, step->until) : new_point(params.sampler, step->until);
  }

 private:
  [[nodiscard]] std::vector<std::int64_t> rungs(std::int64_t epochs) const {
    using paribus::search::divisions;
    return paribus::search::rungs(epochs, params.reduction,
                                  divisions(epochs, params.min_epochs, params.reduction));
  }

  std::optional<paribus::search::Bracket> bracket_;
};
PARIBUS_PART(SuccessiveHalving, "successive_halving",
             "trains many points a little and the best ones on (Jamieson and Talwalkar 2016)")
