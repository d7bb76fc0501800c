// SPDX-License-Identifier: Apache-2.0
#include "search_json.h"

#include <limits>

namespace paribus::worker {

using nlohmann::json;

std::vector<Axis> axes_from(const json& list) {
  std::vector<Axis> axes;
  for (const json& axis : list) {
    axes.push_back({.addresses = axis.at("addresses"),
                    .count = axis.at("count"),
                    .low = axis.at("low"),
                    .high = axis.at("high"),
                    .log = axis.at("log"),
                    .integer = axis.at("integer")});
  }
  return axes;
}

json to_json(const Point& point) {
  json choices = json::array();
  for (const Choice& choice : point)
    choices.push_back(choice.index >= 0 ? json{{"index", choice.index}}
                                        : json{{"value", choice.value}});
  return choices;
}

json to_json(const Job& job) {
  return {{"point", job.point},
          {"choices", to_json(job.choices)},
          {"until", job.until},
          {"parent", job.parent}};
}

Job job_from(const json& object) {
  Job job{object.at("point"), {}, object.at("until"), object.at("parent")};
  for (const json& choice : object.at("choices"))
    job.choices.push_back({choice.value("index", std::int64_t{-1}), choice.value("value", 0.0)});
  return job;
}

Happening happening_from(const json& object) {
  Happening happening{object.at("job"), object.at("ended"), {}};
  for (const json& value : object.at("values"))
    happening.values.push_back(value.is_number() ? value.get<double>()
                                                 : std::numeric_limits<double>::quiet_NaN());
  return happening;
}

}  // namespace paribus::worker
