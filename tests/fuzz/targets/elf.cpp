// SPDX-License-Identifier: Apache-2.0
// A plugin's file, as far as it is read without being loaded.
#include "registry/elf.h"

#include "input.h"
#include "registry/manifest.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace paribus;
  const fuzz::File file(fuzz::text_of(data, size));
  fuzz::refusing([&] { registry::parse_manifests(registry::read_section(file.path()).text); });
  return 0;
}
