// SPDX-License-Identifier: Apache-2.0
#include "show_results_command.h"

#include <fmt/core.h>

#include <algorithm>
#include <memory>

#include "driver/interrupt.h"
#include "driver/verify.h"
#include "live.h"
#include "picture.h"
#include "registry/sha256.h"
#include "study_reader.h"
#include "table.h"

namespace paribus {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

struct Request {
  std::string directory, trial, what = "items";
  std::int64_t items = 24;
  bool as_json = false;
  Picture picture;
};

constexpr std::size_t kMostPairs = 8;  // of the most confused

/// The weights that the record speaks of. Throws Error where they are others, or gone.
fs::path weights_of(const results::StudyRecord& study, const std::string& id) {
  const fs::path file = study.dir / "checkpoints" / id / "final.safetensors";
  if (!fs::exists(file))
    throw Error(
        fmt::format("{}: is not there; what was trained can't be shown without it", file.string()));
  for (const results::Trial& trial : study.trials) {
    if (trial.id == id && registry::sha256_of_file(file) != trial.weights_sha256)
      throw Error(
          fmt::format("{}: is not what trial {} ended with: its SHA-256 isn't the recorded {}",
                      file.string(), id, trial.weights_sha256));
  }
  return file;
}

/// The trial that was asked for, or the first that is done.
std::vector<std::string> wanted(const Request& request) {
  if (!request.trial.empty()) return {request.trial};
  const results::StudyRecord study = read_study_aloud(request.directory);
  for (const results::Trial& trial : study.trials) {
    if (trial.status == results::Status::done) return {trial.id};
  }
  throw Error(request.directory + ": no trial is done; there is nothing to show");
}

struct Pair {
  std::int64_t count = 0;
  std::size_t is = 0, taken = 0;
};

std::string class_name(const json& names, std::size_t number) {
  return number < names.size() ? names[number].get<std::string>() : fmt::format("{}", number);
}

void print_confused(const json& reply) {
  const json& matrix = reply.at("confusion");
  if (!matrix.is_array()) return;
  std::vector<Pair> pairs;
  std::int64_t right = 0, all = 0;
  for (std::size_t i = 0; i < matrix.size(); ++i) {
    for (std::size_t j = 0; j < matrix[i].size(); ++j) {
      const std::int64_t count = matrix[i][j];
      all += count;
      if (i == j)
        right += count;
      else if (count > 0)
        pairs.push_back({count, i, j});
    }
  }
  std::stable_sort(pairs.begin(), pairs.end(),
                   [](const Pair& a, const Pair& b) { return a.count > b.count; });
  const json& names = reply.at("class_names");
  fmt::print("{}: {} of {} validation items right\n",
             safe_text(reply.at("label").get<std::string>()), right, all);
  if (pairs.empty()) return;
  TextTable table;
  table.add_column("is");
  table.add_column("taken for");
  table.add_column("items", TextTable::Align::right);
  for (std::size_t i = 0; i < std::min(pairs.size(), kMostPairs); ++i)
    table.add_row({class_name(names, pairs[i].is), class_name(names, pairs[i].taken),
                   fmt::format("{}", pairs[i].count)});
  table.print(stdout);
}

json ask(const Request& request) {
  driver::watch_interrupts();
  const auto display = make_display(/*quiet=*/true);
  driver::Engine engine;
  const driver::Verification recorded(request.directory, wanted(request), 1, engine, *display);
  display->finish();
  for (const driver::Change& change : recorded.changes())
    fmt::print(stderr, "{} has changed since the record\n", safe_text(change.what));
  const driver::Trial& trial = recorded.trials().front();
  json reply = engine.worker().call(
      "show_results", {{"spec", trial.spec()},
                       {"files", trial.files()},
                       {"options",
                        {{"items", request.items},
                         {"worst", request.what == "worst"},
                         {"weights", weights_of(recorded.study(), trial.id).string()}}}});
  reply.update({{"label", trial.label()}, {"trial", trial.id}, {"what", request.what}});
  return reply;
}

int show(Request& request) {
  request.picture.check();
  const json reply = ask(request);
  const bool is_matrix = request.what == "confusion";
  if (is_matrix && !reply.at("confusion").is_array())
    throw Error("--what confusion: this trial's targets are no classes (or more than 1,000)");
  request.as_json ? print_json(reply) : print_confused(reply);
  if (request.as_json ? request.picture.is_asked_for() : request.picture.wanted())
    request.picture.draw(is_matrix ? "confusion" : "results", reply);
  return 0;
}

}  // namespace

void add_show_results_command(CLI::App& app, int& exit_status) {
  CLI::App* command = app.add_subcommand(
      "show-results", "what a trained model makes of the validation items: predictions, confusion");
  auto request = std::make_shared<Request>();
  command->add_option("DIR", request->directory, "a study's directory")->required()->type_name("");
  command
      ->add_option("TRIAL", request->trial,
                   "a trial by id or its beginning (default: the first that is done)")
      ->type_name("");
  command
      ->add_option("--what", request->what,
                   "of the picture: items with predictions, the worst of them by loss, or the "
                   "confusion matrix")
      ->check(CLI::IsMember({"items", "worst", "confusion"}))
      ->type_name("WHAT")
      ->capture_default_str();
  command->add_option("--items", request->items, "at most so many")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  request->picture.add_option(*command);
  command->add_flag("--json", request->as_json, "every number, for programs");
  command->callback([request, &exit_status] { exit_status = show(*request); });
}

}  // namespace paribus
