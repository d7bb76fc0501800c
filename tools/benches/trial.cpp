// SPDX-License-Identifier: Apache-2.0
// Trials that do next to nothing, through the worker's zygote: one batch, one step, one validation,
// a journal and final weights on disk. What is measured starts with the request and ends when the
// driver hears of the trial's end, by when its record has been synced.
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <sstream>

#include "driver/board.h"
#include "driver/worker.h"
#include "journal/journal.h"
#include "registry/catalog.h"
#include "side.h"
#include "study/spec_json.h"

namespace paribus::bench {
namespace {

using nlohmann::json;

PartSpec part(const std::string& kind, const std::string& use,
              std::map<std::string, Value> params = {}) {
  return {kind, use, kind == "dataset" ? "data" : kind, std::move(params), {}};
}

TrialSpec smallest_trial() {
  TrialSpec spec;
  spec.dataset =
      part("dataset", "glyphs", {{"items", std::int64_t{64}}, {"valid_items", std::int64_t{64}}});
  spec.transforms = {part("transform", "normalize")};
  spec.transforms.front().address = "data.transforms.normalize";
  spec.model = part("model", "mlp");
  spec.loss = part("loss", "cross_entropy");
  spec.optimizer = part("optimizer", "sgd");
  spec.metrics = {part("metric", "accuracy")};
  spec.metrics.front().address = "metric.accuracy";
  spec.train.epochs = 1;
  spec.train.device = "cpu";
  spec.train.precision = "fp32";
  spec.train.memory_format = "contiguous";
  return spec;
}

class Trials {
 public:
  Trials() : worker_(kProgram, board_.fd()) {
    const auto catalog = registry::Catalog::scan({PARIBUS_PLUGIN_DIR});
    json plugins = json::array();
    for (const auto& [kind, name] : std::map<std::string, std::string>{{"dataset", "glyphs"},
                                                                       {"transform", "normalize"},
                                                                       {"model", "mlp"},
                                                                       {"loss", "cross_entropy"},
                                                                       {"optimizer", "sgd"},
                                                                       {"metric", "accuracy"}}) {
      const auto* schema = catalog.find(kind, name);
      if (schema == nullptr)
        throw Error("no part " + kind + "/" + name + " in " PARIBUS_PLUGIN_DIR);
      plugins.push_back(
          {{"path", schema->plugin.string()},
           {"parts", json::array({{{"kind", kind}, {"name", name}, {"symbol", schema->symbol}}})}});
    }
    worker_.call("load", {{"plugins", plugins}});
    worker_.call("open", {{"spec", spec_}, {"files", json::object()}});
    facts_ = worker_.call("inspect", {{"spec", spec_}, {"files", json::object()}}).at("facts");
    std::filesystem::create_directories(folder_.path() / "journal");
  }

  /// Up to `at_once` trials side by side; seconds for each trial.
  json run(std::int64_t count, std::int64_t at_once) {
    std::vector<std::string> ids;
    std::int64_t started = 0, ended = 0;
    const double cpu_before = cpu_of_trials();
    const Clock clock;
    while (ended < count) {
      for (; started < count && started - ended < at_once; ++started) {
        ids.push_back(std::to_string(number_++));
        start(ids.back(), static_cast<int>(started % at_once));
      }
      const auto event = worker_.next_event(10'000);
      if (!event) throw Error("a trial took more than 10 s");
      if (event->at("code") != 0 || event->at("signal") != 0)
        throw Error("a trial failed: " + event->dump());
      ++ended;
    }
    const double seconds = clock.seconds();
    const double cpu = (cpu_of_trials() - cpu_before) / static_cast<double>(count);
    bool recorded = true;
    for (const std::string& id : ids) recorded = recorded && is_recorded(id);
    return {
        {"seconds", seconds / static_cast<double>(count)}, {"cpu", cpu}, {"recorded", recorded}};
  }

 private:
  void start(const std::string& id, int slot) {
    worker_.call("start", {{"trial", id},
                           {"arm", "base"},
                           {"dir", folder_.path().string()},
                           {"spec", spec_},
                           {"facts", facts_},
                           {"files", json::object()},
                           {"metric", "valid.accuracy"},
                           {"slot", slot}});
  }

  /// CPU seconds of all trials that the worker has reaped.
  [[nodiscard]] double cpu_of_trials() const {
    std::ifstream file("/proc/" + std::to_string(worker_.pid()) + "/stat");
    std::string text((std::istreambuf_iterator<char>(file)), {});
    std::istringstream words(text.substr(text.rfind(')') + 2));
    std::vector<std::string> fields{std::istream_iterator<std::string>(words), {}};
    const double ticks = std::stod(fields.at(13)) + std::stod(fields.at(14));
    return ticks / static_cast<double>(::sysconf(_SC_CLK_TCK));
  }

  [[nodiscard]] bool is_recorded(const std::string& id) const {
    const auto record = journal::read(folder_.path() / "journal" / (id + ".log"));
    const json* end = record.last("end");
    return end != nullptr && end->at("status") == "done" && end->at("steps") == 1 &&
           record.find("valid.accuracy") != nullptr;
  }

  static constexpr const char* kProgram = PARIBUS_WORKER_PROGRAM;
  const Folder folder_;
  const json spec_ = to_json(smallest_trial());
  driver::ProgressBoard board_;
  driver::Worker worker_;
  json facts_;
  std::int64_t number_ = 0;
};

}  // namespace
}  // namespace paribus::bench

int main() try {
  using namespace paribus::bench;
  Trials trials;
  return serve({{"one_by_one", [&](std::int64_t count) { return trials.run(count, 1); }},
                {"two_at_once", [&](std::int64_t count) { return trials.run(count, 2); }}});
} catch (const std::exception& problem) {
  std::fprintf(stderr, "bench_trial: %s\n", problem.what());
  return 1;
}
