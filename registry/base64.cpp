// SPDX-License-Identifier: Apache-2.0
#include "registry/base64.h"

#include <sodium/utils.h>

namespace paribus::registry {

std::string base64(std::string_view bytes) {
  constexpr int kForm = sodium_base64_VARIANT_ORIGINAL;
  std::string text(sodium_base64_encoded_len(bytes.size(), kForm), '\0');
  ::sodium_bin2base64(text.data(), text.size(),
                      reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), kForm);
  text.pop_back();  // its zero
  return text;
}

}  // namespace paribus::registry
