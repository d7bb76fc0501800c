// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "paribus/groups.h"
#include "paribus/state.h"

namespace paribus {

/// Writes tensors as a safetensors file: temporary file, fsync, rename, fsync of the folder. A
/// reader sees the old file or the new one, never a part. Throws Error naming the file and the
/// system's reason (disk full).
void write_safetensors(const std::filesystem::path& file, const NamedTensors& tensors,
                       const std::map<std::string, std::string>& metadata = {});

/// Reads a safetensors file, copying the data. Refuses holes, overlaps, trailing bytes, sizes that
/// lie, duplicate names and unknown types with an Error that names the file and the tensor.
TensorMap read_safetensors(const std::filesystem::path& file);

/// Saves what parts name in `PartBase::state`, under `part/<address>/`.
class SaveState final : public State {
 public:
  SaveState(NamedTensors& out, std::string prefix) : out_(out), prefix_(std::move(prefix)) {}
  [[nodiscard]] bool loading() const override { return false; }
  void tensor(std::string_view name, at::Tensor& value) override;
  void tensors(std::string_view name, std::vector<at::Tensor>& value) override;
  void number(std::string_view name, double& value) override;
  void number(std::string_view name, std::int64_t& value) override;

 private:
  NamedTensors& out_;
  std::string prefix_;
};

class LoadState final : public State {
 public:
  LoadState(const TensorMap& saved, std::string prefix)
      : saved_(saved), prefix_(std::move(prefix)) {}
  [[nodiscard]] bool loading() const override { return true; }
  void tensor(std::string_view name, at::Tensor& value) override;
  void tensors(std::string_view name, std::vector<at::Tensor>& value) override;
  void number(std::string_view name, double& value) override;
  void number(std::string_view name, std::int64_t& value) override;

 private:
  [[nodiscard]] const at::Tensor& find(std::string_view name) const;

  const TensorMap& saved_;
  std::string prefix_;
};

}  // namespace paribus
