// SPDX-License-Identifier: Apache-2.0
#include "checkpoint_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <optional>
#include <sstream>

#include "atomic_file.h"
#include "paribus/error.h"
#include "safetensors.h"
#include "sha256.h"
#include "store.h"

namespace paribus {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLarge = 64 * 1024;
constexpr std::int64_t kBlock = 4096;  // of a file system: what a file's last bytes and name take
constexpr const char* kLargePrefix = "large/";
constexpr std::string_view kHead = "{\"__metadata__\":{\"sha256\":\"";  // how each file begins
constexpr std::size_t kSumSize = 64;
const std::string kNoSum(kSumSize, '0');

/// The step of "step-120.safetensors", or nothing.
std::optional<std::int64_t> step_of(const fs::path& file) {
  const std::string stem = file.stem().string();
  if (file.extension() != ".safetensors" || !stem.starts_with("step-")) return std::nullopt;
  const std::string digits = stem.substr(5);
  if (digits.empty() || digits.size() > 15 ||
      digits.find_first_not_of("0123456789") != std::string::npos) {
    return std::nullopt;
  }
  return std::stoll(digits);
}

Store store_of(const fs::path& file) { return Store(file.parent_path().parent_path() / "objects"); }

fs::path pins_of(const fs::path& file) { return fs::path(file).replace_extension(".tensors"); }

struct Large {
  at::Tensor tensor;
  std::string sha256;
};

std::string sum_of(const at::Tensor& tensor) {
  Sha256 sum;
  sum.add(tensor.const_data_ptr(), tensor.nbytes());
  return sum.hex();
}

/// Of a file whose sum is to stand in it.
std::string sum_of(const SafetensorsImage& image) {
  Sha256 sum;
  sum.add(image.header.data(), image.header.size());
  for (const at::Tensor& tensor : image.data) sum.add(tensor.const_data_ptr(), tensor.nbytes());
  return sum.hex();
}

void check_sum(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) throw Error(file.string() + ": can't open it: " + std::strerror(errno));
  std::ostringstream all;
  all << in.rdbuf();
  std::string bytes = std::move(all).str();
  if (bytes.size() < 8 + kHead.size() + kSumSize || bytes.substr(8, kHead.size()) != kHead)
    throw Error(file.string() +
                ": is damaged or no checkpoint: its first bytes aren't those of one");
  const std::string expected = bytes.substr(8 + kHead.size(), kSumSize);
  bytes.replace(8 + kHead.size(), kSumSize, kNoSum);
  Sha256 sum;
  sum.add(bytes.data() + 8, bytes.size() - 8);
  const std::string got = sum.hex();
  if (got == expected) return;
  throw Error(file.string() + ": is damaged: its SHA-256 is " + got + ", expected " + expected);
}

/// "F32 [64,784] 200704 9f86..."
at::Tensor read_large(const fs::path& file, const std::string& name, const std::string& reference) {
  std::istringstream in(reference);
  SafetensorsEntry entry{name, "", {}, 0, 0};
  std::string shape, sha256;
  in >> entry.type >> shape >> entry.end >> sha256;
  if (!in || sha256.find_first_not_of("0123456789abcdef") != std::string::npos)
    throw Error(file.string() + ": tensor '" + name + "' is said to be '" + reference + "'");
  entry.shape = read_safetensors_shape(shape, file.string());
  at::Tensor tensor = empty_tensor(entry, file.string());
  const fs::path pin = pins_of(file) / sha256;
  std::ifstream bytes(pin, std::ios::binary);
  if (!bytes)
    throw Error(pin.string() + ": can't open it: " + std::strerror(errno) + "; it is tensor '" +
                name + "' of " + file.filename().string());
  bytes.read(static_cast<char*>(tensor.mutable_data_ptr()),
             static_cast<std::streamsize>(tensor.nbytes()));
  const bool is_whole = bytes && bytes.peek() == std::ifstream::traits_type::eof();
  if (!is_whole || sum_of(tensor) != sha256)
    throw Error(pin.string() + ": is damaged, its name is no longer its SHA-256; it is tensor '" +
                name + "' of " + file.filename().string());
  return tensor;
}

void remove_pins(const fs::path& folder, const Store& store) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    if (entry.path().extension() == kPartial)
      fs::remove(entry.path(), ignored);
    else
      store.unpin(entry.path());
  }
  fs::remove(folder, ignored);
}

