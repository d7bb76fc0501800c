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

void print_json(const nlohmann::json& json) {
  fmt::print("{}\n", json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
}

nlohmann::json json_number(double value) {
  return std::isfinite(value) ? nlohmann::json(value) : nlohmann::json();
}

}  // namespace paribus
