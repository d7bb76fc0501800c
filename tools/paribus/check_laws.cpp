// SPDX-License-Identifier: Apache-2.0
#include "check_laws.h"

#include <fmt/core.h>
#include <stdlib.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <optional>

#include "check_compare.h"
#include "check_process.h"
#include "child.h"
#include "driver/spawn.h"
#include "driver/worker.h"
#include "journal/journal.h"
#include "paribus/error.h"
#include "registry/catalog.h"
#include "results/study_record.h"

namespace paribus::check {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr int kPatience = 180'000;  // ms for one study of a few dozen steps

double now() {
  const auto since = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double>(since).count();
}

/// A folder of one's own, gone at the end.
class Workplace {
 public:
  Workplace() {
    std::string pattern = (fs::temp_directory_path() / "paribus-check-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr)
      throw Error("plugins check: can't make a folder in " + fs::temp_directory_path().string());
    path_ = pattern;
  }
  Workplace(const Workplace&) = delete;
  Workplace& operator=(const Workplace&) = delete;
  ~Workplace() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  [[nodiscard]] fs::path operator/(const std::string& name) const { return path_ / name; }

 private:
  fs::path path_;
};

/// Our own programs look for the part where it is, before all else.
Child::Environment with_plugin(const fs::path& plugin) {
  const fs::path folder = fs::canonical(plugin.parent_path());
  for (const fs::path& known : registry::Catalog::search_path({})) {
    if (fs::exists(known) && fs::equivalent(known, folder)) return {};
  }
  const char* others = std::getenv("PARIBUS_PLUGINS");
  return {
      {"PARIBUS_PLUGINS", others == nullptr ? folder.string() : folder.string() + ":" + others}};
}

/// What of a program's words says why it failed: the last line that isn't empty.
std::string reason(const Ended& ended) {
  if (ended.status == -SIGKILL) return "no end was in sight";
  if (ended.status < 0) return "its process died of " + driver::signal_name(-ended.status);
  std::string text = ended.output;
  while (!text.empty() && text.back() == '\n') text.pop_back();
  text = text.substr(text.rfind('\n') + 1);
  const std::size_t place = text.find(".toml:");  // of a study that nobody will see
  const std::size_t words = place == std::string::npos ? place : text.find(": ", place);
  return words == std::string::npos ? text : text.substr(words + 2);
}

/// The laws of one part, in one folder.
class Examination {
 public:
  explicit Examination(const Subject& subject)
      : subject_(subject), environment_(with_plugin(subject.part.plugin)) {}

  std::vector<Finding> all() {
    findings_.push_back(schema_law(subject_.part));
    Finding defaults = trains();
    if (defaults.verdict != Verdict::kept && !subject_.off.empty()) {
      off_problem_ = setting() + defaults.seen;  // if it trains without that
      subject_.off.clear();
      defaults = trains();
    }
    findings_.push_back(defaults);
    if (defaults.verdict != Verdict::kept) {
      for (const char* law :
           {"off", "same bits", "resumed", "device", "state", "memory", "threads"})
        findings_.push_back({law, Verdict::not_known, "it doesn't train"});
      return std::move(findings_);
    }
    const auto again = start("again", {"--isolate", "exec", "-j", "1", "-s", "data.workers=0"});
    const auto watched = subject_.trains() ? watch() : nullptr;
    findings_.push_back(off());
    const Finding survived = resumed();
    findings_.push_back(same_bits(*again));
    if (findings_.back().verdict == Verdict::kept)
      findings_.push_back(survived);
    else
      findings_.push_back({"resumed", Verdict::not_known, "undisturbed runs differ already"});
    process_laws(watched.get());
    return std::move(findings_);
  }

