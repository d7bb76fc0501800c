// SPDX-License-Identifier: Apache-2.0
#include "paribus/dataset.h"

#include <ATen/Functions.h>

#include <cstring>

namespace paribus {
namespace {

std::vector<std::int64_t> item_shape(const at::Tensor& column) {
  return column.sizes().slice(1).vec();
}

at::Tensor gather(const at::Tensor& column, std::span<const std::int64_t> items) {
  std::vector<std::int64_t> shape = column.sizes().vec();
  shape[0] = static_cast<std::int64_t>(items.size());
  at::Tensor rows = at::empty(shape, column.options());
  const std::size_t row =
      column.numel() == 0 ? 0 : column.nbytes() / static_cast<std::size_t>(column.size(0));
  const auto* from = static_cast<const char*>(column.const_data_ptr());
  auto* to = static_cast<char*>(rows.mutable_data_ptr());
  for (const std::int64_t item : items) {
    std::memcpy(to, from + static_cast<std::size_t>(item) * row, row);
    to += row;
  }
  return rows;
}

}  // namespace

DataSpec TensorDataset::spec() const {
  DataSpec spec = about;
  for (const Columns* columns : {&train, &valid}) {
    if (!columns->input.is_contiguous() || !columns->target.is_contiguous() ||
        columns->input.size(0) != columns->target.size(0)) {
      throw Error(address() + ": inputs and targets must be contiguous and of one length");
    }
  }
  spec.inputs.at(0).shape = item_shape(train.input);
  spec.targets.at(0).shape = item_shape(train.target);
  spec.train_items = train.input.size(0);
  spec.valid_items = valid.input.size(0);
  return spec;
}

void TensorDataset::fetch(Split split, std::span<const std::int64_t> items, Batch& batch) const {
  const Columns& columns = split == Split::train ? train : valid;
  batch.inputs = {{gather(columns.input, items), about.inputs.front().type}};
  batch.targets = {{gather(columns.target, items), about.targets.front().type}};
}

std::uint64_t TensorDataset::fingerprint() const {
  std::uint64_t hash = 0;
  for (const at::Tensor& column : {train.input, train.target, valid.input, valid.target})
    hash = hash_of(column, hash);
  return hash;
}

std::uint64_t hash_of(const at::Tensor& tensor, std::uint64_t seed) {
  const at::Tensor flat = tensor.detach().to(at::kCPU).contiguous();
  std::uint64_t hash =
      seed ^ (static_cast<std::uint64_t>(flat.scalar_type()) + 0x9E3779B97F4A7C15ULL);
  const auto add =
      [&hash](std::uint64_t word) {  // one multiply a word: as strong as a checksum needs, 8 GB/s
        const auto product = static_cast<unsigned __int128>(hash ^ word) * 0x9FB21C651E98DF25ULL;
        hash = static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
        hash += 0x165667B19E3779F9ULL;
      };
  for (const std::int64_t size : flat.sizes()) add(static_cast<std::uint64_t>(size));
  const auto* bytes = static_cast<const char*>(flat.const_data_ptr());
  const std::size_t count = flat.nbytes();
  std::uint64_t word = 0;
  std::size_t at = 0;
  for (; at + sizeof word <= count; at += sizeof word) {
    std::memcpy(&word, bytes + at, sizeof word);
    add(word);
  }
  word = 0;
  std::memcpy(&word, bytes + at, count - at);
  add(word);
  return hash;
}

}  // namespace paribus
