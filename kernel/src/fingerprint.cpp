// SPDX-License-Identifier: Apache-2.0
#include "fingerprint.h"

#include <ATen/Functions.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

namespace paribus {
namespace {

constexpr std::size_t kWindow = 4096;  // bytes: a quarter of a microsecond
constexpr std::uint64_t kPrime = 0x9E3779B97F4A7C15;

std::uint64_t mixed(std::uint64_t hash, std::uint64_t word) {
  hash = (hash ^ word) * kPrime;
  return hash ^ (hash >> 29);
}

/// Four lanes, so that multiplications overlap.
std::uint32_t hash_of(const char* bytes, std::size_t count, std::uint64_t seed) {
  std::array<std::uint64_t, 4> lanes{seed, seed + 1, seed + 2, seed + 3};
  std::size_t at = 0;
  for (; at + 32 <= count; at += 32) {
    std::array<std::uint64_t, 4> words;
    std::memcpy(words.data(), bytes + at, 32);
    for (std::size_t i = 0; i < 4; ++i) lanes[i] = mixed(lanes[i], words[i]);
  }
  for (; at < count; at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes + at, std::min<std::size_t>(8, count - at));
    lanes[0] = mixed(lanes[0], word);
  }
  std::uint64_t hash = mixed(0, count);
  for (const std::uint64_t lane : lanes) hash = mixed(hash, lane);
  return static_cast<std::uint32_t>(hash >> 32);
}

const char* bytes_of(const at::Tensor& tensor) {
  return static_cast<const char*>(tensor.const_data_ptr());
}

}  // namespace

Fingerprinter::Fingerprinter(NamedTensors tensors) : tensors_(std::move(tensors)) {
  std::size_t windows = 0;
  for (const auto& [name, tensor] : tensors_) {
    const bool readable = tensor.is_cpu() && tensor.is_non_overlapping_and_dense();
    windows += readable ? (tensor.nbytes() + kWindow - 1) / kWindow : 0;
    windows_.push_back(windows);
  }
}

std::uint32_t Fingerprinter::window(std::int64_t step, double loss) const {
  const auto seed = std::bit_cast<std::uint64_t>(loss);
  if (windows_.empty() || windows_.back() == 0) return hash_of(nullptr, 0, seed);
  const std::size_t wanted = static_cast<std::size_t>(step) % windows_.back();
  const auto found = std::upper_bound(windows_.begin(), windows_.end(), wanted);
  const auto index = static_cast<std::size_t>(found - windows_.begin());
  const std::size_t before = index == 0 ? 0 : windows_[index - 1];
  const at::Tensor& tensor = tensors_[index].second;
  const std::size_t start = (wanted - before) * kWindow;
  return hash_of(bytes_of(tensor) + start, std::min(kWindow, tensor.nbytes() - start), seed);
}

Fingerprints Fingerprinter::all() const {
  Fingerprints all;
  for (const auto& [name, tensor] : tensors_) {
    const at::Tensor here = tensor.detach().cpu();
    const at::Tensor dense = here.is_non_overlapping_and_dense() ? here : here.contiguous();
    all.emplace_back(name, hash_of(bytes_of(dense), dense.nbytes(), 0));
  }
  return all;
}

}  // namespace paribus
