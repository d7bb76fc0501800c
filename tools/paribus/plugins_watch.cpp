// SPDX-License-Identifier: Apache-2.0
#include "plugins_watch.h"

#include <fmt/core.h>
#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>

#include "driver/handle.h"
#include "driver/interrupt.h"
#include "driver/run.h"
#include "live.h"
#include "paribus/error.h"
#include "plugins_build.h"
#include "registry/elf.h"
#include "registry/manifest.h"
#include "results/study_record.h"
#include "study/spec_json.h"

namespace paribus {
namespace {

namespace fs = std::filesystem;

/// Tells when a file of a folder has been saved, in whichever way editors do.
class Saves {
 public:
  explicit Saves(const fs::path& folder) : watch_(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {
    if (watch_.get() < 0 ||
        ::inotify_add_watch(watch_.get(), folder.c_str(), IN_CLOSE_WRITE | IN_MOVED_TO) < 0)
      throw Error(
          fmt::format("plugins watch: can't watch {}: {}", folder.string(), std::strerror(errno)));
  }

  /// The name of one that was saved; empty when the person wants to end. Several saves at once, as
  /// of a formatter, are one.
  std::string next() {
    constexpr int kSettle = 80;  // ms
    std::string saved;
    while (driver::interrupts() == 0) {
      pollfd wait{watch_.get(), POLLIN, 0};
      const int ready = ::poll(&wait, 1, saved.empty() ? 500 : kSettle);
      if (ready == 0 && !saved.empty()) return saved;
      if (ready > 0) read(saved);
    }
    return "";
  }

 private:
  void read(std::string& saved) {
    alignas(inotify_event) std::array<char, 8192> buffer{};
    const ssize_t size = ::read(watch_.get(), buffer.data(), buffer.size());
    for (ssize_t at = 0; at < size;) {
      const auto* event = reinterpret_cast<const inotify_event*>(buffer.data() + at);
      const std::string name = event->len > 0 ? event->name : "";
      if (is_ours(name)) saved = name;
      at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
    }
  }

  /// And not what editors keep beside it.
  static bool is_ours(const std::string& name) {
    const std::string suffix = fs::path(name).extension().string();
    return !name.starts_with('.') &&
           (name == "CMakeLists.txt" || suffix == ".cpp" || suffix == ".h" || suffix == ".toml");
  }

  driver::Handle watch_;
};

/// The first trial in which a part of these plugins stands, else the first: the study holds no
/// other from now on.
void keep_one(driver::CheckedStudy& checked, const std::vector<fs::path>& plugins) {
  std::set<driver::PartName> ours;
  for (const fs::path& plugin : plugins) {
    for (const auto& part : registry::parse_manifests(registry::read_section(plugin).text))
      ours.emplace(part.kind, part.name);
  }
  const auto uses = [&](const driver::Trial& trial) {
    const auto parts = driver::parts_of(trial_spec_from_json(trial.spec()));
    return std::any_of(parts.begin(), parts.end(),
                       [&](const auto& one) { return ours.contains(one); });
  };
  auto found = std::find_if(checked.trials.begin(), checked.trials.end(), uses);
  if (found == checked.trials.end()) found = checked.trials.begin();
  checked.trials = {driver::Trial(*found)};
  checked.shared.clear();
  checked.study.adaptive = nullptr;
  checked.study.until_decided = false;
}

void print_last_lines(const fs::path& log) {
  std::vector<std::string> lines;
  std::ifstream in(log);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  constexpr std::size_t kMost = 10;
  for (std::size_t i = lines.size() - std::min(lines.size(), kMost); i < lines.size(); ++i)
    fmt::print("  {}\n", lines[i]);
}

void tell(const driver::StudyDirectory& directory, const driver::Trial& trial) {
  for (const results::Trial& one : results::read_study(directory.path()).trials) {
    if (one.id != trial.id) continue;
    std::string text;
    for (const auto& [metric, value] : one.last) text += fmt::format(", {} {:.5g}", metric, value);
    fmt::print("trained     {:6.1f} s  {}: {}{}\n", one.seconds.value_or(0), trial.label(),
               results::to_text(one.status), text);
    if (!one.message.empty()) fmt::print("  {}\n", one.message);
  }
  print_last_lines(directory.log(trial.id));
  std::fflush(stdout);
}

/// With a worker of its own each time: the plugin is another one now.
void train(const fs::path& project, const std::vector<fs::path>& plugins) {
  const auto display = make_display(true);
  driver::Engine engine;
  driver::CheckedStudy checked = driver::check_study(project / "study.toml", {}, engine, *display);
  keep_one(checked, plugins);
  const fs::path runs = project / "build" / "watch";
  fs::remove_all(runs);
  const driver::StudyDirectory directory(runs);
  const driver::Trial trial = checked.trials.front();
  driver::run_study(checked, directory, engine, *display, {.at_once = 1});
  tell(directory, trial);
}

void round(const fs::path& project) {
  try {
    const std::vector<fs::path> plugins = compile_plugins(project);
    if (!plugins.empty() && driver::interrupts() == 0) train(project, plugins);
  } catch (const driver::Interrupted&) {
  } catch (const Error& problem) {  // of a half-written file: the next save mends it
    fmt::print(stderr, "{}\n", problem.what());
  }
  std::fflush(stdout);
}

int watch(const fs::path& project) {
  driver::watch_interrupts();
  try {
    if (!fs::exists(project / "study.toml"))
      throw Error(fmt::format("plugins watch: {} holds no study.toml to train", project.string()));
    Saves saves(project);
    round(project);
    while (driver::interrupts() == 0) {
      fmt::print(stderr, "watching {}; Ctrl-C ends it\n", project.string());
      const std::string name = saves.next();
      if (name.empty()) break;
      fmt::print("\n{} was saved\n", name);
      round(project);
    }
    return 0;
  } catch (const Error& problem) {
    fmt::print(stderr, "paribus: {}\n", problem.what());
    return 2;
  }
}

}  // namespace

void add_plugins_watch_command(CLI::App& plugins, int& exit_status) {
  CLI::App* command = plugins.add_subcommand(
      "watch", "build whenever a file is saved, and train the study's first trial");
  const auto project = std::make_shared<fs::path>();
  command->add_option("DIR", *project, "the folder, e.g. of `plugins new`")
      ->required()
      ->type_name("");
  command->callback([project, &exit_status] { exit_status = watch(*project); });
}

}  // namespace paribus
