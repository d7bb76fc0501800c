// SPDX-License-Identifier: Apache-2.0
// A public key and a signature of minisign; none but the genuine one holds.
#include "registry/signature.h"

#include "input.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace paribus;
  static const registry::PublicKey kKey =
      registry::parse_public_key("RWQpjZ2qLOpifNjhYHRl7Tb1HqU6EIlGWpPNWpmoRj7BXmvfvZ6D/DBm");
  const std::string_view text = fuzz::text_of(data, size);
  fuzz::refusing([&] { registry::parse_public_key(text); });
  fuzz::refusing([&] {
    const registry::Signature signature = registry::parse_signature(text);
    registry::verify(signature, "hello\n", kKey);
    if (signature.comment != "made") __builtin_trap();
  });
  return 0;
}
