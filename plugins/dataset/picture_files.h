// SPDX-License-Identifier: Apache-2.0
#pragma once

// Pictures where data sets of pictures find them: in a folder, or in a tar archive of one.

#include <ATen/core/Tensor.h>
#include <paribus/files.h>
#include <paribus/random.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <set>

#include "pictures.h"

namespace paribus::pictures {

namespace fs = std::filesystem;

constexpr std::size_t kMaxFileBytes = std::size_t{64} << 20;
constexpr std::int64_t kMaxBytes = std::int64_t{8} << 30;  // of a set in memory
constexpr std::size_t kMaxItems = 10'000'000;

/// By its name.
inline bool is_picture(const std::string& name) {
  static const std::set<std::string> kEndings{".jpg", ".jpeg", ".png", ".JPG", ".JPEG", ".PNG"};
  return kEndings.contains(fs::path(name).extension().string());
}

/// Files of a set, in the name of the part that reads them.
class Source {
 public:
  /// A file as it lies on disk, or in the archive.
  struct Item {
    std::string inside;  // its path below the top
    std::string shown;   // for messages
    std::string bytes;   // empty: they are on disk at `shown`
  };

  Source(std::string who, std::string from) : who_(std::move(who)), from_(std::move(from)) {}

  /// Those whose name `wanted` takes, sorted by their paths.
  template <class Wanted>
  [[nodiscard]] std::vector<Item> items(Wanted wanted) const {
    std::vector<Item> found;
    try {
      found = fs::is_directory(from_) ? in_folder(wanted) : in_archive(wanted);
    } catch (const fs::filesystem_error& problem) {
      fail(from_, problem.code().message());
    }
    std::sort(found.begin(), found.end(),
              [](const Item& a, const Item& b) { return a.inside < b.inside; });
    return found;
  }

  [[noreturn]] void fail(const std::string& file, const std::string& problem) const {
    throw Error(who_ + ": " + file + ": " + problem);
  }
  [[noreturn]] void fail(const std::string& problem) const { fail(from_, problem); }

  [[nodiscard]] std::string bytes_of(const Item& item) const {
    return item.bytes.empty() ? read_whole(item.shown) : item.bytes;
  }

  [[nodiscard]] Picture decoded(const Item& item, std::int64_t side) const {
    Picture picture;
    std::string reason;
    if (!decode(bytes_of(item), side, picture, reason)) fail(item.shown, reason);
    return picture;
  }

  /// Throws Error where so many pictures of this size are more than memory should hold.
  void check_room(std::int64_t items, std::int64_t height, std::int64_t width,
                  std::int64_t planes) const {
    const std::int64_t bytes = items * planes * height * width;
    if (bytes <= kMaxBytes) return;
    fail(std::to_string(items) + " images of " + std::to_string(height) + " x " +
         std::to_string(width) + " take " + std::to_string(bytes >> 20) +
         " MiB, expected at most " + std::to_string(kMaxBytes >> 20) + "; set a smaller size");
  }

 private:
  [[nodiscard]] std::string read_whole(const std::string& path) const {
    std::error_code problem;
    const auto size = fs::file_size(path, problem);
    if (problem) fail(path, "can't be read (" + problem.message() + ")");
    if (size > kMaxFileBytes)
      fail(path, "too large, got " + std::to_string(size) + " bytes, expected at most " +
                     std::to_string(kMaxFileBytes));
    std::string bytes(size, '\0');
    if (!std::ifstream(path, std::ios::binary)
             .read(bytes.data(), static_cast<std::streamsize>(size)))
      fail(path, "can't be read");
    return bytes;
  }

  /// A link to a folder, so many below the top; there is no end to one that leads back.
  void check_link(const fs::path& link, int depth) const {
    fs::path above = link;
    for (int i = 0; i <= depth; ++i) {
      above = above.parent_path();
      if (fs::equivalent(link, above)) fail(link.string(), "is a link to a folder that holds it");
    }
  }

