// SPDX-License-Identifier: Apache-2.0
#include "results/system.h"

#include <map>
#include <optional>
#include <set>

#include "journal/journal.h"
#include "machine/sampler.h"
#include "paribus/error.h"

namespace paribus::results {
namespace {

using hdf5::Handle;
using hdf5::TableColumn;
using nlohmann::json;

template <class T>
TableColumn column(std::string name, std::string unit, hid_t type, const std::vector<T>& values) {
  return {std::move(name), std::move(unit), Handle(H5Tcopy(type), "a type"),
          std::string(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T))};
}

void write_samples(hid_t parent, const std::string& name, const journal::Series& series) {
  std::vector<TableColumn> columns;
  columns.push_back(column("time", "s", H5T_STD_I64LE, series.steps));
  columns.push_back(column("value", series.unit, H5T_IEEE_F64LE, series.values));
  const Handle dataset =
      hdf5::write_table(parent, hdf5::link_name(name), columns, series.steps.size());
  hdf5::set_attribute(dataset, "name", name);
  hdf5::set_attribute(dataset, "unit", series.unit);
}

/// When time 0 was, in seconds since 1970, how often samples came, and the GPUs.
void write_start(hid_t group, const journal::Record& record) {
  const json* start = record.last("start");
  if (start == nullptr) return;
  for (const char* name : {"time", "every"}) {
    const json value = start->value(name, json());
    if (value.is_number())
      hdf5::set_attribute(group, *name == 't' ? "started" : name, value.get<double>());
  }
  const json gpus = start->value("gpus", json());
  if (!gpus.is_null())
    hdf5::set_attribute(group, "gpus",
                        gpus.dump(-1, ' ', false, json::error_handler_t::replace).substr(0, 32768));
}

std::optional<journal::Record> record_of(const StudyRecord& study) {
  const auto path = machine::log_path(study.dir);
  std::error_code none;
  if (!std::filesystem::exists(path, none)) return std::nullopt;
  try {
    return journal::read(path);
  } catch (const Error&) {
    return std::nullopt;
  }
}

}  // namespace

void write_system(hid_t file, const StudyRecord& study) {
  const std::optional<journal::Record> record = record_of(study);
  if (!record) return;
  std::set<std::string> planned;
  for (const Trial& trial : study.trials) planned.insert(trial.id);
  std::map<std::string, std::map<std::string, const journal::Series*>> series;  // by trial
  for (const journal::Series& one : record->series) {
    const machine::SeriesName name = machine::series_name(one.name);
    if (name.trial.empty() || planned.contains(name.trial)) series[name.trial][name.name] = &one;
  }
  const Handle system = hdf5::create_group(file, "system");
  write_start(system, *record);
  const Handle trials = hdf5::create_group(system, "trials");
  for (const auto& [trial, named] : series) {
    if (trial.empty()) {
      for (const auto& [name, one] : named)
        if (name != "trials") write_samples(system, name, *one);
      continue;
    }
    const Handle group = hdf5::create_group(trials, trial);
    for (const auto& [name, one] : named) write_samples(group, name, *one);
  }
}

}  // namespace paribus::results
