// SPDX-License-Identifier: Apache-2.0
#include "results/seal.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <set>

#include "disk/budget.h"
#include "disk/no_space.h"
#include "journal/journal.h"
#include "paribus/error.h"
#include "results/arms.h"
#include "results/hdf5.h"
#include "results/shown.h"
#include "results/system.h"
#include "results/table.h"
#include "stats/compare.h"

namespace paribus::results {
namespace {

using hdf5::Handle;
using hdf5::TableColumn;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr std::int64_t kUnknown = -1;         // of an integer column
constexpr std::size_t kMessageInTable = 200;  // bytes; the whole text is in /messages

std::string json_text(const nlohmann::json& json) {
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace);
}

template <class T>
void append(std::string& bytes, T value) {
  bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
}

/// The first line, cut between two UTF-8 characters.
std::string_view first_line(std::string_view text) {
  text = text.substr(0, text.find('\n'));
  if (text.size() <= kMessageInTable) return text;
  std::size_t end = kMessageInTable;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end);
}

TableColumn text_column(std::string name, const std::vector<std::string>& texts) {
  std::size_t width = 1;
  for (const std::string& text : texts) width = std::max(width, text.size());
  std::string bytes;
  for (const std::string& text : texts) bytes.append(text).append(width - text.size(), '\0');
  return {std::move(name), "", hdf5::text_type(width), std::move(bytes)};
}

TableColumn real_column(std::string name, std::string unit, const std::vector<double>& values) {
  std::string bytes;
  for (const double value : values) append(bytes, value);
  return {std::move(name), std::move(unit), Handle(H5Tcopy(H5T_IEEE_F64LE), "a type"),
          std::move(bytes)};
}

TableColumn integer_column(std::string name, const std::vector<std::int64_t>& values) {
  std::string bytes;
  for (const std::int64_t value : values) append(bytes, value);
  return {std::move(name), "", Handle(H5Tcopy(H5T_STD_I64LE), "a type"), std::move(bytes)};
}

template <class T>
std::vector<T> values_of(const Column& column, const T& unknown) {
  std::vector<T> values;
  for (std::size_t row = 0; row < column.size(); ++row) {
    const Cell cell = column.cell(row);
    const T* value = std::get_if<T>(&cell);
    values.push_back(value ? *value : unknown);
  }
  return values;
}

/// HDF5 has no boolean that is unknown, so a column with such cells becomes text.
TableColumn boolean_column(const Column& column) {
  const auto flags = column.flags.view();
  if (std::find(flags.begin(), flags.end(), Column::kUnknownFlag) == flags.end())
    return {column.name, "", hdf5::boolean_type(), std::string(flags.begin(), flags.end())};
  std::vector<std::string> texts;
  for (std::size_t row = 0; row < flags.size(); ++row) texts.push_back(to_text(column.cell(row)));
  return text_column(column.name, texts);
}

TableColumn table_column(const Column& column) {
  switch (column.type) {
    case ColumnType::boolean:
      return boolean_column(column);
    case ColumnType::integer:
      return integer_column(column.name, values_of<std::int64_t>(column, kUnknown));
    case ColumnType::real:
      return real_column(column.name, column.unit, values_of<double>(column, kNaN));
    case ColumnType::text:
      break;
  }
  std::vector<std::string> texts = values_of<std::string>(column, "");
  if (column.name == "message") {
    for (std::string& text : texts) text = std::string(first_line(text));
  }
  return text_column(column.name, texts);
}

void write_trials(hid_t file, const StudyRecord& study) {
  std::vector<TableColumn> columns;
  for (const Column& column : trial_table(study).columns) columns.push_back(table_column(column));
  hdf5::write_table(file, "trials", columns, study.trials.size());
}

void write_series(hid_t parent, const journal::Series& series) {
  std::vector<TableColumn> columns;
  columns.push_back(integer_column("step", series.steps));
  columns.push_back(real_column("value", "", series.values));
  const Handle dataset =
      hdf5::write_table(parent, hdf5::link_name(series.name), columns, series.steps.size());
  hdf5::set_attribute(dataset, "name", series.name);
  hdf5::set_attribute(dataset, "unit", series.unit);
}

/// Each trial once, though two arms may share it; in order of id.
std::map<std::string, const Trial*> by_id(const StudyRecord& study) {
  std::map<std::string, const Trial*> trials;
  for (const Trial& trial : study.trials) trials.emplace(trial.id, &trial);
  return trials;
}

/// In what a trial was trained: as its last `start` says, and when its processes went on with it.
nlohmann::json environment_of(const journal::Record& record) {
  using nlohmann::json;
  json environment = json::object(), resumed = json::array();
  for (const json& event : record.events) {
    const json name = event.value("event", json());
    if (name == "start") {
      environment = json::object(), resumed = json::array();
      for (const char* key : {"libtorch", "threads", "facts", "time"})
        if (event.contains(key)) environment[key] = event[key];
    }
    if (name == "resume" && event.contains("time")) resumed.push_back(event["time"]);
  }
  if (!resumed.empty()) environment["resumed"] = std::move(resumed);
  return environment;
}

