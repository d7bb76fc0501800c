// SPDX-License-Identifier: Apache-2.0
#include "lr_find_command.h"

#include <fmt/core.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "driver/check.h"
#include "driver/interrupt.h"
#include "driver/plot.h"
#include "live.h"
#include "picture.h"

namespace paribus {

namespace {

using nlohmann::json;

struct Request {
  std::filesystem::path study;
  std::vector<std::string> overrides;
  double low = 1e-7, high = 10;
  std::int64_t steps = 100;
  bool as_json = false;
  Picture picture;
};

double number(const json& value) { return value.is_number() ? value.get<double>() : std::nan(""); }

std::vector<std::pair<double, double>> points_of(const json& reply) {
  std::vector<std::pair<double, double>> points;
  for (const json& point : reply.value("points", json::array())) {
    if (!point.is_array() || point.size() != 2)
      throw Error("paribus-worker: its reply to 'lr_find' is malformed");
    points.emplace_back(number(point[0]), number(point[1]));
  }
  return points;
}

int terminal_width() {
  winsize window{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) != 0 || window.ws_col == 0) return 80;
  return std::clamp<int>(window.ws_col, 40, 120);
}

int find(const Request& request) {
  request.picture.check();
  driver::watch_interrupts();
  const auto display = make_display(request.as_json);
  driver::Engine engine;
  const driver::CheckedStudy checked =
      driver::check_study(request.study, request.overrides, engine, *display);
  display->finish();
  const driver::Trial& trial = checked.trials.front();  // the baseline with its first seed
  json reply;
  try {
    reply = engine.worker().call(
        "lr_find",
        {{"spec", trial.spec()},
         {"files", trial.files()},
         {"options", {{"low", request.low}, {"high", request.high}, {"steps", request.steps}}}});
  } catch (const driver::Refused& refused) {
    fmt::print(stderr, "{}\n", refused.what());
    return 1;
  }
  if (request.as_json) {
    fmt::print("{}\n", reply.dump(2, ' ', false, json::error_handler_t::replace));
    if (request.picture.is_asked_for()) request.picture.draw("lr_find", reply);
    return 0;
  }
  const double suggestion = number(reply.value("suggestion", json()));
  const auto points = points_of(reply);
  if (request.picture.wanted()) request.picture.draw("lr_find", reply);
  if (!request.picture.on_terminal())
    fmt::print("{}", driver::log_plot(points, suggestion, terminal_width(), 16));
  if (!(suggestion > 0)) {
    fmt::print(
        "no rate to suggest: the loss does not fall between {:g} and {:g}; try other bounds\n",
        request.low, request.high);
    return 0;
  }
  fmt::print(
      "loss over optimizer.lr of {}; suggested: {:.2g} (at the bar), for example\n  paribus run {} "
      "-s optimizer.lr={:.2g}\n",
      trial.label(), suggestion, request.study.string(), suggestion);
  return 0;
}

}  // namespace

void add_lr_find_command(CLI::App& app, int& exit_status) {
  CLI::App* command =
      app.add_subcommand("lr-find", "try growing learning rates for some steps, and suggest one");
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
  command->add_option("--low", request->low, "first rate")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command->add_option("--high", request->high, "last rate")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command->add_option("--steps", request->steps, "steps from one to the other")
      ->check(CLI::Range(10, 100000))
      ->capture_default_str();
  request->picture.add_option(*command);
  command->add_flag("--json", request->as_json, "points and suggestion as JSON on stdout");
  command->callback([request, &exit_status] {
    if (!(request->low < request->high)) {
      throw Error(fmt::format("lr-find: --low is {:g}, expected less than --high, which is {:g}",
                              request->low, request->high));
    }
    exit_status = find(*request);
  });
}

}  // namespace paribus