  template <class Wanted>
  [[nodiscard]] std::vector<Item> in_folder(Wanted wanted) const {
    std::vector<Item> found;
    const auto links = fs::directory_options::follow_directory_symlink;
    for (fs::recursive_directory_iterator at(from_, links), end; at != end; ++at) {
      const fs::directory_entry& entry = *at;
      if (entry.is_symlink() && entry.is_directory()) check_link(entry.path(), at.depth());
      if (!entry.is_regular_file() || !wanted(entry.path().string())) continue;
      // By the names in this folder: where links lead says nothing of splits and classes.
      found.push_back(
          {entry.path().lexically_relative(from_).generic_string(), entry.path().string(), ""});
      if (found.size() > kMaxItems) fail("more than " + std::to_string(kMaxItems) + " images");
    }
    return found;
  }

  /// Where all lie in one folder of the archive, that is the top.
  template <class Wanted>
  [[nodiscard]] std::vector<Item> in_archive(Wanted wanted) const {
    std::vector<Item> found;
    read_tar(who_, from_, {}, [&](const std::string& name, std::string bytes) {
      if (!wanted(name)) return;
      if (bytes.empty()) fail(from_ + " holds " + name, "is empty");
      found.push_back({fs::path(name).lexically_normal().generic_string(), from_ + " holds " + name,
                       std::move(bytes)});
    });
    if (found.empty()) return found;
    const std::string top = found.front().inside.substr(0, found.front().inside.find('/') + 1);
    const bool all = !top.empty() && std::all_of(found.begin(), found.end(), [&](const Item& item) {
      return item.inside.starts_with(top) &&
             (!is_picture(item.inside) || item.inside.find('/', top.size()) != std::string::npos);
    });
    if (all) {
      for (Item& item : found) item.inside.erase(0, top.size());
    }
    return found;
  }

  std::string who_, from_;
};

/// A seeded part of them, at least one and not all, for validation; the order stays. Returns what
/// is taken out. REQUIRES: at least two.
template <class T>
std::vector<T> hold_out(std::vector<T>& of, double part, int seed, const std::string& name) {
  std::vector<std::size_t> order(of.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  Draws draws = Stream(static_cast<std::uint64_t>(seed), name).step(0, 0);
  shuffle(draws, order);
  const long wanted = std::lround(part * static_cast<double>(order.size()));
  const long count = std::clamp(wanted, 1L, static_cast<long>(order.size()) - 1);
  const std::set<std::size_t> out(order.end() - count, order.end());
  std::vector<T> kept, taken;
  for (std::size_t i = 0; i < of.size(); ++i) (out.contains(i) ? taken : kept).push_back(of[i]);
  of = std::move(kept);
  return taken;
}

/// Mean and standard deviation of each colour over the training pictures, from whole numbers.
inline void state_colours(const at::Tensor& pictures, DataSpec& about) {
  const std::int64_t plane = pictures.size(2) * pictures.size(3);
  std::array<std::uint64_t, 3> sum{}, squares{};
  const auto* value = pictures.const_data_ptr<std::uint8_t>();
  for (std::int64_t i = 0; i < pictures.size(0); ++i) {
    for (std::size_t c = 0; c < 3; ++c) {
      for (std::int64_t k = 0; k < plane; ++k, ++value) {
        sum[c] += *value;
        squares[c] += static_cast<std::uint64_t>(*value) * *value;
      }
    }
  }
  const auto count = static_cast<double>(pictures.size(0) * plane);
  for (std::size_t c = 0; c < 3; ++c) {
    const double mean = static_cast<double>(sum[c]) / count;
    about.mean.push_back(mean);
    const double variance = static_cast<double>(squares[c]) / count - mean * mean;
    about.std.push_back(variance > 0 ? std::sqrt(variance) : 1.0);
  }
}

}  // namespace paribus::pictures
