# SPDX-License-Identifier: Apache-2.0
# What is installed, and the package by which others build plugins: find_package(Paribus).
include(CMakePackageConfigHelpers)

# Where an installed program in FOLDER of the prefix finds LibTorch: beside itself if torch lives in the same prefix, so
# that the prefix can be moved; else where it was at build time. In a wheel the prefix is paribus/install beside torch.
function(paribus_torch_rpath folder result)
  if(SKBUILD)
    file(RELATIVE_PATH relative /site/paribus/install/${folder} /site/torch/lib)
    set(${result} "$ORIGIN/${relative}" PARENT_SCOPE)
    return()
  endif()
  file(REAL_PATH ${PARIBUS_TORCH_DIR}/lib torch_lib)
  file(REAL_PATH ${CMAKE_INSTALL_PREFIX} prefix)
  set(rpath ${torch_lib})
  cmake_path(IS_PREFIX prefix ${torch_lib} inside)
  if(inside)
    file(RELATIVE_PATH relative ${prefix}/${folder} ${torch_lib})
    list(PREPEND rpath "$ORIGIN/${relative}")
  endif()
  set(${result} "${rpath}" PARENT_SCOPE)
endfunction()

paribus_torch_rpath(lib torch_from_lib)
paribus_torch_rpath(bin torch_from_bin)
set_target_properties(paribus PROPERTIES BUILD_RPATH ${PARIBUS_TORCH_DIR}/lib INSTALL_RPATH "${torch_from_lib}")
set_target_properties(paribus_worker PROPERTIES INSTALL_RPATH "$ORIGIN/../lib;${torch_from_bin}")
if(TARGET python_bridge)
  get_filename_component(python_folder ${PARIBUS_LIBPYTHON} DIRECTORY)
  paribus_torch_rpath(lib/paribus/bridge torch_from_bridge)
  paribus_torch_rpath(lib/paribus/native torch_from_native)
  set_target_properties(python_bridge PROPERTIES INSTALL_RPATH "$ORIGIN/../..;${torch_from_bridge};${python_folder}")
  set_target_properties(python_native PROPERTIES INSTALL_RPATH "$ORIGIN/../..;${torch_from_native}")
endif()

install(TARGETS paribus libtorch EXPORT ParibusTargets LIBRARY DESTINATION lib)
install(DIRECTORY ${CMAKE_SOURCE_DIR}/kernel/include/paribus ${CMAKE_BINARY_DIR}/kernel/include/paribus
        DESTINATION include FILES_MATCHING PATTERN *.h)
set(package lib/cmake/Paribus)
install(EXPORT ParibusTargets NAMESPACE Paribus:: DESTINATION ${package})
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/ParibusConfig.cmake.in ${CMAKE_BINARY_DIR}/ParibusConfig.cmake
                              INSTALL_DESTINATION ${package})
# Plugins are tied to one ABI: only the version they were written for will do.
write_basic_package_version_file(${CMAKE_BINARY_DIR}/ParibusConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/ParibusConfig.cmake ${CMAKE_BINARY_DIR}/ParibusConfigVersion.cmake
              ${CMAKE_SOURCE_DIR}/cmake/ParibusPlugin.cmake ${CMAKE_SOURCE_DIR}/cmake/ParibusTorch.cmake
              ${CMAKE_SOURCE_DIR}/cmake/ParibusModelHeader.cmake
        DESTINATION ${package})
