// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "paribus/search.h"

/// Axes, points and jobs as messages have them (docs/internals.md).
namespace paribus::worker {

std::vector<Axis> axes_from(const nlohmann::json& list);
nlohmann::json to_json(const Point& point);
nlohmann::json to_json(const Job& job);
Job job_from(const nlohmann::json& object);
Happening happening_from(const nlohmann::json& object);

}  // namespace paribus::worker
