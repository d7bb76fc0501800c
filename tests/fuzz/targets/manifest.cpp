// SPDX-License-Identifier: Apache-2.0
// The text in a plugin's .paribus section.
#include "registry/manifest.h"

#include "input.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  paribus::fuzz::refusing(
      [&] { paribus::registry::parse_manifests(paribus::fuzz::text_of(data, size)); });
  return 0;
}
