// SPDX-License-Identifier: Apache-2.0
#include "show_data_command.h"

#include <memory>

#include "first_trial.h"
#include "picture.h"
#include "study_reader.h"

namespace paribus {
namespace {

struct Request {
  FirstTrial of;
  std::int64_t items = 24, epoch = 0;
  bool valid = false, as_json = false;
  Picture picture;
};

int show(Request& request) {
  if (!request.as_json) request.picture.otherwise(request.of.study.stem().string() + "-data.png");
  request.picture.check();
  const auto reply = request.of.ask(
      "show_data", {{"items", request.items}, {"epoch", request.epoch}, {"valid", request.valid}},
      /*quiet=*/true);
  if (!reply) return 1;
  if (request.as_json) print_json(*reply);
  if (!request.as_json || request.picture.is_asked_for()) request.picture.draw("batch", *reply);
  return 0;
}

}  // namespace

void add_show_data_command(CLI::App& app, int& exit_status) {
  CLI::App* command = app.add_subcommand(
      "show-data", "a picture of a batch as the model gets it, with its targets");
  auto request = std::make_shared<Request>();
  request->of.add_options(*command);
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
