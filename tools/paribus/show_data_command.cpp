// SPDX-License-Identifier: Apache-2.0
#include "show_data_command.h"

#include <fmt/core.h>

#include <memory>

#include "driver/check.h"
#include "driver/interrupt.h"
#include "live.h"
#include "picture.h"
#include "study_reader.h"

namespace paribus {
namespace {

using nlohmann::json;

struct Request {
  std::filesystem::path study;
  std::vector<std::string> overrides;
  std::int64_t items = 24, epoch = 0;
  bool valid = false, as_json = false;
  Picture picture;
};

int show(Request& request) {
  if (!request.as_json) {
    request.picture.otherwise(request.study.stem().string() + "-data.png");
    request.picture.check();
  }
  driver::watch_interrupts();
  const auto display = make_display(/*quiet=*/true);
  driver::Engine engine;
  const driver::CheckedStudy checked =
      driver::check_study(request.study, request.overrides, engine, *display);
  display->finish();
  const driver::Trial& trial = checked.trials.front();  // the baseline with its first seed
  json reply;
  try {
    reply = engine.worker().call(
        "show_data",
        {{"spec", trial.spec()},
         {"files", trial.files()},
         {"options",
          {{"items", request.items}, {"epoch", request.epoch}, {"valid", request.valid}}}});
  } catch (const driver::Refused& refused) {
    fmt::print(stderr, "{}\n", refused.what());
    return 1;
  }
  reply["label"] = trial.label();
  if (request.as_json)
    print_json(reply);
  else
    request.picture.draw("batch", reply);
  return 0;
}

}  // namespace

void add_show_data_command(CLI::App& app, int& exit_status) {
  CLI::App* command = app.add_subcommand(
      "show-data", "a picture of a batch as the model gets it, with its targets");
  auto request = std::make_shared<Request>();
  command
      ->add_option("STUDY.toml", request->study, "the study's file (TOML); its first trial is used")
      ->required()
      ->type_name("");
  command
      ->add_option("-s,--set", request->overrides,
                   "override one key of the study; may be given again")
      ->allow_extra_args(false)
      ->type_name("KEY=VALUE");
  command->add_flag("--valid", request->valid, "items of the validation split");
  command->add_option("--items", request->items, "at most so many, and no more than a batch")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  command->add_option("--epoch", request->epoch, "with the random numbers of this epoch")
      ->check(CLI::Range(0, 1000000))
      ->capture_default_str();
  request->picture.add_option(*command);
  command->add_flag("--json", request->as_json, "the values as JSON on stdout");
  command->callback([request, &exit_status] { exit_status = show(*request); });
}

}  // namespace paribus