void write_details(hid_t file, const StudyRecord& study) {
  const Handle all_series = hdf5::create_group(file, "series");
  const Handle configs = hdf5::create_group(file, "configs");
  const Handle messages = hdf5::create_group(file, "messages");
  const Handle environments = hdf5::create_group(file, "environments");
  ShownWriter shown(file);
  for (const auto& [id, trial] : by_id(study)) {
    hdf5::write_text(configs, id, json_text(trial->spec()));
    if (!trial->message.empty()) hdf5::write_text(messages, id, trial->message);
    const auto path = journal_path(study.dir, id);
    if (trial->status == Status::planned || !std::filesystem::exists(path)) continue;
    const Handle group = hdf5::create_group(all_series, id);
    try {
      const journal::Record record = journal::read(path);
      for (const auto& series : record.series) write_series(group, series);
      shown.write(id, path, record);
      hdf5::write_text(environments, id, json_text(environment_of(record)));
    } catch (const Error&) {
      if (study.problems.empty())
        throw;  // else an unreadable journal, told by the trial's status and message
    }
  }
}

/// One row per metric and arm, or point of a sweep: the numbers that `run` ends with.
void write_arms(hid_t file, const StudyRecord& study) {
  std::vector<std::string> metric, unit, arm;
  std::vector<std::int64_t> trials, n, pruned;
  std::vector<double> mean, sd, least, greatest, epochs;
  for (const std::string& name : metrics(study)) {
    const auto known = study.units.find(name);
    for (const ArmSummary& summary : arm_summaries(study, name)) {
      metric.push_back(name);
      unit.push_back(known == study.units.end() ? "" : known->second);
      arm.push_back(summary.arm);
      trials.push_back(static_cast<std::int64_t>(summary.trials));
      n.push_back(static_cast<std::int64_t>(summary.n));
      pruned.push_back(static_cast<std::int64_t>(summary.pruned));
      mean.push_back(summary.mean);
      sd.push_back(summary.sd);
      least.push_back(summary.least);
      greatest.push_back(summary.greatest);
      epochs.push_back(summary.epochs);
    }
  }
  std::vector<TableColumn> columns;
  columns.push_back(text_column("metric", metric));
  columns.push_back(text_column("unit", unit));
  columns.push_back(text_column("arm", arm));
  columns.push_back(integer_column("trials", trials));
  columns.push_back(integer_column("n", n));
  columns.push_back(integer_column("pruned", pruned));
  columns.push_back(real_column("mean", "", mean));
  columns.push_back(real_column("sd", "", sd));
  columns.push_back(real_column("least", "", least));
  columns.push_back(real_column("greatest", "", greatest));
  columns.push_back(real_column("epochs", "", epochs));
  hdf5::write_table(file, "arms", columns, arm.size());
}

/// The columns that a comparison of arms and an effect share.
struct TestedRows {
  std::vector<std::string> metric, verdict, sentence;
  std::vector<std::int64_t> n, excluded;
  std::vector<double> difference, sd, low, high, t, p_t, p_permutation, p, p_holm;

  void add(const std::string& of, const stats::Tested& row) {
    metric.push_back(of);
    verdict.emplace_back(stats::to_text(row.verdict));
    sentence.push_back(row.sentence);
    n.push_back(static_cast<std::int64_t>(row.paired.n));
    excluded.push_back(static_cast<std::int64_t>(row.excluded.size()));
    difference.push_back(row.paired.mean);
    sd.push_back(row.paired.sd);
    low.push_back(row.paired.low);
    high.push_back(row.paired.high);
    t.push_back(row.paired.t);
    p_t.push_back(row.paired.p_t);
    p_permutation.push_back(row.paired.p_permutation);
    p.push_back(row.p);
    p_holm.push_back(row.p_holm);
  }

  /// With `own` columns after the metric, and `means` before the difference.
  [[nodiscard]] std::vector<TableColumn> columns(
      const std::vector<std::pair<const char*, const std::vector<std::string>*>>& own,
      const std::vector<std::pair<const char*, const std::vector<double>*>>& means,
      const char* what) const {
    std::vector<TableColumn> all;
    all.push_back(text_column("metric", metric));
    for (const auto& [name, texts] : own) all.push_back(text_column(name, *texts));
    all.push_back(integer_column("n", n));
    all.push_back(integer_column("excluded", excluded));
    for (const auto& [name, values] : means) all.push_back(real_column(name, "", *values));
    const std::pair<const char*, const std::vector<double>*> reals[] = {
        {what, &difference},
        {"sd", &sd},
        {"low", &low},
        {"high", &high},
        {"t", &t},
        {"p_t", &p_t},
        {"p_permutation", &p_permutation},
        {"p", &p},
        {"p_holm", &p_holm}};
    for (const auto& [name, values] : reals) all.push_back(real_column(name, "", *values));
    all.push_back(text_column("verdict", verdict));
    all.push_back(text_column("sentence", sentence));
    return all;
  }
};

