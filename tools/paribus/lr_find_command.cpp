// SPDX-License-Identifier: Apache-2.0
#include "lr_find_command.h"

#include <fmt/core.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "driver/plot.h"
#include "first_trial.h"
#include "paribus/error.h"
#include "picture.h"
#include "study_reader.h"

namespace paribus {

namespace {

using nlohmann::json;

struct Request {
  FirstTrial of;
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
  const auto asked = request.of.ask(
      "lr_find", {{"low", request.low}, {"high", request.high}, {"steps", request.steps}},
      request.as_json);
  if (!asked) return 1;
  const json& reply = *asked;
  if (request.as_json) {
    print_json(reply);
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
      reply.at("label").get<std::string>(), suggestion, request.of.study.string(), suggestion);
  return 0;
}

}  // namespace

void add_lr_find_command(CLI::App& app, int& exit_status) {
  CLI::App* command =
      app.add_subcommand("lr-find", "try growing learning rates for some steps, and suggest one");
  auto request = std::make_shared<Request>();
  request->of.add_options(*command);
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
