// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "paribus/checkpoint.h"
#include "safetensors_header.h"

namespace paribus {

/// A safetensors file before it is written: the header's text, then the data.
struct SafetensorsImage {
  std::string header;
  std::vector<at::Tensor> data;

  [[nodiscard]] std::int64_t bytes() const;
  void write(const std::filesystem::path& file) const;
};

/// Throws Error naming `file` for what no reader would take.
SafetensorsImage safetensors_image(const std::filesystem::path& file, NamedTensors tensors,
                                   const SafetensorsMetadata& metadata);

/// As read_safetensors of checkpoint.h, and what the file says of itself.
TensorMap read_safetensors(const std::filesystem::path& file, SafetensorsMetadata& metadata);

/// A tensor as a header names it: "F32" and "[2,3]".
std::string safetensors_type(const at::Tensor& tensor, const std::string& name);
std::string safetensors_shape(const at::Tensor& tensor);

/// Room for the tensor of an entry whose bytes are `end - begin`. Throws Error naming `file`.
at::Tensor empty_tensor(const SafetensorsEntry& entry, const std::string& file);

}  // namespace paribus
