// SPDX-License-Identifier: Apache-2.0
// Weights and checkpoints.
#include "input.h"
#include "paribus/checkpoint.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const paribus::fuzz::File file(paribus::fuzz::text_of(data, size));
  paribus::fuzz::refusing([&] { paribus::read_safetensors(file.path()); });
  return 0;
}
