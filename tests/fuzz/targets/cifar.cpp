// SPDX-License-Identifier: Apache-2.0
// A tar archive of CIFAR-10's batches, or of image files.
#include "../../../plugins/dataset/cifar10.cpp"
#include "input.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const paribus::fuzz::File file(paribus::fuzz::text_of(data, size));
  const std::string path = file.path();
  paribus::fuzz::refusing([&] {
    Cifar10::Whole<Cifar10> part;
    part.params.dir = path;
    part.open({});
  });
  return 0;
}