 private:
  std::vector<std::string> run_words(const fs::path& study, const std::string& directory,
                                     const std::vector<std::string>& more) const {
    std::vector<std::string> words{(driver::own_folder() / "paribus").string(),
                                   "run",
                                   study.string(),
                                   "--dir",
                                   (place_ / directory).string(),
                                   "-q"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }

  std::unique_ptr<Child> start(const std::string& directory,
                               const std::vector<std::string>& more) const {
    return std::make_unique<Child>(run_words(study_, directory, more), environment_);
  }

  static const Ended& finish(Child& child) {
    if (!child.wait(kPatience)) child.kill(SIGKILL);
    return child.finish();
  }

  /// The first of the studies that fits, run to its end: what all else is compared with.
  Finding trains() {
    std::string problem;
    for (std::size_t i = 0; const std::string& text : studies_for(subject_)) {
      study_ = place_ / fmt::format("check-{}.toml", i++);
      std::ofstream(study_) << text << std::flush;
      const auto child = start("plain", {});
      const Ended& ended = finish(*child);
      if (ended.fine()) {
        plain_ = results::read_study(place_ / "plain");
        if (!subject_.trains())
          return {"defaults", Verdict::kept, fmt::format("{} trials", plain_.trials.size())};
        const std::int64_t steps = trial().steps.value_or(0);
        return {"defaults", Verdict::kept,
                fmt::format("trains with them: {} step{}", steps, steps == 1 ? "" : "s")};
      }
      if (problem.empty() || ended.status == 1) problem = reason(ended);
      if (ended.status == 1) problem = failure(place_ / "plain").value_or(problem);
      if (ended.status != 2) break;
    }
    return {"defaults", Verdict::broken, problem};
  }

  /// The one in which the part stands.
  [[nodiscard]] const results::Trial& trial() const {
    const auto is_ours = [](const results::Trial& one) { return one.arm == kPartArm; };
    const auto found = std::find_if(plain_.trials.begin(), plain_.trials.end(), is_ours);
    return found == plain_.trials.end() ? plain_.trials.front() : *found;
  }

  /// What a trial that failed says of it.
  static std::optional<std::string> failure(const fs::path& directory) {
    for (const results::Trial& trial : results::read_study(directory).trials) {
      if (trial.status == results::Status::failed) return trial.message;
    }
    return std::nullopt;
  }

  Finding off() const {
    const Against what = against(subject_.part);
    if (what == Against::nothing)
      return {"off", Verdict::none, "a study without one has nothing to compare"};
    if (!off_problem_.empty()) return {"off", Verdict::broken, off_problem_};
    if (subject_.off.empty() && subject_.part.kind != "metric")
      return {"off", Verdict::not_known, "nobody said how it is switched off: --off KEY=VALUE"};
    return compare_off(plain_, setting());
  }

  /// By which it does nothing: "alpha = 0.0, ".
  [[nodiscard]] std::string setting() const {
    std::string text;
    for (const auto& [key, value] : subject_.off) text += key + " = " + value + ", ";
    return text;
  }

  Finding same_bits(Child& again) const {
    const Ended& ended = finish(again);
    if (!ended.fine())
      return {"same bits", Verdict::broken, "it doesn't train a second time: " + reason(ended)};
    return compare_studies("same bits", plain_, place_ / "again", "a second run");
  }

  /// Killed in the middle, by SIGKILL of the driver, which takes all below it along.
  Finding resumed() const {
    std::int64_t last = 0;
    for (const results::Trial& trial : plain_.trials)
      last = std::max(last, trial.steps.value_or(0));
    if (!is_killed_at("killed", std::max<std::int64_t>(last / 2, 1)))
      return {"resumed", Verdict::not_known, "it was done before it could be killed"};
    return resumed(place_ / "killed");
  }

  /// The trial holds still at its checkpoint until we are there, however busy the machine is.
  [[nodiscard]] bool is_killed_at(const std::string& directory, std::int64_t step) const {
    Child::Environment environment = environment_;
    environment["PARIBUS_HOLD_AT"] = std::to_string(step);
    Child child(run_words(study_, directory, {"-j", "1"}), environment);
    const double deadline = now() + kPatience / 1000.0;
    while (!child.wait(1) && now() < deadline) {
      if (newest_checkpoint(place_ / directory) >= step) break;
    }
    child.kill(SIGKILL);
    return child.finish().status < 0;
  }

  Finding resumed(const fs::path& directory) const {
    Child second({(driver::own_folder() / "paribus").string(), "resume", directory.string(), "-q"},
                 environment_);
    const Ended& ended = finish(second);
    const std::int64_t step = resumption(directory);
    const std::string what = step < 0 ? "killed and begun anew,"
                                      : fmt::format("killed and resumed at step {}, it", step);
    if (!ended.fine()) {
      return {"resumed", Verdict::broken,
              fmt::format("{} ends: {}", what, failure(directory).value_or(reason(ended)))};
    }
    if (step < 0 && subject_.trains())
      return {"resumed", Verdict::not_known, "it left no checkpoint to go on from"};
    return compare_studies("resumed", plain_, directory, what);
  }

  /// The last step at which a trial was taken up again; -1 if none was.
  static std::int64_t resumption(const fs::path& directory) {
    std::int64_t step = -1;
    for (const results::Trial& trial : results::read_study(directory).trials) {
      const fs::path file = results::journal_path(directory, trial.id);
      if (!fs::exists(file)) continue;
      const journal::Record record = journal::read(file);
      if (const json* event = record.last("resume"))
        step = std::max(step, event->value("step", std::int64_t{-1}));
    }
    return step;
  }

  /// The trial again, in a process that watches itself.
  std::unique_ptr<Child> watch() const {
    const json spec = trial().spec();
    const auto catalog = registry::Catalog::scan(
        registry::Catalog::search_path({fs::canonical(subject_.part.plugin.parent_path())}));
    write_request(place_ / "request.json", spec, subject_, catalog);
    Child::Environment environment = environment_;
    environment["GLIBC_TUNABLES"] =
        "glibc.malloc.tcache_count=0";  // what it keeps counts as in use
    return std::make_unique<Child>(
        std::vector<std::string>{driver::Worker::program().string(), "--examine",
                                 (place_ / "request.json").string(),
                                 (place_ / "reply.json").string()},
        environment);
  }

  void process_laws(Child* watched) {
    if (watched == nullptr) {
      for (const char* law : {"device", "state", "memory", "threads"})
        findings_.push_back({law, Verdict::none, "it is in no trial"});
      return;
    }
    const Ended& ended = finish(*watched);
    const json reply = read_reply(place_ / "reply.json", ended.fine() ? "" : reason(ended));
    findings_.push_back(device(reply));
    findings_.push_back(state_law(reply));
    findings_.push_back(memory_law(reply));
    findings_.push_back(threads_law(reply));
  }

  Finding device(const json& reply) const {
    const json devices = reply.value("devices", json::array({"cpu"}));
    if (devices.size() < 2) return {"device", Verdict::none, "no other device here"};
    const std::string other = devices.back();
    const auto child = start("device", {"-s", "train.device=" + other});
    const Ended& ended = finish(*child);
    if (ended.fine()) return {"device", Verdict::kept, "trains on " + other + ", too"};
    return {"device", Verdict::broken,
            "on " + other + ": " + failure(place_ / "device").value_or(reason(ended))};
  }

  Subject subject_;
  std::string off_problem_;
  Workplace place_;
  const Child::Environment environment_;
  fs::path study_;
  results::StudyRecord plain_;
  std::vector<Finding> findings_;
};

}  // namespace

std::string_view to_text(Verdict verdict) {
  switch (verdict) {
    case Verdict::kept:
      return "kept";
    case Verdict::broken:
      return "BROKEN";
    case Verdict::not_known:
      return "not known";
    case Verdict::none:
      return "-";
  }
  return "";
}

std::size_t Report::count(Verdict verdict) const {
  return static_cast<std::size_t>(
      std::count_if(findings.begin(), findings.end(),
                    [&](const Finding& one) { return one.verdict == verdict; }));
}

Report examine(const Subject& subject) {
  const double begun = now();
  Report report{subject.name(), subject.part.plugin, {}, 0};
  report.findings = Examination(subject).all();
  report.seconds = now() - begun;
  return report;
}

}  // namespace paribus::check