/// A row per metric and arm, and of a factorial design per metric and effect: every number of
/// stats::Comparison.
void write_comparisons(hid_t file, const StudyRecord& study) {
  TestedRows arms, effects;
  std::vector<std::string> baseline, arm, effect, aliases;
  std::vector<double> baseline_mean, arm_mean;
  for (const std::string& metric :
       study.arms.size() > 1 ? metrics(study) : std::vector<std::string>{}) {
    const auto comparison = stats::compare(study, metric);
    for (const auto& row : comparison.arms) {
      arms.add(metric, row);
      baseline.push_back(row.baseline);
      arm.push_back(row.arm);
      baseline_mean.push_back(row.baseline_mean);
      arm_mean.push_back(row.arm_mean);
    }
    for (const auto& row : comparison.effects) {
      effects.add(metric, row);
      effect.push_back(row.name);
      aliases.push_back(fmt::format("{}", fmt::join(row.aliases, ", ")));
    }
  }
  const auto write = [&](const char* name, const std::vector<TableColumn>& columns,
                         std::size_t rows) {
    const Handle table = hdf5::write_table(file, name, columns, rows);
    hdf5::set_attribute(table, "alpha", study.alpha);
    hdf5::set_attribute(table, "anytime", study.until_decided ? 1.0 : 0.0);
  };
  write("comparisons",
        arms.columns({{"baseline", &baseline}, {"arm", &arm}},
                     {{"baseline_mean", &baseline_mean}, {"arm_mean", &arm_mean}}, "difference"),
        arm.size());
  if (study.design.empty()) return;
  write("effects", effects.columns({{"effect", &effect}, {"aliases", &aliases}}, {}, "estimate"),
        effect.size());
}

/// A top-level entry of the environment each, and the whole of it as /environment.
void write_environment(hid_t file, const StudyRecord& study) {
  hdf5::write_text(file, "environment", json_text(study.environment));
  if (!study.environment.is_object()) return;
  for (const auto& [key, value] : study.environment.items()) {
    if (value.is_structured()) continue;
    hdf5::set_attribute(file, "environment." + hdf5::link_name(key),
                        value.is_string() ? value.get<std::string>() : value.dump());
  }
}

void write_attributes(hid_t file, const StudyRecord& study) {
  hdf5::set_attribute(file, "format", "paribus results 1");
  hdf5::set_attribute(file, "study", study.name);
  hdf5::set_attribute(file, "question", study.question);
  hdf5::set_attribute(file, "metric", study.metric);
  hdf5::set_attribute(file, "unit", study.unit);
  hdf5::set_attribute(file, "goal", study.goal);
  hdf5::set_attribute(file, "at", study.at);
  hdf5::set_attribute(file, "test", study.test);
  hdf5::set_attribute(file, "alpha", study.alpha);
  hdf5::set_attribute(file, "margin", study.margin.value_or(kNaN));
  hdf5::set_attribute(file, "baseline", study.arms.empty() ? "" : study.arms.front());
}

/// What `[study] disk` leaves for the file; 0: it has no limit, 1: nothing.
std::int64_t room_for(const StudyRecord& study) {
  if (study.disk == 0) return 0;
  return std::max<std::int64_t>(1, study.disk - disk::measure(study.dir).total());
}

void write_all(const std::string& path, const StudyRecord& study) {
  const Handle file = hdf5::create_file(path, room_for(study));
  write_attributes(file, study);
  write_environment(file, study);
  write_trials(file, study);
  write_arms(file, study);
  write_comparisons(file, study);
  write_details(file, study);
  write_system(file, study);
  hdf5::check(H5Fflush(file, H5F_SCOPE_GLOBAL), "write to the disk");
}

void sync(const std::filesystem::path& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const bool synced = file >= 0 && ::fsync(file) == 0;
  const int why = errno;
  if (file >= 0) ::close(file);
  if (!synced) disk::fail(fmt::format("{}: can't sync", path.string()), path, why);
}

}  // namespace

std::filesystem::path seal(const StudyRecord& study) {
  const auto path = study.dir / "results.h5";
  const auto draft = study.dir / fmt::format(".results.h5.{}", ::getpid());
  std::error_code ignored;
  try {
    write_all(draft.string(), study);
    sync(draft);
    std::filesystem::rename(draft, path);
    sync(study.dir);
  } catch (const std::filesystem::filesystem_error& error) {
    std::filesystem::remove(draft, ignored);
    disk::fail(fmt::format("{}: can't put it in place", path.string()), path, error.code().value());
  } catch (const NoSpace& problem) {
    std::filesystem::remove(draft, ignored);
    throw NoSpace(
        fmt::format("{}: {}; all of it is in the journals: make room, then paribus seal {}",
                    study.dir.string(), problem.what(), study.dir.string()));
  } catch (...) {
    std::filesystem::remove(draft, ignored);
    throw;
  }
  return path;
}

}  // namespace paribus::results
