// SPDX-License-Identifier: Apache-2.0
#include "zygote.h"

#include <ATen/Context.h>
#include <ATen/Version.h>
#include <signal.h>
#include <sys/wait.h>
#include <torch/version.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>

#include "beating.h"
#include "confine.h"
#include "crash.h"
#include "forked.h"
#include "paribus/abi.h"
#include "paribus/error.h"
#include "paribus/search.h"
#include "prefixes.h"
#include "problems.h"
#include "results/study_record.h"
#include "results/trial_log.h"
#include "search_json.h"
#include "show.h"
#include "show_results.h"
#include "strays.h"
#include "study/spec_json.h"
#include "trial.h"
#include "trial_process.h"
#include "warm_up.h"

namespace paribus::worker {

using nlohmann::json;

namespace {

constexpr int kLongestLoad = 20;  // s, for all plugins of a study together

}  // namespace

json Zygote::answer(const json& request) {
  const std::string op = request.at("op");
  if (op == "hello") return hello();
  if (op == "confine") return confine(request);
  if (op == "load") return load(request);
  if (op == "inspect") return inspect(request);
  if (op == "search") return search(request);
  if (op == "search_open") return open_search(request);
  if (op == "search_next") return next_of_search(request);
  if (op == "search_close") return close_search(request);
  if (op == "prefixes") return run_forked([&] { return prefixes(request, loader_); });
  if (op == "open") return open(request);
  if (op == "start") return start(request);
  if (op == "stop") return stop(request);
  if (op == "lr_find") return find_rate(request);
  if (op == "show_data")
    return run_forked([&] { return worker::show_data(request, dataset(request), loader_); });
  if (op == "show_results")
    return run_forked([&] { return worker::show_results(request, dataset(request), loader_); });
  return refusal("the worker knows no request '" + op + "'");
}

json Zygote::hello() const {
  json devices = json::array({"cpu"});
  if (at::hasCUDA()) devices.push_back("cuda");
  return {{"ok", true},
          {"libtorch", TORCH_VERSION},
          {"abi", PARIBUS_ABI},
          {"cpu_capability", at::get_cpu_capability()},
          {"cores", ::sysconf(_SC_NPROCESSORS_ONLN)},
          {"devices", devices}};
}

json Zygote::confine(const json& request) {
  std::vector<std::filesystem::path> folders;
  for (const json& folder : request.at("folders")) folders.emplace_back(folder.get<std::string>());
  try {
    worker::confine(folders);
  } catch (const Error& problem) {
    return {
        {"ok", false},
        {"problems", json::array({{{"address", "study.confine"}, {"message", problem.what()}}})}};
  }
  confined_ = true;
  return {{"ok", true}};
}

json Zygote::load(const json& request) {
  const json& plugins = request.at("plugins");
  warm_up();
  const json tried = run_forked(
      [&] {
        load_plugins(plugins);
        return json{{"ok", true}};
      },
      kLongestLoad);
  if (!tried.value("ok", false)) return tried;
  load_plugins(plugins);
  for (const json& plugin : plugins) loader_.prepare(plugin.at("path").get<std::string>());
  plugins_.insert(plugins_.end(), plugins.begin(), plugins.end());
  return tried;
}

void Zygote::load_plugins(const json& plugins) {
  for (const json& plugin : plugins) {
    const std::string file = plugin.at("path");
    now_trying(file);
    blame_in_crashes(loader_.load_file(file, plugin.at("sha256"), plugin.value("sealed", false)),
                     file);
    for (const json& part : plugin.at("parts")) {
      registry::PartSchema schema;
      schema.kind = part.at("kind"), schema.name = part.at("name"),
      schema.symbol = part.at("symbol");
      schema.plugin = file;
      if (const auto made_from = part.find("made_from"); made_from != part.end())
        loader_.make(schema, made_from->dump());
      else
        loader_.load(schema);
    }
  }
}

const Dataset& Zygote::dataset(const json& request) {
  const PartSpec spec = trial_spec_from_json(request.at("spec")).dataset;
  auto& instance = datasets_[to_json(spec).dump() + request.at("files").dump()];
  if (!instance) {
    auto made = std::make_unique<Instance>(spec, loader_);
    Files files;
    for (const auto& [name, path] : request.at("files").items()) files[name] = path;
    made->as<Dataset>().open(files);
    instance = std::move(made);
  }
  return instance->as<Dataset>();
}

/// All that is wrong: after each problem the trial is tried again without what it was about.
json Zygote::inspect(const json& request) {
  json left = request, problems = json::array();
  TrialSpec spec = trial_spec_from_json(request.at("spec"));
  while (true) {
    const json reply = run_forked([&] {
      try {
        return worker::inspect(left, dataset(left), loader_);
      } catch (const Error& problem) {
        return refusal(with_address(spec, problem.what()));
      }
    });
    if (reply.value("ok", false)) {
      return problems.empty() ? reply : json{{"ok", false}, {"problems", problems}};
    }
    problems.insert(problems.end(), reply.at("problems").begin(), reply.at("problems").end());
    if (!leave_out(spec, problems.back().at("address")))
      return json{{"ok", false}, {"problems", problems}};
    left["spec"] = to_json(spec);
  }
}

json Zygote::find_rate(const json& request) {
  return run_forked([&] { return worker::find_rate(request, dataset(request), loader_); });
}

json Zygote::search(const json& request) {
  return run_forked([&] {
    const Instance instance(part_spec_from_json(request.at("part")), loader_);
    const std::vector<Axis> axes = axes_from(request.at("axes"));
    const Stream stream(request.at("seed").get<std::uint64_t>(), "search");
    json points = json::array();
    for (const Point& point : instance.as<Search>().propose(axes, stream)) {
      points.push_back(to_json(point));
    }
    return json{{"ok", true}, {"points", std::move(points)}};
  });
}

json Zygote::open_search(const json& request) {
  json opened;
  auto session = std::make_unique<SearchSession>(request, loader_, opened);
  if (!opened.value("ok", false)) return opened;
  opened["session"] = ++last_session_;
  sessions_[last_session_] = std::move(session);
  return opened;
}

json Zygote::next_of_search(const json& request) {
  const auto session = sessions_.find(request.at("session"));
  if (session == sessions_.end()) return refusal("there is no such search");
  return session->second->next(request);
}

json Zygote::close_search(const json& request) {
  sessions_.erase(request.at("session").get<int>());
  return {{"ok", true}};
}

json Zygote::open(const json& request) {
  static_cast<void>(dataset(request));
  return {{"ok", true}};
}

json Zygote::start(const json& request) {
  const std::string id = request.at("trial");
  const int slot = request.at("slot");
  if (slot < 0 || slot >= driver::kProgressSlots)
    return refusal("no progress slot " + std::to_string(slot));
  const std::filesystem::path dir = request.at("dir").get<std::string>();
  const auto log = results::trial_log_path(dir, id);
  const Dataset& data = dataset(request);
  // A fork has only the thread that forks: what others held locked stays locked in it.
  const bool fresh = request.value("isolate", "") == "exec" || threads_here() > 1;
  const std::function<void()> confine = [&] {
    if (confined_) confine_trial(dir, id);
  };
  const pid_t child = fresh
                          ? spawn_trial(log, {{"request", request}, {"plugins", plugins_}}, confine)
                          : fork_trial(log, confine, [&] {
                              tell_of_crashes(slots_[slot].distress);
                              return run(request, data);
                            });
  watch_.started(child, id, slots_[slot], limits_from(request), log, results::stack_path(dir, id));
  return {{"ok", true}, {"pid", child}, {"isolate", fresh ? "exec" : "fork"}};
}

/// In the trial's own process, however it came to be.
int Zygote::run(const json& request, const Dataset& data) {
  driver::ProgressSlot& slot = slots_[request.at("slot").get<int>()];
  limit_memory(limits_from(request).memory, slot.distress);
  const BeatingDataset beating(data, slot);
  int code = kFailed;
  try {
    code = run_trial(request, beating, loader_, slot);
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "%s\n", problem.what());
  }
  slot.distress.ended = true;
  return code;
}

int Zygote::run_fresh(const json& order) {
  const json& request = order.at("request");
  driver::Distress& distress = slots_[request.at("slot").get<int>()].distress;
  tell_of_crashes(distress);
  try {
    load_plugins(order.at("plugins"));
    return run(request, dataset(request));
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "%s\n", problem.what());
    distress.ended = true;
    return kFailed;
  }
}

json Zygote::stop(const json& request) {
  for (const pid_t pid : watch_.pids_of(request.at("trial"))) ::kill(pid, SIGTERM);
  return {{"ok", true}};
}

json Zygote::ended() {
  for (const pid_t pid : watch_.pids()) {
    int status = 0;
    if (::waitpid(pid, &status, WNOHANG) != pid) continue;
    has_strays_ = true;
    return watch_.ended(pid, status);
  }
  if (has_strays_) has_strays_ = kill_strays([this](pid_t child) { return watch_.has(child); });
  return nullptr;
}

void Zygote::kill_all() { kill_all_below(); }

}  // namespace paribus::worker
