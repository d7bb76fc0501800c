// SPDX-License-Identifier: Apache-2.0
#include "zygote.h"

#include <ATen/Context.h>
#include <ATen/Version.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <torch/version.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>

#include "forked.h"
#include "paribus/abi.h"
#include "paribus/error.h"
#include "paribus/search.h"
#include "prefixes.h"
#include "problems.h"
#include "search_json.h"
#include "study/spec_json.h"
#include "trial.h"
#include "warm_up.h"

namespace paribus::worker {
namespace {

using nlohmann::json;

/// In the child: its output goes to the trial's own log.
void redirect_output(const std::filesystem::path& file) {
  std::filesystem::create_directories(file.parent_path());
  const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (fd < 0) return;
  ::dup2(fd, STDOUT_FILENO);
  ::dup2(fd, STDERR_FILENO);
}

}  // namespace

json Zygote::answer(const json& request) {
  const std::string op = request.at("op");
  if (op == "hello") return hello();
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

json Zygote::load(const json& request) {
  const auto load_all = [&](registry::Loader& loader) {
    for (const json& plugin : request.at("plugins")) {
      for (const json& part : plugin.at("parts")) {
        registry::PartSchema schema;
        schema.kind = part.at("kind"), schema.name = part.at("name"),
        schema.symbol = part.at("symbol");
        schema.plugin = plugin.at("path").get<std::string>();
        loader.load(schema);
      }
    }
    return json{{"ok", true}};
  };
  warm_up();
  const json tried = run_forked([&] { return load_all(loader_); });
  return tried.value("ok", false) ? load_all(loader_) : tried;
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
  const Dataset& data = dataset(request);
  const int parent = ::getpid();
  const pid_t child = ::fork();
  if (child < 0) return refusal(std::string("can't fork: ") + std::strerror(errno));
  if (child == 0) {
    die_with_parent(parent);
    ::close(driver::kSocketFd);
    ::signal(SIGINT, SIG_IGN);  // the driver decides, once, for all
    redirect_output(std::filesystem::path(request.at("dir").get<std::string>()) / "logs" /
                    (id + ".txt"));
    int code = kFailed;
    try {
      code = run_trial(request, data, loader_, slots_[slot]);
    } catch (const std::exception& problem) {
      std::fprintf(stderr, "%s\n", problem.what());
    }
    std::fflush(nullptr);
    ::_exit(code);
  }
  trials_[child] = id;
  return {{"ok", true}, {"pid", child}};
}

json Zygote::stop(const json& request) {
  for (const auto& [pid, id] : trials_) {
    if (id == request.at("trial")) ::kill(pid, SIGTERM);
  }
  return {{"ok", true}};
}

json Zygote::ended() {
  for (const auto& [pid, id] : trials_) {
    int status = 0;
    if (::waitpid(pid, &status, WNOHANG) != pid) continue;
    json event{{"event", "exit"},
               {"trial", id},
               {"pid", pid},
               {"code", WIFEXITED(status) ? WEXITSTATUS(status) : 0},
               {"signal", WIFSIGNALED(status) ? WTERMSIG(status) : 0}};
    trials_.erase(pid);
    return event;
  }
  return nullptr;
}

void Zygote::kill_all() {
  for (const auto& [pid, id] : trials_) ::kill(pid, SIGKILL);
}

}  // namespace paribus::worker
