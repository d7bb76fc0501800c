// SPDX-License-Identifier: Apache-2.0
#include <paribus/tracker.h>

#include <csignal>
#include <fstream>

/// Writes every call into one file, and goes wrong as it is told: at the so-many-th call of `log`.
struct Log : paribus::Tracker {
  struct Params {
    std::string_view fail;
    int call = 0;
    static constexpr auto fields() {
      using paribus::field;
      return std::tuple{field("fail", &Params::fail, "how it goes wrong")
                            .one_of("", "later", "error", "throw", "crash", "over"),
                        field("call", &Params::call, "at which call")};
    }
  } params;

  void open(const paribus::TrackedStudy& study, paribus::Uplink& uplink) override {
    Tracker::open(study, uplink);
    file_.open(uplink.folder() / "calls.txt", std::ios::app);
    file_ << "open " << study.name << std::endl;
  }
  void begin(paribus::TrackedTrial& trial) override {
    file_ << "begin " << trial.id << " memo=" << trial.memo << std::endl;
  }
  void log(paribus::TrackedTrial& trial, std::span<const paribus::TrackedPoint> points) override {
    file_ << "log " << trial.id << ' ' << trial.sent << ' ' << points.size() << std::endl;
    const bool is_it = ++calls_ == params.call;
    if (is_it && params.fail == "later") throw paribus::TryLater("not now", 0.1);
    if (is_it && params.fail == "error") throw paribus::Error("tracker/log: no more");
    if (is_it && params.fail == "throw") throw 1;
    if (is_it && params.fail == "crash") std::raise(SIGSEGV);
    if (is_it && params.fail == "over") throw paribus::StartOver("all is gone");
    trial.memo = std::to_string(trial.sent + static_cast<std::int64_t>(points.size()));
  }
  void end(paribus::TrackedTrial& trial, const paribus::TrackedEnd& end) override {
    file_ << "end " << trial.id << ' ' << end.status << ' ' << end.message << std::endl;
  }

 private:
  std::ofstream file_;
  int calls_ = 0;
};
PARIBUS_PART(Log, "log", "every call into a file")
