// SPDX-License-Identifier: Apache-2.0
// A training of a study's, in this process, whose events can be read and acted upon.
#include "paribus/trainer.h"

#include <ATen/Parallel.h>
#include <pybind11/stl.h>

#include <thread>

#include "data.h"
#include "events.h"
#include "generator.h"
#include "study_here.h"

namespace paribus::python {
namespace {

using Series = std::map<std::string, std::vector<std::pair<std::int64_t, double>>, std::less<>>;

/// Keeps the numbers; ends the training at the next step when its reader has left.
class Notes final : public Recorder {
 public:
  explicit Notes(Events& events) : events_(events) {}

  void point(std::string_view series, std::int64_t step, double value) override {
    const std::scoped_lock lock(mutex_);
    auto found = series_.find(series);
    if (found == series_.end()) found = series_.try_emplace(std::string(series)).first;
    found->second.emplace_back(step, value);
  }
  void message(std::string_view text) override {
    const std::scoped_lock lock(mutex_);
    messages_.emplace_back(text);
  }
  void flush() override {}
  void resumed(std::int64_t /*step*/) override {}
  void checkpointed(std::int64_t /*step*/, const std::string& /*file*/) override {}
  Wish progress(std::int64_t /*step*/, std::int64_t /*steps*/, std::int64_t /*epoch*/,
                double /*loss*/) override {
    events_.check();
    return Wish::go_on;
  }

  [[nodiscard]] Series series() {
    const std::scoped_lock lock(mutex_);
    return series_;
  }
  [[nodiscard]] std::vector<std::string> messages() {
    const std::scoped_lock lock(mutex_);
    return messages_;
  }

 private:
  Events& events_;
  std::mutex mutex_;
  Series series_;
  std::vector<std::string> messages_;
};

/// As many threads of LibTorch as a trial has; later threads of the process begin as before.
class ThreadsKept {
 public:
  explicit ThreadsKept(std::int64_t count) : before_(at::get_num_threads()) {
    at::set_num_threads(static_cast<int>(count));
  }
  ~ThreadsKept() { at::set_num_threads(before_); }
  ThreadsKept(const ThreadsKept&) = delete;
  ThreadsKept& operator=(const ThreadsKept&) = delete;

 private:
  int before_;
};

class Training {
 public:
  Training(const std::string& study, const std::vector<std::string>& overrides,
           const std::optional<std::string>& arm, std::optional<std::uint64_t> seed,
           const std::string& folder)
      : here_(trial_of(study, overrides, arm, seed)),
        view_(std::make_shared<FitView>()),
        notes_(events_),
        factory_(Parts::here().loader(), events_, view_) {
    here_.spec.callbacks.push_back(WithEvents::callback());
    dataset_ = opened(here_.spec.dataset, here_.catalog);
    if (!folder.empty()) std::filesystem::create_directories(folder);
    const GeneratorKept kept;
    trainer_ =
        std::make_unique<Trainer>(here_.spec, dataset_->as<Dataset>(), factory_, notes_, folder);
  }
  Training(const Training&) = delete;
  Training& operator=(const Training&) = delete;
  ~Training() {
    close();
    const py::gil_scoped_release others;  // a transform in Python may be waiting for the lock
    trainer_.reset();
  }

  [[nodiscard]] const std::string& arm() const { return here_.arm; }
  [[nodiscard]] std::uint64_t seed() const { return here_.spec.seed; }

  void start(std::set<std::string> events) {
    if (is_begun_) throw Error("this training is over; make another Trainer");
    is_begun_ = true;
    events_.want(std::move(events));
    thread_ = std::thread([this] { run(); });
  }

  /// The next event, "" at the end. A Ctrl-C is seen while it waits.
  std::string next() {
    while (true) {
      {
        const py::gil_scoped_release others;
        if (events_.wait()) break;
      }
      if (PyErr_CheckSignals() != 0) throw py::error_already_set();
    }
    return events_.take();
  }

  /// Ends the training at its next step if it is under way.
  void close() {
    const py::gil_scoped_release others;
    events_.leave();
    if (thread_.joinable()) thread_.join();
  }

  [[nodiscard]] std::shared_ptr<FitView> fit() const { return view_; }
  [[nodiscard]] Series series() { return notes_.series(); }
  [[nodiscard]] std::vector<std::string> messages() { return notes_.messages(); }
  [[nodiscard]] py::object outcome() const {
    if (!outcome_) return py::none();
    const bool is_done = outcome_->status == Outcome::Status::done;
    return py::dict(py::arg("status") = is_done ? "done" : "stopped",
                    py::arg("message") = outcome_->message, py::arg("steps") = outcome_->steps,
                    py::arg("epochs") = outcome_->epochs, py::arg("last") = plain(outcome_->last),
                    py::arg("best") = plain(outcome_->best));
  }

 private:
  static std::map<std::string, double> plain(
      const std::map<std::string, double, std::less<>>& metrics) {
    return {metrics.begin(), metrics.end()};
  }

  /// On a thread of its own: how many threads LibTorch takes there is the trial's to say.
  void run() {
    std::exception_ptr failure;
    try {
      train();
    } catch (const Events::Left&) {
    } catch (const c10::Error& problem) {
      failure = std::make_exception_ptr(Error(problem.what_without_backtrace()));
    } catch (...) {
      failure = std::current_exception();
    }
    events_.end(failure);
  }

  void train() {
    const GeneratorKept kept;
    const ThreadsKept threads(here_.spec.threads);
    outcome_ = trainer_->fit();
  }

  TrialHere here_;
  std::shared_ptr<FitView> view_;
  Events events_;
  Notes notes_;
  WithEvents factory_;
  std::shared_ptr<Instance> dataset_;
  std::unique_ptr<Trainer> trainer_;
  std::optional<Outcome> outcome_;
  std::thread thread_;
  bool is_begun_ = false;
};

}  // namespace

void add_trainer(py::module_& module) {
  py::class_<Training>(module, "Training", py::module_local())
      .def(py::init<const std::string&, const std::vector<std::string>&,
                    const std::optional<std::string>&, std::optional<std::uint64_t>,
                    const std::string&>())
      .def_property_readonly("arm", &Training::arm)
      .def_property_readonly("seed", &Training::seed)
      .def("start", &Training::start)
      .def("next", &Training::next)
      .def("close", &Training::close)
      .def_property_readonly("fit", &Training::fit)
      .def("series", &Training::series)
      .def("messages", &Training::messages)
      .def("outcome", &Training::outcome);
}

}  // namespace paribus::python
