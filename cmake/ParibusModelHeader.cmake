# SPDX-License-Identifier: Apache-2.0
# torch/nn takes 14 s to parse: models share one precompiled header. In this tree it lies in the build folder; projects
# elsewhere share the one in the user's cache, which the first of them makes (700 MB, so none is shipped).

# A header that only serves those compiled by the same compiler with the same flags for the same kernel and LibTorch.
function(paribus_model_header_key result)
  file(STRINGS ${PARIBUS_INCLUDE_DIR}/paribus/abi.h abi REGEX "define|constexpr|namespace")
  string(TOUPPER "${CMAKE_BUILD_TYPE}" type)
  string(SHA256 key "${CMAKE_CXX_COMPILER};${CMAKE_CXX_COMPILER_VERSION};${CMAKE_CXX_FLAGS};${CMAKE_CXX_FLAGS_${type}};\
${PARIBUS_INCLUDE_DIR};${PARIBUS_TORCH_DIR};${PARIBUS_TORCH_VERSION};${abi}")
  string(SUBSTRING ${key} 0 16 key)
  set(${result} ${key} PARENT_SCOPE)
endfunction()

# The three newest are kept: a change of compiler or kernel leaves its old one behind.
function(paribus_prune_model_headers folder kept)
  file(GLOB headers ${folder}/*/model.h.gch)
  set(dated "")
  foreach(header IN LISTS headers)
    file(TIMESTAMP ${header} time "%s")
    list(APPEND dated "${time} ${header}")
  endforeach()
  list(SORT dated COMPARE NATURAL ORDER DESCENDING)
  list(SUBLIST dated 0 3 newest)
  list(REMOVE_ITEM dated ${newest})
  foreach(one IN LISTS dated)
    string(REGEX REPLACE "^[0-9]+ (.*)/model.h.gch$" "\\1" old "${one}")
    if(NOT old STREQUAL "${folder}/${kept}")
      file(REMOVE_RECURSE ${old})
    endif()
  endforeach()
endfunction()

function(paribus_shared_model_header target)
  get_target_property(PARIBUS_INCLUDE_DIR Paribus::paribus INTERFACE_INCLUDE_DIRECTORIES)
  list(GET PARIBUS_INCLUDE_DIR 0 PARIBUS_INCLUDE_DIR)
  set(cache $ENV{XDG_CACHE_HOME})
  if(NOT cache)
    set(cache $ENV{HOME}/.cache)
  endif()
  paribus_model_header_key(key)
  set(header ${cache}/paribus/model_headers/${key}/model.h)
  if(NOT TARGET paribus_model_header)
    paribus_prune_model_headers(${cache}/paribus/model_headers ${key})
    file(CONFIGURE OUTPUT ${header} CONTENT "#include <paribus/model.h>\n")
    add_library(paribus_model_flags OBJECT EXCLUDE_FROM_ALL ${header})  # only tells the flags
    set_target_properties(paribus_model_flags PROPERTIES LINKER_LANGUAGE CXX)
    target_link_libraries(paribus_model_flags PRIVATE Paribus::paribus)
    string(TOUPPER "${CMAKE_BUILD_TYPE}" type)
    separate_arguments(flags NATIVE_COMMAND "${CMAKE_CXX_FLAGS} ${CMAKE_CXX_FLAGS_${type}}")
    set(defined $<TARGET_PROPERTY:paribus_model_flags,COMPILE_DEFINITIONS>)
    set(included $<TARGET_PROPERTY:paribus_model_flags,INCLUDE_DIRECTORIES>)
    # Whether it is there is asked in each build, and not by time: ninja makes again what another build folder made.
    # Builds that find none at the same time write a file each, and the last to be moved stays: they are the same.
    set(unless_there "test -e \"$0\" || (\"$@\" -o \"$0.$$\" && mv \"$0.$$\" \"$0\") || (rm -f \"$0.$$\" && false)")
    add_custom_target(
      paribus_model_header
      COMMAND sh -c ${unless_there} ${header}.gch ${CMAKE_CXX_COMPILER_LAUNCHER} ${CMAKE_CXX_COMPILER} ${flags}
              "$<$<BOOL:${defined}>:-D$<JOIN:${defined},;-D>>" "-isystem;$<JOIN:${included},;-isystem;>" -std=c++20 -fPIC
              -fvisibility=hidden -fvisibility-inlines-hidden -x c++-header ${header}
      COMMENT "The precompiled paribus/model.h, one for all projects" COMMAND_EXPAND_LISTS VERBATIM)
  endif()
  add_dependencies(${target} paribus_model_header)
  target_compile_options(${target} PRIVATE -Winvalid-pch "SHELL:-include ${header}")
endfunction()

function(paribus_own_model_header target)
  if(NOT TARGET paribus_model_pch)
    set(source ${CMAKE_BINARY_DIR}/paribus_model_pch.cpp)
    file(GENERATE OUTPUT ${source} CONTENT "// makes the precompiled header\n")
    add_library(paribus_model_pch OBJECT ${source})
    target_link_libraries(paribus_model_pch PUBLIC Paribus::paribus)
    paribus_plugin_properties(paribus_model_pch)
    target_precompile_headers(paribus_model_pch PRIVATE <paribus/model.h>)
  endif()
  target_precompile_headers(${target} REUSE_FROM paribus_model_pch)
endfunction()

function(paribus_use_model_header kind target)
  if(NOT kind STREQUAL "model")
    return()
  endif()
  if(PARIBUS_IN_TREE OR NOT CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    paribus_own_model_header(${target})
  else()
    paribus_shared_model_header(${target})
  endif()
  # Without it ccache takes no file with a precompiled header.
  target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>)
endfunction()
