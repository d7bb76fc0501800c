// SPDX-License-Identifier: Apache-2.0
#include "examine.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <malloc.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "paribus/checkpoint.h"
#include "paribus/trainer.h"
#include "registry/loader/loader.h"
#include "study/spec_json.h"
#include "warm_up.h"

namespace paribus::worker {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

/// Names of all threads of this process but the first.
json threads_now() {
  json names = json::array();
  const std::string own = std::to_string(::getpid());
  for (const auto& task : fs::directory_iterator("/proc/self/task")) {
    std::string name;
    std::getline(std::ifstream(task.path() / "comm") >> std::ws, name);
    if (task.path().filename() != own) names.push_back(name);
  }
  return names;
}

std::int64_t bytes_in_use() {
  const auto info = ::mallinfo2();  // of all arenas
  return static_cast<std::int64_t>(info.uordblks + info.hblkhd);
}

/// Parts from plugins, with an eye on those under test: `made` has each one that lives or lived.
class Watching final : public PartFactory {
 public:
  Watching(const PartFactory& real, std::string kind, std::string name)
      : real_(real), kind_(std::move(kind)), name_(std::move(name)) {}

  [[nodiscard]] const PartDescriptor& descriptor(const std::string& kind,
                                                 const std::string& name) const override {
    const PartDescriptor& found = real_.descriptor(kind, name);
    if (kind != kind_ || name != name_) return found;
    create = found.create;
    watched_ = found;
    watched_.create = [] { return made.emplace_back(create()); };
    return watched_;
  }

  [[nodiscard]] const std::string& kind() const { return kind_; }
  [[nodiscard]] const PartFactory& real() const { return real_; }

  static inline PartBase* (*create)() = nullptr;
  static inline std::vector<PartBase*> made;

 private:
  const PartFactory& real_;
  const std::string kind_, name_;
  mutable PartDescriptor watched_{};
};

const PartSpec* find(const PartSpec& spec, const std::string& address) {
  if (spec.address == address) return &spec;
  for (const auto& [name, inner] : spec.slots) {
    if (const PartSpec* found = find(inner, address)) return found;
  }
  return nullptr;
}

const PartSpec* find(const TrialSpec& spec, const std::string& address) {
  for (const PartSpec* part : {&spec.model, &spec.loss, &spec.optimizer}) {
    if (const PartSpec* found = find(*part, address)) return found;
  }
  for (const auto* parts : {&spec.metrics, &spec.callbacks}) {
    for (const PartSpec& part : *parts) {
      if (const PartSpec* found = find(part, address)) return found;
    }
  }
  return nullptr;
}

NamedTensors saved(PartBase& part) {
  NamedTensors tensors;
  SaveState state(tensors, "");
  part.state(state);
  for (auto& [name, tensor] : tensors) tensor = tensor.detach().clone();
  return tensors;
}

bool same_bits(const at::Tensor& one, const at::Tensor& other) {
  if (one.sizes() != other.sizes() || one.scalar_type() != other.scalar_type()) return false;
  const at::Tensor a = one.cpu().contiguous(), b = other.cpu().contiguous();
  return std::memcmp(a.const_data_ptr(), b.const_data_ptr(), a.nbytes()) == 0;
}

std::string difference(const NamedTensors& one, const NamedTensors& other) {
  for (std::size_t i = 0; i < one.size(); ++i) {
    if (i >= other.size() || other[i].first != one[i].first)
      return "'" + one[i].first + "' isn't saved by a part that has loaded it";
    if (!same_bits(one[i].second, other[i].second))
      return "'" + one[i].first + "' has other bits after it was saved and loaded";
  }
  return one.size() == other.size() ? "" : "'" + other[one.size()].first + "' comes from nowhere";
}

/// What each instance keeps, put into a fresh one and saved from there again.
json round_trip(const TrialSpec& spec, const Watching& factory) {
  json result{{"instances", 0}, {"things", 0}, {"problem", ""}};
  const std::string& kind = factory.kind();
  if (kind == "transform" || kind == "schedule" || kind == "dataset") return result;  // have none
  for (PartBase* part : factory.made) {
    const PartSpec* own = find(spec, part->address());
    if (own == nullptr) continue;
    const NamedTensors before = saved(*part);
    result["instances"] = result["instances"].get<int>() + 1;
    result["things"] = result["things"].get<std::size_t>() + before.size();
    const Instance fresh(*own, factory.real());
    const TensorMap map(before.begin(), before.end());
    LoadState state(map, "");
    try {
      fresh.part().state(state);
      result["problem"] = difference(before, saved(fresh.part()));
    } catch (const std::exception& problem) {
      result["problem"] = problem.what();
    }
    if (!result["problem"].get<std::string>().empty()) break;
  }
  return result;
}

/// Keeps nothing; ends the training when it has seen enough.
class Examiner final : public Recorder {
 public:
  Examiner(const TrialSpec& spec, const Watching& factory, const json& request)
      : spec_(spec),
        factory_(factory),
        steps_(request.at("steps")),
        end_(std::chrono::steady_clock::now() +
             std::chrono::milliseconds(request.at("seconds").get<std::int64_t>() * 1000)) {
    bytes_.reserve(static_cast<std::size_t>(steps_));  // looking must not add to what is seen
  }

