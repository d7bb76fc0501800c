// SPDX-License-Identifier: Apache-2.0
#include "results/hdf5.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <utility>

#include "disk/no_space.h"
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

std::int64_t most_bytes = 0;  // of the file that is being written; one at a time

/// Before `bytes` are added, compressed or not; a group or a header takes less than a margin.
void check_room(hid_t object, std::size_t bytes) {
  constexpr std::int64_t kMargin = 16 * 1024;
  hsize_t size = 0;
  const hid_t file = most_bytes > 0 ? H5Iget_file_id(object) : -1;
  if (file < 0) return;
  H5Fget_filesize(file, &size);
  H5Idec_ref(file);
  const std::int64_t wanted = static_cast<std::int64_t>(size + bytes) + kMargin;
  if (wanted <= most_bytes) return;
  throw NoSpace(fmt::format("results.h5: {} or more are needed and {} are left of study.disk",
                            disk::bytes_text(wanted), disk::bytes_text(most_bytes)));
}

/// The system's reason in HDF5's stack of messages: "..., errno = 28, error message = ...".
herr_t find_errno(unsigned /*n*/, const H5E_error2_t* message, void* found) {
  const std::string_view text = message->desc != nullptr ? message->desc : "";
  constexpr std::string_view kKey = "errno = ";
  if (const auto at = text.find(kKey); at != std::string_view::npos)
    *static_cast<int*>(found) = std::atoi(text.data() + at + kKey.size());
  return 0;
}

[[noreturn]] void fail(const std::string& what) {
  int error = 0;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_DOWNWARD, find_errno, &error);
  if (disk::is_no_space(error))
    throw NoSpace(fmt::format("results.h5: can't write it: {}", std::strerror(error)));
  throw Error("results.h5: HDF5 can't " + what);
}

Handle create_dataset(hid_t parent, const std::string& name, hid_t type, hid_t space,
                      hid_t properties) {
  check_room(parent,
             H5Tget_size(type) * static_cast<std::size_t>(H5Sget_simple_extent_npoints(space)));
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
  if (id < 0) fail(fmt::format("make {}", what));
}

Handle::~Handle() {
  if (id_ >= 0) H5Idec_ref(id_);
}

Handle::Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, -1)) {}

void check(herr_t status, std::string_view what) {
  if (status < 0) fail(std::string(what));
}

Handle create_file(const std::string& path, std::int64_t most) {
  // After a write that found no room, HDF5's own clean-up at the program's end crashes.
  [[maybe_unused]] static const herr_t done_once = H5dont_atexit();
  most_bytes = most;
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

void write_bytes(hid_t parent, const std::string& name, std::string_view bytes) {
  const hsize_t length = bytes.size();
  const Handle space(H5Screate_simple(1, &length, nullptr), "a space");
  const Handle dataset =
      create_dataset(parent, name, H5T_STD_U8LE, space, without_times(H5P_DATASET_CREATE));
  if (bytes.empty()) return;
  check(H5Dwrite(dataset, H5T_NATIVE_UINT8, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes.data()),
        "write " + name);
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
