// SPDX-License-Identifier: Apache-2.0
#include "sync_command.h"

#include <fmt/core.h>

#include <algorithm>
#include <memory>

#include "driver/check.h"
#include "driver/directory.h"
#include "driver/interrupt.h"
#include "driver/uplink.h"
#include "study_reader.h"
#include "table.h"

namespace paribus {
namespace {

namespace fs = std::filesystem;

constexpr double kWait = 3600;  // s: whoever asks for it has the time

struct Options {
  std::string dir;
  std::vector<std::string> names;
  double wait = kWait;
  bool again = false, as_json = false;
};

/// Those that were named, or all.
std::vector<uplink::TrackerRequest> chosen(std::vector<uplink::TrackerRequest> trackers,
                                           const Options& options) {
  for (const std::string& name : options.names) {
    const bool known = std::any_of(trackers.begin(), trackers.end(),
                                   [&](const auto& one) { return one.name() == name; });
    if (!known) throw Error(fmt::format("{} has no tracker '{}'", options.dir, name));
  }
  if (options.names.empty()) return trackers;
  std::erase_if(trackers, [&](const uplink::TrackerRequest& one) {
    return std::find(options.names.begin(), options.names.end(), one.name()) == options.names.end();
  });
  return trackers;
}

int sync(const Options& options) {
  const fs::path study = fs::path(options.dir) / driver::StudyDirectory::kStudyFile;
  if (!fs::exists(study)) {
    throw Error(fmt::format("{} is no study's directory: it has no {}", options.dir,
                            driver::StudyDirectory::kStudyFile));
  }
  driver::watch_interrupts();
  driver::Engine engine;
  const driver::CheckedStudy checked = driver::read_study(study, {}, engine);
  const auto trackers = chosen(driver::trackers_of(checked, engine), options);
  if (trackers.empty())
    throw Error(fmt::format("{} has no [[tracker]]; add one, and sync again", study.string()));
  const fs::path dir = fs::absolute(options.dir).lexically_normal();
  driver::UplinkProcess process({dir, options.wait, options.again, trackers});
  const std::vector<uplink::Status> statuses = process.finish();
  if (options.as_json) {
    nlohmann::json list = nlohmann::json::array();
    for (const uplink::Status& one : statuses) list.push_back(to_json(one));
    print_json({{"trackers", std::move(list)}});
  } else {
    print_trackers(statuses, stdout);
  }
  if (driver::interrupts() > 0) return 130;
  return std::any_of(statuses.begin(), statuses.end(),
                     [](const uplink::Status& one) { return one.is_behind(); })
             ? 1
             : 0;
}

}  // namespace

void print_trackers(const std::vector<uplink::Status>& trackers, std::FILE* out) {
  for (const uplink::Status& one : trackers)
    fmt::print(out, "tracker {}: {}\n", one.name, safe_text(uplink::in_words(one)));
}

void print_trackers_behind(const std::vector<uplink::Status>& trackers, const fs::path& dir) {
  bool some = false;
  for (const uplink::Status& one : trackers) {
    if (!one.is_behind()) continue;
    some = some || one.state != "incomplete";
    fmt::print(stderr, "tracker {}: {}\n", one.name, safe_text(uplink::in_words(one)));
  }
  if (some)
    fmt::print(stderr, "nothing is lost: paribus sync {} delivers the rest\n", dir.string());
}

void add_sync_command(CLI::App& app, int& exit_status) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("sync", "bring trackers what they don't have yet");
  command->add_option("DIR", options->dir, "a study's directory")->required()->type_name("");
  command->add_option("--tracker", options->names, "only this one; may be given again")
      ->allow_extra_args(false)
      ->type_name("NAME");
  command->add_option("--wait", options->wait, "give up after so many seconds (default: an hour)")
      ->check(CLI::Range(0.0, 1e6))
      ->type_name("SECONDS");
  command->add_flag("--again", options->again,
                    "as if nothing had been delivered: for a tracker that lost what it had");
  command->add_flag("--json", options->as_json, "for programs");
  command->callback(
      [options, &exit_status] { exit_status = guarded([&] { return sync(*options); }); });
}

}  // namespace paribus
