// SPDX-License-Identifier: Apache-2.0
#include "results/shown.h"

#include <algorithm>
#include <map>
#include <vector>

namespace paribus::results {
namespace {

using hdf5::Handle;
using hdf5::TableColumn;

template <class T>
void append(std::string& bytes, T value) {
  bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
}

/// The group `name`, made when it is needed first.
Handle& made(std::unique_ptr<Handle>& group, hid_t file, const char* name) {
  if (!group) group = std::make_unique<Handle>(hdf5::create_group(file, name));
  return *group;
}

TableColumn column(std::string name, hid_t type, std::string bytes) {
  return {std::move(name), "", Handle(H5Tcopy(type), "a type"), std::move(bytes)};
}

/// Each takes the room of the longest.
TableColumn texts_column(const std::string& name, const std::vector<std::string>& texts) {
  std::size_t most = 1;
  for (const std::string& text : texts) most = std::max(most, text.size());
  std::string bytes;
  for (const std::string& text : texts) bytes.append(text).append(most - text.size(), '\0');
  return {name, "", hdf5::text_type(most), std::move(bytes)};
}

TableColumn column_of(const Column& column) {
  if (const auto* texts = std::get_if<std::vector<std::string>>(&column.values))
    return texts_column(column.name, *texts);
  std::string bytes;
  if (const auto* whole = std::get_if<std::vector<std::int64_t>>(&column.values)) {
    for (const std::int64_t value : *whole) append(bytes, value);
    return results::column(column.name, H5T_STD_I64LE, std::move(bytes));
  }
  for (const double value : std::get<std::vector<double>>(column.values)) append(bytes, value);
  return results::column(column.name, H5T_IEEE_F64LE, std::move(bytes));
}

/// A row for each step. Those of fewer bins than others have zeros behind them.
void write_table(hid_t group, const std::string& name,
                 const std::vector<const journal::NamedHistogram*>& rows) {
  hsize_t most = 1;
  for (const auto* row : rows) most = std::max<hsize_t>(most, row->values.counts.size());
  std::string step, low, high, sum, squares, not_finite, bins, counts;
  for (const auto* row : rows) {
    const Histogram& values = row->values;
    append(step, row->step);
    append(low, values.low), append(high, values.high);
    append(sum, values.sum), append(squares, values.squares);
    append(not_finite, values.not_finite);
    append(bins, static_cast<std::int64_t>(values.counts.size()));
    for (const std::uint64_t count : values.counts) append(counts, count);
    counts.append((most - values.counts.size()) * sizeof(std::uint64_t), '\0');
  }
  std::vector<TableColumn> columns;
  columns.push_back(column("step", H5T_STD_I64LE, std::move(step)));
  columns.push_back(column("low", H5T_IEEE_F64LE, std::move(low)));
  columns.push_back(column("high", H5T_IEEE_F64LE, std::move(high)));
  columns.push_back(column("sum", H5T_IEEE_F64LE, std::move(sum)));
  columns.push_back(column("squares", H5T_IEEE_F64LE, std::move(squares)));
  columns.push_back(column("not_finite", H5T_STD_U64LE, std::move(not_finite)));
  columns.push_back(column("bins", H5T_STD_I64LE, std::move(bins)));
  columns.push_back({"counts", "", Handle(H5Tarray_create2(H5T_STD_U64LE, 1, &most), "a type"),
                     std::move(counts)});
  const Handle table = hdf5::write_table(group, hdf5::link_name(name), columns, rows.size());
  hdf5::set_attribute(table, "name", name);
}

}  // namespace

void ShownWriter::write(const std::string& trial, const std::filesystem::path& path,
                        const journal::Record& record) {
  if (!record.histograms.empty()) write_histograms(trial, record);
  if (!record.pictures.empty()) write_pictures(trial, path, record);
  if (!record.tables.empty()) write_tables(trial, record);
}

void ShownWriter::write_histograms(const std::string& trial, const journal::Record& record) {
  const Handle group = hdf5::create_group(made(histograms_, file_, "histograms"), trial);
  std::map<std::string, std::vector<const journal::NamedHistogram*>> by_name;
  for (const journal::NamedHistogram& one : record.histograms) by_name[one.name].push_back(&one);
  for (const auto& [name, rows] : by_name) write_table(group, name, rows);
}

void ShownWriter::write_pictures(const std::string& trial, const std::filesystem::path& path,
                                 const journal::Record& record) {
  const Handle group = hdf5::create_group(made(pictures_, file_, "pictures"), trial);
  std::map<std::string, std::vector<const journal::NamedPicture*>> by_name;
  for (const journal::NamedPicture& one : record.pictures) by_name[one.name].push_back(&one);
  for (const auto& [name, steps] : by_name) {
    const Handle own = hdf5::create_group(group, hdf5::link_name(name));
    hdf5::set_attribute(own, "name", name);
    for (const auto* one : steps)
      hdf5::write_bytes(own, std::to_string(one->step), journal::picture_in(path, *one));
  }
}

void ShownWriter::write_tables(const std::string& trial, const journal::Record& record) {
  const Handle group = hdf5::create_group(made(tables_, file_, "tables"), trial);
  std::map<std::string, std::vector<const journal::NamedTable*>> by_name;
  for (const journal::NamedTable& one : record.tables) by_name[one.name].push_back(&one);
  for (const auto& [name, steps] : by_name) {
    const Handle own = hdf5::create_group(group, hdf5::link_name(name));
    hdf5::set_attribute(own, "name", name);
    for (const auto* one : steps) {
      std::vector<TableColumn> columns;
      for (const Column& column : one->columns) columns.push_back(column_of(column));
      const std::size_t rows =
          std::visit([](const auto& values) { return values.size(); }, one->columns.front().values);
      hdf5::write_table(own, std::to_string(one->step), columns, rows);
    }
  }
}

}  // namespace paribus::results
