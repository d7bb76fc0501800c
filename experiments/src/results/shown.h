// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "journal/journal.h"
#include "results/hdf5.h"

namespace paribus::results {

/// What trials recorded that is more than numbers: `/histograms/<trial>/<name>`, a table,
/// `/pictures/<trial>/<name>/<step>`, the bytes of a PNG file, and `/tables/<trial>/<name>/<step>`,
/// a table with columns of its own. Groups are made when there is
/// something to be in them.
class ShownWriter {
 public:
  explicit ShownWriter(hid_t file) : file_(file) {}
  /// `path`: of the journal that `record` was read from.
  void write(const std::string& trial, const std::filesystem::path& path,
             const journal::Record& record);

 private:
  void write_histograms(const std::string& trial, const journal::Record& record);
  void write_pictures(const std::string& trial, const std::filesystem::path& path,
                      const journal::Record& record);
  void write_tables(const std::string& trial, const journal::Record& record);

  hid_t file_;
  std::unique_ptr<hdf5::Handle> histograms_, pictures_, tables_;
};

}  // namespace paribus::results
