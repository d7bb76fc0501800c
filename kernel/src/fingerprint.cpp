// SPDX-License-Identifier: Apache-2.0
#include "fingerprint.h"

#include <ATen/Functions.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

namespace paribus {
namespace {

constexpr std::size_t kWindow = 4096;  // bytes: an eighth of a microsecond
constexpr std::size_t kLanes = 4, kStripe = kLanes * 16;
constexpr std::array<std::uint64_t, kLanes> kSecrets{0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9,
                                                     0x94D049BB133111EB, 0xD6E8FEB86659FD93};

/// The 128 bits of a product, folded: each bit of either factor reaches all bits.
std::uint64_t mixed(std::uint64_t a, std::uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

std::uint64_t word_at(const char* bytes) {
  std::uint64_t word;
  std::memcpy(&word, bytes, sizeof word);
  return word;
}

/// After wyhash (Wang Yi); several lanes, so that multiplications overlap.
std::uint32_t hash_of(const char* bytes, std::size_t count, std::uint64_t seed) {
  std::array<std::uint64_t, kLanes> lanes;
  for (std::size_t i = 0; i < kLanes; ++i) lanes[i] = seed + kSecrets[i];
  std::size_t at = 0;
  for (; at + kStripe <= count; at += kStripe) {
    for (std::size_t i = 0; i < kLanes; ++i) {
      const char* from = bytes + at + 16 * i;
      lanes[i] = mixed(word_at(from) ^ kSecrets[i], word_at(from + 8) ^ lanes[i]);
    }
  }
  for (; at < count; at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes + at, std::min<std::size_t>(8, count - at));
    lanes[0] = mixed(word ^ kSecrets[1], lanes[0] ^ kSecrets[2]);
  }
  std::uint64_t hash = count;
  for (const std::uint64_t lane : lanes) {  // no factor that a lane could make zero
    hash = (hash ^ lane) * kSecrets[0];
    hash ^= hash >> 29;
  }
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
