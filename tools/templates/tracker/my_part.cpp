// SPDX-License-Identifier: Apache-2.0
#include <paribus/tracker.h>

#include <fstream>

/// A file per trial with what each metric was in the end. Written whole: a call that comes again
/// after a kill leaves the same file.
struct MyPart : paribus::Tracker {
  struct Params {
    bool best = false;
    static constexpr auto fields() {
      return std::tuple{paribus::field("best", &Params::best, "the best value, not the last")};
    }
  } params;

  void log(paribus::TrackedTrial&, std::span<const paribus::TrackedPoint>) override {}

  void end(paribus::TrackedTrial& trial, const paribus::TrackedEnd& end) override {
    std::ofstream file(uplink().folder() / (trial.id + ".txt"));
    file << trial.arm << ", seed " << trial.seed << ": " << end.status << '\n';
    for (const auto& [metric, value] : params.best ? end.best_values : end.final_values)
      file << metric << ' ' << value << '\n';
    if (!file.flush()) throw paribus::TryLater("tracker/my_part: can't write " + trial.id + ".txt");
  }
};
PARIBUS_PART(MyPart, "my_part", "a file per trial with what came of it")
