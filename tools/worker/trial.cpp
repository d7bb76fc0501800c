// SPDX-License-Identifier: Apache-2.0
#include "trial.h"

#include <ATen/Parallel.h>
#include <torch/version.h>
#include <unistd.h>

#include <array>
#include <cmath>
#include <cstdio>
#include <optional>

#include "branch.h"
#include "disk/budget.h"
#include "disk/checkpoints.h"
#include "disk/no_space.h"
#include "journal/journal.h"
#include "limits.h"
#include "named_files.h"
#include "paribus/trainer.h"
#include "prefixes.h"
#include "recorder.h"
#include "registry/sha256.h"
#include "study/spec_json.h"

namespace paribus::worker {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

std::string hexadecimal(
    std::uint64_t value) {  // not fmt: LibTorch brings headers of another version
  std::array<char, 17> text{};
  std::snprintf(text.data(), text.size(), "%016llx", static_cast<unsigned long long>(value));
  return text.data();
}

/// For inspections and sweeps, which leave no record.
class NoRecorder final : public Recorder {
 public:
  void point(std::string_view, std::int64_t, double) override {}
  void message(std::string_view) override {}
  void flush() override {}
  void resumed(std::int64_t) override {}
  void checkpointed(std::int64_t, const std::string&) override {}
  Wish progress(std::int64_t, std::int64_t, std::int64_t, double) override { return Wish::go_on; }
};

json metrics_json(const std::map<std::string, double, std::less<>>& metrics) {
  json object = json::object();
  for (const auto& [name, value] : metrics)
    object[name] = std::isfinite(value) ? json(value) : json(nullptr);
  return object;
}

json start_event(const json& request, const TrialSpec& spec) {
  return {{"event", "start"},
          {"id", request.at("trial")},
          {"arm", request.at("arm")},
          {"seed", spec.seed},
          {"facts", request.at("facts")},
          {"threads", spec.threads},
          {"libtorch", TORCH_VERSION},
          {"pid", ::getpid()},
          {"time", utc_now()}};
}

int record_end(JournalRecorder& recorder, const Outcome& outcome, const fs::path& folder,
               const std::string& keep) {
  const bool done = outcome.status == Outcome::Status::done;
  const bool paused = !done && !stop_was_asked();
  const std::string weights_sha256 =
      done ? registry::sha256_of_file(folder / "final.safetensors") : "";
  recorder.journal().event({{"event", "end"},
                            {"status", done     ? "done"
                                       : paused ? "paused"
                                                : "stopped"},
                            {"message", outcome.message},
                            {"steps", outcome.steps},
                            {"epochs", outcome.epochs},
                            {"seconds", recorder.seconds()},
                            {"final", metrics_json(outcome.last)},
                            {"best", metrics_json(outcome.best)},
                            {"weights_sha256", weights_sha256},
                            {"keep", keep}});
  recorder.journal().sync();
  return done ? kDone : paused ? kPaused : kStopped;
}

int record_failure(JournalRecorder& recorder, const std::string& what) {
  std::fprintf(stderr, "%s\n", what.c_str());
  recorder.journal().event({{"event", "end"}, {"status", "failed"}, {"message", what}});
  recorder.journal().sync();
  return kFailed;
}

Marks marks_of(const json& request, const TrialSpec& spec) {
  Marks marks;
  marks.until = request.value("until", std::int64_t{0});
  if (const auto steps = request.find("save_at"); steps != request.end())
    steps->get_to(marks.save_at);
  if (const auto full = request.find("fingerprints"); full != request.end()) {
    marks.first_full = full->at("from");
    marks.last_full = full->at("to");
  }
  marks.always_full = spec.train.device == "cpu";
  if (request.value("keep", "") == "all")  // that of the end, whichever epoch that is
    marks.every = request.at("facts").value("steps_per_epoch", std::int64_t{0});
  return marks;
}

/// A journal that says where the trial begins: at its start, or with the checkpoint of another.
void begin(JournalRecorder& recorder, const json& request, const TrialSpec& spec,
           const PartFactory& factory, const fs::path& folder) {
  recorder.journal().event(start_event(request, spec));
  const auto from = request.find("from");
  if (from == request.end() || !from->is_object()) return;
  const fs::path directory = request.at("dir").get<std::string>();
  const std::string other = from->at("trial");
  const std::int64_t step = from->at("step");
  const Beginning beginning{
      directory / "journal" / (other + ".log"), directory / "checkpoints" / other, step,
      driven_values(spec, request.at("facts").at("steps_per_epoch"), step, factory)};
  if (const auto seconds = begin_with(beginning, recorder.journal(), folder)) {
    recorder.journal().event({{"event", "branch"},
                              {"trial", other},
                              {"step", beginning.step},
                              {"seconds", *seconds},
                              {"time", utc_now()}});
    recorder.knows({{beginning.step, *seconds}});
  } else {
    recorder.journal().event(start_event(request, spec));  // what was copied does not count
  }
}

/// What an error says, and whether it is one of memory.
std::string told(const std::exception& problem, const json& request, driver::Distress& distress) {
  distress.memory = is_out_of_memory(problem);
  const std::string text = problem.what();
  return distress.memory ? out_of_memory(limits_from(request).memory) + ": " + text : text;
}

constexpr std::int64_t kBeginning = 64 * 1024;  // journal with what it keeps free, folders, log

disk::Budget budget_of(const json& request) {
  const std::int64_t limit = request.value("limits", json::object()).value("disk", std::int64_t{0});
  return {request.at("dir").get<std::string>(), limit,
          "/proc/self/fd/" + std::to_string(driver::kProgressFd),
          static_cast<std::int64_t>(driver::kAccountOffset), request.at("slot").get<int>()};
}

/// The trial can be taken up again where its last checkpoint is.
int record_lack_of_room(JournalRecorder& recorder, const std::string& what) {
  std::fprintf(stderr, "%s\n", what.c_str());
  try {
    recorder.journal().last_words(
        {{"event", "end"}, {"status", "stopped"}, {"reason", "disk"}, {"message", what}});
    recorder.journal().sync();
  } catch (const Error& also) {
    std::fprintf(stderr, "%s\n", also.what());
  }
  return kStopped;
}

/// `optimizer.lr`, or the innermost wrapped optimizer's.
std::string rate_address(const PartSpec& optimizer) {
  if (optimizer.params.contains("lr")) return optimizer.address + ".lr";
  const auto inner = optimizer.slots.find("inner");
  if (inner == optimizer.slots.end())
    throw Error("optimizer: " + optimizer.use + " has no parameter 'lr' to sweep");
  return rate_address(inner->second);
}

/// fastai's `valley`: the longest stretch over which the loss falls, one half into it.
std::optional<double> valley(const std::vector<std::pair<double, double>>& all) {
  const std::size_t drop = all.size() / 10;
  if (all.size() < drop + 10) return std::nullopt;
  const std::vector points(all.begin() + static_cast<std::ptrdiff_t>(drop), all.end() - 5);
  std::vector<std::size_t> length(points.size(), 1);
  std::size_t end = 0;
  for (std::size_t i = 1; i < points.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (points[i].second < points[j].second) length[i] = std::max(length[i], length[j] + 1);
    }
    if (length[i] > length[end]) end = i;
  }
  const std::size_t count = length[end];
  const std::size_t start = end + 1 - std::min(count, end + 1);
  return points[start + count / 3 + count / 6].first;
}

