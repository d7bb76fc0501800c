// SPDX-License-Identifier: Apache-2.0
#include "study_reader.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdio>

#include "paribus/error.h"

namespace paribus {

int guarded(const std::function<int()>& command) {
  try {
    return command();
  } catch (const std::exception& error) {
    fmt::print(stderr, "paribus: {}\n", error.what());
    return 2;
  }
}

results::StudyRecord read_study_aloud(const std::string& dir) {
  auto study = results::read_study(dir);
  for (const std::string& problem : study.problems) fmt::print(stderr, "paribus: {}\n", problem);
  return study;
}

results::StudyView read_view_aloud(const std::string& dir) {
  results::StudyView study = results::read_view(dir);
  for (const std::string& problem : study.all_problems())
    fmt::print(stderr, "paribus: {}\n", problem);
  return study;
}

nlohmann::json json_of(const results::Cell& cell) {
  if (const auto* flag = std::get_if<bool>(&cell)) return *flag;
  if (const auto* number = std::get_if<std::int64_t>(&cell)) return *number;
  if (const auto* number = std::get_if<double>(&cell)) return json_number(*number);
  if (const auto* text = std::get_if<std::string>(&cell)) return *text;
  return nullptr;
}

void print_json(const nlohmann::json& json) {
  fmt::print("{}\n", json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
}

nlohmann::json json_number(double value) {
  return std::isfinite(value) ? nlohmann::json(value) : nlohmann::json();
}

}  // namespace paribus
