# SPDX-License-Identifier: Apache-2.0
# paribus_add_plugin(KIND NAME [LIBRARIES ...]): NAME.cpp in the current folder becomes the plugin KIND_NAME.so.
# Works in this tree and, through find_package(Paribus), in anyone's.

function(paribus_add_plugin kind name)
  cmake_parse_arguments(arg "" "" "LIBRARIES" ${ARGN})
  set(target ${kind}_${name})
  add_library(${target} MODULE ${name}.cpp)
  set_target_properties(${target} PROPERTIES PREFIX "" CXX_STANDARD 20 CXX_EXTENSIONS OFF CXX_VISIBILITY_PRESET hidden
                                             VISIBILITY_INLINES_HIDDEN ON POSITION_INDEPENDENT_CODE ON)
  target_link_libraries(${target} PRIVATE Paribus::paribus ${arg_LIBRARIES})
  if(kind STREQUAL "model")
    if(TARGET paribus_model_pch)
      target_precompile_headers(${target} REUSE_FROM paribus_model_pch)
    else()
      target_precompile_headers(${target} PRIVATE <paribus/model.h>)
    endif()
  endif()
  if(TARGET paribus_warnings)
    target_link_libraries(${target} PRIVATE paribus_warnings)
    set_target_properties(${target} PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib/paribus/plugins)
    install(TARGETS ${target} LIBRARY DESTINATION lib/paribus/plugins)
  endif()
endfunction()