int run_recorded(const json& request, const TrialSpec& spec, const Dataset& dataset,
                 const PartFactory& factory, driver::ProgressSlot& slot, JournalRecorder& recorder,
                 disk::Budget& budget) {
  const fs::path directory = request.at("dir").get<std::string>();
  const std::string id = request.at("trial");
  const fs::path folder = directory / "checkpoints" / id;
  const std::string keep = request.value("keep", "final");
  at::set_num_threads(static_cast<int>(spec.threads));
  slot.epochs = static_cast<std::uint64_t>(spec.train.epochs);
  try {
    recorder.keep_to(budget);
    fs::create_directories(folder);
    const journal::Record before = journal::read(directory / "journal" / (id + ".log"));
    recorder.knows(seconds_of(before));
    if (!disk::prepare(folder, before)) begin(recorder, request, spec, factory, folder);
    Outcome outcome;
    {
      Trainer trainer(spec, dataset, factory, recorder, folder);
      outcome = trainer.fit();
    }
    const int code = record_end(recorder, outcome, folder, keep);
    if (code == kDone) disk::tidy(folder, keep);
    return code;
  } catch (const NoSpace& problem) {
    return record_lack_of_room(recorder, problem.what());
  } catch (const std::exception& problem) {
    const auto* of_files = dynamic_cast<const fs::filesystem_error*>(&problem);
    if (of_files != nullptr && disk::is_no_space(of_files->code().value()))
      return record_lack_of_room(recorder, problem.what());
    return record_failure(recorder, told(problem, request, slot.distress));
  }
}

}  // namespace

int run_trial(const json& request, const Dataset& dataset, const PartFactory& factory,
              driver::ProgressSlot& slot) {
  stop_on_sigterm();
  const TrialSpec spec = trial_spec_from_json(request.at("spec"));
  const fs::path directory = request.at("dir").get<std::string>();
  const std::string id = request.at("trial");
  const fs::path journal = directory / "journal" / (id + ".log");
  try {
    disk::Budget budget = budget_of(request);
    budget.add(kBeginning, "the beginning of a trial");  // or it would leave files that say nothing
    JournalRecorder recorder(journal, request.value("metric", ""), slot, marks_of(request, spec));
    return run_recorded(request, spec, dataset, factory, slot, recorder, budget);
  } catch (const NoSpace& problem) {  // not even for a first record
    std::fprintf(stderr, "%s\n", problem.what());
    return kStopped;
  }
}

json inspect(const json& request, const Dataset& dataset, const PartFactory& factory) {
  TrialSpec spec = trial_spec_from_json(request.at("spec"));
  spec.data.workers = 0;
  NoRecorder recorder;
  Trainer trainer(spec, dataset, factory, recorder, {});
  const Facts facts = trainer.inspect();
  return {{"ok", true},
          {"facts",
           {{"parameters", facts.parameters},
            {"train_items", facts.train_items},
            {"valid_items", facts.valid_items},
            {"steps_per_epoch", facts.steps_per_epoch},
            {"fingerprint", hexadecimal(dataset.fingerprint())},
            {"files", named_files(spec)},
            {"device", facts.device},
            {"precision", facts.precision},
            {"memory_format", facts.memory_format}}}};
}

json find_rate(const json& request, const Dataset& dataset, const PartFactory& factory) {
  TrialSpec spec = trial_spec_from_json(request.at("spec"));
  const json& options = request.at("options");
  const std::string target = rate_address(spec.optimizer);
  std::erase_if(spec.schedules,
                [](const ScheduleSpec& schedule) { return !schedule.target.starts_with("data."); });
  at::set_num_threads(static_cast<int>(spec.threads));
  NoRecorder recorder;
  Trainer trainer(spec, dataset, factory, recorder, {});
  const auto points =
      trainer.sweep_rate(target, options.at("low"), options.at("high"), options.at("steps"));
  const auto suggestion = valley(points);
  return {{"ok", true},
          {"points", points},
          {"target", target},
          {"suggestion", suggestion ? json(*suggestion) : json(nullptr)}};
}

}  // namespace paribus::worker
