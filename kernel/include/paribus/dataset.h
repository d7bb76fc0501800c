// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "paribus/plugin.h"
#include "paribus/types.h"

namespace paribus {

/// A file that a data set needs, stated in the manifest: it is found in `$PARIBUS_DATA`, in the
/// cache, or fetched from `url`, checked, and handed to `Dataset::open` before the first step; the
/// plugin itself never looks for files.
struct DataFile {
  std::string_view name;    // as on disk, e.g. "train-images-idx3-ubyte.gz"
  std::string_view folder;  // below each data folder, e.g. "mnist"
  std::string_view url;     // its public home
  std::string_view sha256;  // of the bytes at `url`; empty: only `content` is pinned
  std::string_view
      content;  // sha256 of what is in it once un-gzipped, for sets that others compress again
  std::int64_t bytes = 0;  // at `url`
  std::string_view
      unless;  // a parameter of the data set: this file isn't looked for where its text isn't empty
};

/// Path of each file of `files()` by its name.
using Files = std::map<std::string, std::string, std::less<>>;

/// Where examples come from.
///
/// `open` runs once per process, before trials fork from it: it may read and decode, and must have
/// joined the threads that it starts; what it holds is shared by all trials. After it all methods
/// are const and called from several threads at once. A data set that needs files says so with
/// `static constexpr std::array<DataFile, N> files()`.
class Dataset : public PartBase {
 public:
  static constexpr std::string_view kKind = "dataset";

  /// Throws Error naming the file and the byte where the data are not what they should be.
  virtual void open(const Files& files) = 0;
  [[nodiscard]] virtual DataSpec spec() const = 0;
  /// Rows `items` of a split, in that order; fills inputs and targets only. REQUIRES: 0 <= item <
  /// the split's items.
  virtual void fetch(Split split, std::span<const std::int64_t> items, Batch& batch) const = 0;
  /// Stands for every byte that `fetch` can return; part of each trial's id.
  [[nodiscard]] virtual std::uint64_t fingerprint() const = 0;

  template <class T>
  static constexpr void describe(manifest_detail::Text& out, const T* /*part*/) {
    if constexpr (requires { T::files(); }) {
      out.key("files"), out.put('[');
      bool first = true;
      for (const DataFile& file : T::files()) {
        if (!first) out.put(',');
        first = false;
        out.put('{');
        out.key("name"), out.quoted(file.name);
        out.key("folder"), out.quoted(file.folder);
        out.key("url"), out.quoted(file.url);
        out.key("sha256"), out.quoted(file.sha256);
        out.key("content"), out.quoted(file.content);
        out.key("bytes"), out.integer(file.bytes);
        out.key("unless"), out.quoted(file.unless);
        out.put('}');
      }
      out.put(']');
    }
  }
};

/// A data set held in memory as tensors: fill `train`, `valid` and `about` in `open` and be done.
class TensorDataset : public Dataset {
 public:
  struct Columns {
    at::Tensor input;   // N ..., any dtype; images N C H W uint8
    at::Tensor target;  // N, int64 classes, or N K float
  };

  [[nodiscard]] DataSpec spec() const final;
  void fetch(Split split, std::span<const std::int64_t> items, Batch& batch) const final;
  [[nodiscard]] std::uint64_t fingerprint() const final;

 protected:
  Columns train, valid;
  DataSpec about;  // types, classes, mean and std; shapes and counts are read off the columns
};

/// 64-bit hash of a tensor's bytes, shape and type; for fingerprints.
std::uint64_t hash_of(const at::Tensor& tensor, std::uint64_t seed = 0);

}  // namespace paribus
