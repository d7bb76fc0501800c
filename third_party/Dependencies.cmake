# SPDX-License-Identifier: Apache-2.0
# How each dependency is found; the versions are those of third_party/README.md.

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()
find_program(MOLD mold)
if(MOLD)
  add_link_options(-fuse-ld=mold)
endif()

# LibTorch: the one inside the wheel of the virtual environment at the root.
set(PARIBUS_VENV ${CMAKE_SOURCE_DIR}/.venv CACHE PATH "virtual environment that holds torch")
if(NOT DEFINED PARIBUS_TORCH_DIR)
  execute_process(
    COMMAND ${PARIBUS_VENV}/bin/python -c "import sysconfig; print(sysconfig.get_paths()['purelib'] + '/torch')"
    OUTPUT_VARIABLE torch_dir OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  set(PARIBUS_TORCH_DIR ${torch_dir} CACHE PATH "the torch package that holds LibTorch")
endif()
set(PARIBUS_TORCH_VERSION 2.13.0)
file(STRINGS ${PARIBUS_TORCH_DIR}/version.py torch_version REGEX "^__version__ = ")
if(NOT torch_version MATCHES "'${PARIBUS_TORCH_VERSION}(\\+|')")
  message(FATAL_ERROR "LibTorch ${PARIBUS_TORCH_VERSION} is needed, ${PARIBUS_TORCH_DIR} says: ${torch_version}; "
                      "run tools/quickstart, or pip install torch==${PARIBUS_TORCH_VERSION} into ${PARIBUS_VENV}")
endif()
find_package(Torch REQUIRED CONFIG PATHS ${PARIBUS_TORCH_DIR}/share/cmake NO_DEFAULT_PATH)
add_library(libtorch INTERFACE)
add_library(Paribus::libtorch ALIAS libtorch)
target_include_directories(libtorch SYSTEM INTERFACE
  $<BUILD_INTERFACE:${PARIBUS_TORCH_DIR}/include>
  $<BUILD_INTERFACE:${PARIBUS_TORCH_DIR}/include/torch/csrc/api/include>)
target_compile_definitions(libtorch INTERFACE AT_PER_OPERATOR_HEADERS)
target_link_libraries(libtorch INTERFACE $<BUILD_INTERFACE:${TORCH_LIBRARIES}>)

find_package(Threads REQUIRED)
find_package(ZLIB REQUIRED)
find_package(JPEG REQUIRED)
find_package(PNG REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(CURL REQUIRED)
find_package(Boost 1.74 REQUIRED COMPONENTS filesystem)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(CLI11 2.1 REQUIRED)
find_package(tomlplusplus REQUIRED)
find_package(fmt REQUIRED)
find_package(HDF5 REQUIRED COMPONENTS C)
find_library(LIBELF elf REQUIRED)
if(PARIBUS_TESTS)
  find_package(GTest 1.12 REQUIRED)
endif()
