# SPDX-License-Identifier: Apache-2.0
# paribus_add_plugin(KIND NAME [OFF KEY=VALUE ...] [LIBRARIES ...]): NAME.cpp in the current folder becomes the plugin
# KIND_NAME.so. OFF: the settings by which the part does nothing, for `paribus plugins check`, in KIND_NAME.off beside it.
# paribus_add_plugin_test(KIND NAME): test_NAME.cpp, which includes NAME.cpp, becomes a test of CTest.
# Works in this tree and, through find_package(Paribus), in anyone's.

include(${CMAKE_CURRENT_LIST_DIR}/ParibusModelHeader.cmake)

# A precompiled header serves only those that are compiled with the same flags.
function(paribus_plugin_properties target)
  set_target_properties(${target} PROPERTIES CXX_STANDARD 20 CXX_STANDARD_REQUIRED ON CXX_EXTENSIONS OFF
                                             CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON
                                             POSITION_INDEPENDENT_CODE ON)
  if(TARGET paribus_warnings)
    target_link_libraries(${target} PRIVATE paribus_warnings)
  endif()
endfunction()

# A tracker runs in a process without LibTorch: it sees the kernel's headers, and links nothing of it.
function(paribus_link_kernel kind target)
  if(NOT kind STREQUAL "tracker")
    target_link_libraries(${target} PRIVATE Paribus::paribus)
    return()
  endif()
  target_include_directories(${target} PRIVATE $<TARGET_PROPERTY:Paribus::paribus,INTERFACE_INCLUDE_DIRECTORIES>)
  target_include_directories(${target} SYSTEM PRIVATE ${PARIBUS_TORCH_DIR}/include
                                                      ${PARIBUS_TORCH_DIR}/include/torch/csrc/api/include)
endfunction()

function(paribus_add_plugin kind name)
  cmake_parse_arguments(arg "" "" "OFF;LIBRARIES" ${ARGN})
  set(target ${kind}_${name})
  add_library(${target} MODULE ${name}.cpp)
  set_target_properties(${target} PROPERTIES PREFIX "")
  paribus_plugin_properties(${target})
  paribus_link_kernel(${kind} ${target})
  target_link_libraries(${target} PRIVATE ${arg_LIBRARIES})
  paribus_use_model_header(${kind} ${target})
  if(arg_OFF)
    list(JOIN arg_OFF "\n" settings)
    file(GENERATE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/${target}.off CONTENT "${settings}\n")
  endif()
  if(PARIBUS_IN_TREE)
    set_target_properties(${target} PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib/paribus/plugins
                                               INSTALL_RPATH "$ORIGIN/../..")
    install(TARGETS ${target} LIBRARY DESTINATION lib/paribus/plugins)
  else()
    # Every Paribus of the prefix, of the Python environment or of the machine looks there.
    set(place lib/paribus/site-plugins)
    if(SKBUILD)
      set(place ${SKBUILD_DATA_DIR}/${place})  # in a wheel: below sys.prefix
    endif()
    install(TARGETS ${target} LIBRARY DESTINATION ${place})
  endif()
endfunction()

# paribus_package(MAINTAINER "NAME <MAIL>" [DESCRIPTION ...]): `cpack` in the build folder makes a Debian package of what
# the project installs. Paribus itself is no dependency: it says which plugins fit it, and refuses others by name.
macro(paribus_package)
  cmake_parse_arguments(package "" "MAINTAINER;DESCRIPTION" "" ${ARGN})
  if(NOT package_MAINTAINER)
    message(FATAL_ERROR "paribus_package: no MAINTAINER, expected \"NAME <MAIL>\"")
  endif()
  string(TOLOWER "paribus-plugin-${PROJECT_NAME}" CPACK_PACKAGE_NAME)
  string(REPLACE "_" "-" CPACK_PACKAGE_NAME ${CPACK_PACKAGE_NAME})
  set(CPACK_GENERATOR DEB)
  set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
  set(CPACK_STRIP_FILES ON)
  set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
  set(CPACK_DEBIAN_PACKAGE_MAINTAINER "${package_MAINTAINER}")
  set(CPACK_DEBIAN_PACKAGE_SECTION science)
  set(CPACK_DEBIAN_PACKAGE_DESCRIPTION "${package_DESCRIPTION}")
  include(CPack)
endmacro()

function(paribus_add_plugin_test kind name)
  set(target test_${name})
  add_executable(${target} test_${name}.cpp)
  paribus_plugin_properties(${target})
  get_target_property(libraries ${kind}_${name} LINK_LIBRARIES)
  paribus_link_kernel(${kind} ${target})
  if(libraries)
    target_link_libraries(${target} PRIVATE ${libraries})
  endif()
  paribus_use_model_header(${kind} ${target})
  add_test(NAME ${name} COMMAND ${target})
endfunction()
