// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <hdf5.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// A thin layer over HDF5's C functions that owns handles and turns failures into Error.
namespace paribus::results::hdf5 {

/// An HDF5 identifier of any class, closed at the end of its life.
class Handle {
 public:
  /// `what` says in the error what could not be made.
  Handle(hid_t id, std::string_view what);
  ~Handle();
  Handle(Handle&& other) noexcept;
  Handle& operator=(Handle&&) = delete;
  operator hid_t() const { return id_; }  // NOLINT: it stands for the C handle everywhere

 private:
  hid_t id_;
};

/// Throws Error if a call failed, NoSpace if the disk is why.
void check(herr_t status, std::string_view what);

/// An empty file in the oldest format that holds what we write, without times, so that equal
/// contents give equal bytes. It can't grow beyond `most` bytes: what would, throws NoSpace before
/// anything of it is written. 0: no limit.
Handle create_file(const std::string& path, std::int64_t most = 0);
Handle create_group(hid_t parent, const std::string& name);

/// A type of text of at most `size` bytes (or H5T_VARIABLE), UTF-8, padded with NUL.
Handle text_type(std::size_t size);
/// The boolean that h5py reads and writes.
Handle boolean_type();

/// One column of a compound table: `bytes` holds `rows` values of `type`, one after the other.
struct TableColumn {
  std::string name, unit;
  Handle type;
  std::string bytes;
};

/// A one-dimensional compound dataset; chunked and deflated where it is long. Units become the
/// attribute "units", a text per column.
Handle write_table(hid_t parent, const std::string& name, const std::vector<TableColumn>& columns,
                   std::size_t rows);

/// Bytes as they are, uint8: a file in the file.
void write_bytes(hid_t parent, const std::string& name, std::string_view bytes);

/// A scalar dataset, an attribute.
void write_text(hid_t parent, const std::string& name, std::string_view text);
void set_attribute(hid_t object, const std::string& name, std::string_view text);
void set_attribute(hid_t object, const std::string& name, double value);

/// A link name: '/', '%' and control characters become %XX, and a name of dots only too.
std::string link_name(std::string_view name);

}  // namespace paribus::results::hdf5
