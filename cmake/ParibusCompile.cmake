# SPDX-License-Identifier: Apache-2.0
# The flags of our own code: warnings are errors; sanitizers where asked.

add_library(paribus_warnings INTERFACE)
target_compile_options(paribus_warnings INTERFACE -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual
                                                  -Werror)
if(PARIBUS_SANITIZE)
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
endif()
