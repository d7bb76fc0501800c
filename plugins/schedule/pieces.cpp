// SPDX-License-Identifier: Apache-2.0
#include <paribus/schedule.h>

/// One value after another, each from its epoch on. What a search that changes parameters during
/// training has done to a trial is written as such a schedule.
struct Pieces : paribus::Schedule {
  struct Params {
    std::vector<double> at;
    std::vector<double> values;
    static constexpr auto fields() {
      return std::tuple{
          paribus::field("at", &Params::at, "epochs from which the second and later values hold")
              .above(0)
              .unit("epoch"),
          paribus::field("values", &Params::values, "the values, one more than epochs")};
    }
  } params;

  double at(const paribus::Progress& p) const override {
    if (params.values.size() != params.at.size() + 1) {
      throw paribus::Error(address() + ": schedule/pieces has " +
                           std::to_string(params.values.size()) + " values for " +
                           std::to_string(params.at.size()) +
                           " changes, expected one value more than changes");
    }
    std::size_t piece = 0;
    for (std::size_t i = 0; i < params.at.size(); ++i) {
      if (i > 0 && params.at[i] <= params.at[i - 1]) {
        throw paribus::Error(address() + ": schedule/pieces: epochs in `at` must grow");
      }
      // An epoch's first step may come out a rounding short of it.
      if (p.epoch + 1e-9 >= params.at[i]) piece = i + 1;
    }
    return params.values[piece];
  }
};
PARIBUS_PART(Pieces, "pieces", "one value after another, each from its epoch on")
