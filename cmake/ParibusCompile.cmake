# SPDX-License-Identifier: Apache-2.0
# The flags of our own code: warnings, errors where the compiler is the one we pin; sanitizers where asked.

# A newer compiler's new warnings must not stop someone who only wants to run a study.
set(werror_default OFF)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  set(werror_default ON)
endif()
option(PARIBUS_WERROR "warnings are errors" ${werror_default})

add_library(paribus_warnings INTERFACE)
target_compile_options(paribus_warnings INTERFACE -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual
                                                  $<$<BOOL:${PARIBUS_WERROR}>:-Werror>)
if(PARIBUS_SANITIZE)
  # GCC 12 loses track of values between the checks that the sanitizers put in.
  add_compile_options($<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
endif()

if(PARIBUS_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()
find_program(MOLD mold)
if(MOLD)
  add_link_options(-fuse-ld=mold)
endif()
