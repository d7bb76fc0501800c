// SPDX-License-Identifier: Apache-2.0
// MNIST's format, packed or not: images, or labels where the first byte is odd.
#include "input.h"
#include "paribus/files.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const paribus::fuzz::File file(paribus::fuzz::text_of(data + 1, size - 1));
  const std::int64_t dims = data[0] % 2 == 0 ? 3 : 1;
  paribus::fuzz::refusing([&] { paribus::read_idx("dataset/fuzz", file.path(), dims); });
  return 0;
}
