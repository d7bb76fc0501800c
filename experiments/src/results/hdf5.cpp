// SPDX-License-Identifier: Apache-2.0
#include "results/hdf5.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "paribus/error.h"

namespace paribus::results::hdf5 {
namespace {

constexpr std::size_t kLongTable = 512;  // rows; shorter ones are stored as they are
constexpr std::size_t kChunkBytes = 64 * 1024;
constexpr unsigned kDeflateLevel = 4;

Handle without_times(hid_t list_class) {
  Handle list(H5Pcreate(list_class), "a property list");
  check(H5Pset_obj_track_times(list, false), "switch off times");
  return list;
}

Handle utf8_links() {
  Handle list(H5Pcreate(H5P_LINK_CREATE), "a property list");
  check(H5Pset_char_encoding(list, H5T_CSET_UTF8), "set UTF-8");
  return list;
}

Handle dataset_properties(std::size_t rows, std::size_t row_bytes) {
  Handle list = without_times(H5P_DATASET_CREATE);
  if (rows < kLongTable) return list;
  const hsize_t chunk = std::min<std::size_t>(
      rows, std::max<std::size_t>(kChunkBytes / std::max<std::size_t>(row_bytes, 1), 64));
  check(H5Pset_chunk(list, 1, &chunk), "set the chunk");
  check(H5Pset_shuffle(list), "set shuffling");
  check(H5Pset_deflate(list, kDeflateLevel), "set compression");
  return list;
}

Handle create_dataset(hid_t parent, const std::string& name, hid_t type, hid_t space,
                      hid_t properties) {
  return {H5Dcreate2(parent, name.c_str(), type, space, utf8_links(), properties, H5P_DEFAULT),
          fmt::format("the dataset {}", name)};
}

Handle scalar_space() { return {H5Screate(H5S_SCALAR), "a scalar"}; }

void write_attribute(hid_t object, const std::string& name, hid_t type, const void* value) {
  const Handle attribute(
      H5Acreate2(object, name.c_str(), type, scalar_space(), H5P_DEFAULT, H5P_DEFAULT),
      fmt::format("the attribute {}", name));
  check(H5Awrite(attribute, type, value), fmt::format("the attribute {}", name));
}

void set_units(hid_t dataset, const std::vector<TableColumn>& columns) {
  std::string units;
  for (const TableColumn& column : columns) {
    if (!column.unit.empty())
      units += fmt::format("{}{}: {}", units.empty() ? "" : "; ", column.name, column.unit);
  }
  if (!units.empty()) hdf5::set_attribute(dataset, "units", units);
}

}  // namespace

Handle::Handle(hid_t id, std::string_view what) : id_(id) {
  if (id < 0) throw Error(fmt::format("results.h5: HDF5 can't make {}", what));
}

Handle::~Handle() {
  if (id_ >= 0) H5Idec_ref(id_);
}

Handle::Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, -1)) {}

void check(herr_t status, std::string_view what) {
  if (status < 0) throw Error(fmt::format("results.h5: HDF5 can't {}", what));
}

Handle create_file(const std::string& path) {
  check(H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr), "silence its own messages");
  const Handle access(H5Pcreate(H5P_FILE_ACCESS), "a property list");
  // Old enough for every reader; with links in the new form a group has neither a size limit nor
  // 512 bytes of its own.
  check(H5Pset_libver_bounds(access, H5F_LIBVER_V18, H5F_LIBVER_V18), "set the format");
  const Handle creation = without_times(H5P_FILE_CREATE);
  return {H5Fcreate(path.c_str(), H5F_ACC_TRUNC, creation, access), path};
}

Handle create_group(hid_t parent, const std::string& name) {
  return {
      H5Gcreate2(parent, name.c_str(), utf8_links(), without_times(H5P_GROUP_CREATE), H5P_DEFAULT),
      fmt::format("the group {}", name)};
}

Handle text_type(std::size_t size) {
  Handle type(H5Tcopy(H5T_C_S1), "a text type");
  check(H5Tset_size(type, std::max<std::size_t>(size, 1)), "set a size");
  if (size != H5T_VARIABLE) check(H5Tset_strpad(type, H5T_STR_NULLPAD), "set padding");
  check(H5Tset_cset(type, H5T_CSET_UTF8), "set UTF-8");
  return type;
}

Handle boolean_type() {
  Handle type(H5Tenum_create(H5T_NATIVE_INT8), "a boolean type");
  const signed char no = 0, yes = 1;
  check(H5Tenum_insert(type, "FALSE", &no), "make a boolean");
  check(H5Tenum_insert(type, "TRUE", &yes), "make a boolean");
  return type;
}

Handle write_table(hid_t parent, const std::string& name, const std::vector<TableColumn>& columns,
                   std::size_t rows) {
  std::size_t width = 0;
  for (const TableColumn& column : columns) width += H5Tget_size(column.type);
  const Handle type(H5Tcreate(H5T_COMPOUND, width), "a compound type");
  std::string bytes(width * rows, '\0');
  std::size_t offset = 0;
  for (const TableColumn& column : columns) {
    const std::size_t size = H5Tget_size(column.type);
    check(H5Tinsert(type, column.name.c_str(), offset, column.type),
          fmt::format("make the column {}", column.name));
    for (std::size_t row = 0; row < rows; ++row) {
      std::memcpy(bytes.data() + row * width + offset, column.bytes.data() + row * size, size);
    }
    offset += size;
  }
  const hsize_t length = rows;
  const Handle space(H5Screate_simple(1, &length, nullptr), "a space");
  Handle dataset = create_dataset(parent, name, type, space, dataset_properties(rows, width));
  if (rows > 0)
    check(H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes.data()), "write " + name);
  set_units(dataset, columns);
  return dataset;
}

void write_text(hid_t parent, const std::string& name, std::string_view text) {
  const Handle type = text_type(text.size());
  const std::string bytes = text.empty() ? std::string(1, '\0') : std::string(text);
  const Handle dataset =
      create_dataset(parent, name, type, scalar_space(), without_times(H5P_DATASET_CREATE));
  check(H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes.data()), "write " + name);
}

void set_attribute(hid_t object, const std::string& name, std::string_view text) {
  // Of variable length: h5py gives such an attribute as str, and it may exceed the 64 KiB of an
  // object's header.
  const Handle type = text_type(H5T_VARIABLE);
  const std::string terminated(text);
  const char* start = terminated.c_str();
  write_attribute(object, name, type, &start);
}

void set_attribute(hid_t object, const std::string& name, double value) {
  write_attribute(object, name, H5T_IEEE_F64LE, &value);
}

std::string link_name(std::string_view name) {
  const bool is_dots = name.find_first_not_of('.') == std::string_view::npos;
  std::string escaped;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    const bool is_special = c == '/' || c == '%' || byte < 0x20 || byte == 0x7F || is_dots;
    escaped += is_special ? fmt::format("%{:02X}", byte) : std::string(1, c);
  }
  return escaped;
}

}  // namespace paribus::results::hdf5
