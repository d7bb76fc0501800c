// SPDX-License-Identifier: Apache-2.0
// A study's TOML, read and expanded against a few made-up parts.
#include "study/study.h"

#include "../../experiments/study_parts.h"
#include "input.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace paribus;
  constexpr std::size_t kLongest = 4096;  // more is more of the same
  if (size > kLongest) return 0;
  const fuzz::File file(fuzz::text_of(data, size));
  fuzz::refusing([&] { load_study(file.path(), {}, test::catalog()); });
  return 0;
}