  void point(std::string_view, std::int64_t, double) override {}
  void message(std::string_view) override {}
  void flush() override {}
  void resumed(std::int64_t) override {}
  void checkpointed(std::int64_t, const std::string&) override {}
  [[nodiscard]] bool wants_fingerprints(std::int64_t) const override { return false; }
  Wish progress(std::int64_t step, std::int64_t, std::int64_t, double) override {
    constexpr std::int64_t kWarm = 40, kPeriod = 20;
    if (step == kWarm) report_["state"] = round_trip(spec_, factory_);
    if (step > kWarm && step % kPeriod == 0) bytes_.emplace_back(step, bytes_in_use());
    const bool late = std::chrono::steady_clock::now() > end_;
    return step >= steps_ || late ? Wish::stop : Wish::go_on;
  }

  [[nodiscard]] json report() {
    report_["bytes"] = bytes_;
    return report_;
  }

 private:
  json report_ = json::object();
  std::vector<std::pair<std::int64_t, std::int64_t>> bytes_;
  const TrialSpec& spec_;
  const Watching& factory_;
  const std::int64_t steps_;
  const std::chrono::steady_clock::time_point end_;
};

void load(registry::Loader& loader, const json& plugins) {
  for (const json& plugin : plugins) {
    for (const json& part : plugin.at("parts")) {
      registry::PartSchema schema;
      schema.kind = part.at("kind"), schema.name = part.at("name"),
      schema.symbol = part.at("symbol");
      schema.plugin = plugin.at("path").get<std::string>();
      loader.load(schema);
    }
  }
}

json examined(const json& request) {
  at::set_num_threads(1);
  warm_up();
  const json threads_before = threads_now();
  registry::Loader loader;
  load(loader, request.at("plugins"));
  const json threads_loaded = threads_now();

  const TrialSpec spec = trial_spec_from_json(request.at("spec"));
  Instance dataset(spec.dataset, loader);
  Files files;
  for (const auto& [name, path] : request.at("files").items()) files[name] = path;
  dataset.as<Dataset>().open(files);
  const json& part = request.at("part");
  const Watching factory(loader, part.at("kind"), part.at("name"));
  Examiner examiner(spec, factory, request);
  {
    Trainer trainer(spec, dataset.as<Dataset>(), factory, examiner, {});
    trainer.fit();
  }
  json report = examiner.report();
  report["threads"] = {threads_before, threads_loaded, threads_now()};
  report["devices"] = {"cpu"};
  if (at::hasCUDA()) report["devices"].push_back("cuda");
  return report;
}

}  // namespace

int examine(const fs::path& request, const fs::path& reply) {
  json report;
  try {
    report = examined(json::parse(std::ifstream(request)));
  } catch (const std::exception& problem) {
    report = {{"problem", problem.what()}};
  }
  std::ofstream(reply) << report.dump(-1, ' ', false, json::error_handler_t::replace) << std::flush;
  std::fflush(nullptr);
  ::_exit(0);  // what the plugin left behind must not get in the way
}

}  // namespace paribus::worker