void write_pins(const fs::path& file, const std::vector<Large>& large) {
  if (large.empty()) return;
  const fs::path folder = pins_of(file);
  const Store store = store_of(file);
  if (::mkdir(folder.c_str(), 0755) != 0 && errno != EEXIST) fail_to("create", folder, errno);
  for (const auto& [tensor, sha256] : large)
    store.pin(folder, sha256, tensor.const_data_ptr(), tensor.nbytes());
  sync_folder(folder);
}

std::int64_t bytes_to_come(const SafetensorsImage& image, const std::vector<Large>& large,
                           const Store& store) {
  std::int64_t bytes = image.bytes() + 3 * kBlock;
  for (const auto& [tensor, sha256] : large) {
    const bool is_there = store.has(sha256, tensor.nbytes());
    bytes += is_there ? 0 : static_cast<std::int64_t>(tensor.nbytes()) + 2 * kBlock;
  }
  return bytes;
}

}  // namespace

void write_checkpoint(const fs::path& file, const NamedTensors& tensors,
                      const std::function<void(std::int64_t)>& before_write) {
  NamedTensors small;
  std::vector<Large> large;
  SafetensorsMetadata metadata{{"sha256", kNoSum}};
  for (const auto& [name, tensor] : tensors) {
    if (tensor.nbytes() < kLarge) {
      small.emplace_back(name, tensor);
      continue;
    }
    const at::Tensor here = tensor.detach().to(at::kCPU).contiguous();
    large.push_back({here, sum_of(here)});
    metadata.emplace_back(kLargePrefix + name,
                          safetensors_type(here, name) + " " + safetensors_shape(here) + " " +
                              std::to_string(here.nbytes()) + " " + large.back().sha256);
  }
  SafetensorsImage image = safetensors_image(file, std::move(small), metadata);
  image.header.replace(kHead.size(), kSumSize, sum_of(image));
  const Store store = store_of(file);
  before_write(bytes_to_come(image, large, store));
  try {
    write_pins(file, large);
    image.write(file);
  } catch (const Error&) {
    if (!fs::exists(file)) remove_pins(pins_of(file), store);
    throw;
  }
}

TensorMap read_checkpoint(const fs::path& file) {
  check_sum(file);
  SafetensorsMetadata metadata;
  TensorMap tensors = read_safetensors(file, metadata);
  for (const auto& [key, value] : metadata) {
    if (!key.starts_with(kLargePrefix)) continue;
    const std::string name = key.substr(std::string_view(kLargePrefix).size());
    tensors.emplace(name, read_large(file, name, value));
  }
  return tensors;
}

std::vector<fs::path> checkpoints_in(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (step_of(entry.path())) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end(),
            [](const auto& a, const auto& b) { return *step_of(a) > *step_of(b); });
  return files;
}

Found newest_checkpoint(const fs::path& folder) {
  Found found;
  for (const fs::path& file : checkpoints_in(folder)) {
    try {
      found.tensors = read_checkpoint(file);
      found.file = file.filename().string();
      return found;
    } catch (const Error& problem) {
      found.damage += std::string(problem.what()) + "; ";
    }
  }
  return found;
}

void remove_checkpoint(const fs::path& file) {
  fs::remove(file);  // first: what names the pins must not outlive them
  remove_pins(pins_of(file), store_of(file));
}

void remove_leftovers(const fs::path& folder) {
  const Store store(folder.parent_path() / "objects");
  std::vector<fs::path> entries;
  for (const auto& entry : fs::directory_iterator(folder)) entries.push_back(entry.path());
  for (const fs::path& path : entries) {
    if (path.extension() == kPartial) fs::remove(path);
    if (path.extension() == ".tensors" &&
        !fs::exists(fs::path(path).replace_extension(".safetensors"))) {
      remove_pins(path, store);
    }
  }
}

void write_weights(const fs::path& file, const NamedTensors& tensors,
                   const std::function<void(std::int64_t)>& before_write) {
  const SafetensorsImage image = safetensors_image(file, tensors, {});
  before_write(image.bytes() + 2 * kBlock);
  image.write(file);
  if (image.bytes() < static_cast<std::int64_t>(kLarge)) return;
  const auto size = fs::file_size(file);
  for (const auto& entry : fs::directory_iterator(file.parent_path())) {
    const fs::path& other = entry.path();
    if (other == file || other.extension() != ".safetensors" || step_of(other) ||
        entry.file_size() != size || !same_bytes(other, file)) {
      continue;
    }
    const fs::path name = file.string() + kPartial;
    if (::link(other.c_str(), name.c_str()) != 0) return;
    ::chmod(name.c_str(), 0444);  // written to in place, it would change under both names
    fs::rename(name, file);
    return;
  }
}

}  // namespace paribus
