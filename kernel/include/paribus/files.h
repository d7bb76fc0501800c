// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "paribus/dataset.h"

namespace paribus {

// Readers for data sets. What they read is hostile until checked: sizes are bounded before memory
// is taken, and each Error reads `<who>: <file>: what is wrong, got X, expected Y`, `who` being the
// part, e.g. "dataset/mnist".

/// Reads a file from front to back, un-gzipping it where it is gzip.
class InputFile {
 public:
  InputFile(std::string who, std::string path);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  /// Fills `to` with the next `bytes` bytes of `what`; an Error says how many there were if there
  /// are fewer.
  void read(void* to, std::size_t bytes, std::string_view what);
  void skip(std::size_t bytes, std::string_view what);
  /// Also true only if the gzip checksum is right.
  [[nodiscard]] bool at_end();
  /// The most that the file can hold once un-gzipped: deflate can't shrink more than 1032 to 1.
  [[nodiscard]] std::size_t most_bytes() const { return most_bytes_; }
  [[nodiscard]] std::string where(const std::string& problem) const {
    return who_ + ": " + path_ + ": " + problem;
  }

 private:
  std::size_t read_some(void* to, std::size_t bytes);

  std::string who_, path_;
  void* file_ = nullptr;
  std::size_t most_bytes_ = 0;
  std::size_t position_ = 0;
  int peeked_ = -1;  // a byte read to look for the end
};

/// The path of the file `name` of `files()`; an Error if the caller of `open` gave none.
const std::string& path_of(const Files& files, std::string_view who, std::string_view name);

/// Unsigned bytes in the idx format (http://yann.lecun.com/exdb/mnist), gzip or not, with `dims`
/// dimensions.
at::Tensor read_idx(const std::string& who, const std::string& path, std::int64_t dims);

/// One split from a pair of idx files: images N 1 H W uint8 and N classes int64 below `classes`.
TensorDataset::Columns read_idx_split(const std::string& who, const std::string& images,
                                      const std::string& labels, std::int64_t classes);

/// What a tar archive may hold at most.
struct TarLimits {
  std::size_t file_bytes = std::size_t{64} << 20;
  std::size_t total_bytes = std::size_t{1} << 30;
  std::size_t files = 1'000'000;
};

/// Calls `visit` for each regular file of a tar archive (ustar, GNU and pax long names), gzip or
/// not, in its order. Names are as in the archive: they are for comparing, not for opening.
void read_tar(const std::string& who, const std::string& path, const TarLimits& limits,
              const std::function<void(const std::string& name, std::string bytes)>& visit);

}  // namespace paribus
