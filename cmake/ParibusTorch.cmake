# SPDX-License-Identifier: Apache-2.0
# LibTorch as the target Paribus::libtorch, from the torch package of a Python environment: $PARIBUS_TORCH_DIR, else that of
# the environment at PREFIX, or beside PREFIX in one, else the one given, with which Paribus was built, else that of python3.
# Used by this tree and by the installed package alike.
#
# LibTorch's own find_package asks for a CUDA toolkit where torch is a CUDA build; training needs only its libraries, so
# they are taken by name.

set(PARIBUS_TORCH_VERSION 2.13.0)

function(paribus_torch_dir prefix)  # [DIR]
  if(PARIBUS_TORCH_DIR)
    return()
  endif()
  if(DEFINED ENV{PARIBUS_TORCH_DIR})
    set(torch_dir $ENV{PARIBUS_TORCH_DIR})
  elseif(EXISTS ${prefix}/../../torch/version.py)  # Paribus of a wheel: PREFIX is site-packages/paribus/install
    file(REAL_PATH ${prefix}/../../torch torch_dir)
  else()
    set(python ${prefix}/bin/python)
    if(NOT EXISTS ${python})
      set(python python3)
    endif()
    set(torch_dir "${ARGV1}")
    if(NOT python STREQUAL "python3" OR NOT EXISTS "${torch_dir}/version.py")
      execute_process(
        COMMAND ${python} -c "import sysconfig; print(sysconfig.get_paths()['purelib'] + '/torch')"
        OUTPUT_VARIABLE torch_dir OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    endif()
  endif()
  set(PARIBUS_TORCH_DIR "${torch_dir}" CACHE PATH "the torch package that holds LibTorch" FORCE)
endfunction()

# A wheel is for the Python that builds it, whose torch may lie in an environment that lasts as long as the build.
macro(paribus_python_of_the_wheel)
  execute_process(
    COMMAND ${PYTHON_EXECUTABLE} -c
            "import importlib.util as u, sys; print(sys.prefix, *u.find_spec('torch').submodule_search_locations, sep=';')"
    OUTPUT_VARIABLE facts OUTPUT_STRIP_TRAILING_WHITESPACE)
  list(LENGTH facts count)
  if(NOT count EQUAL 2)
    message(FATAL_ERROR "${PYTHON_EXECUTABLE} finds no torch: pip install torch==${PARIBUS_TORCH_VERSION}, or leave out "
                        "--no-build-isolation")
  endif()
  list(GET facts 0 PARIBUS_VENV)
  list(GET facts 1 PARIBUS_TORCH_DIR)
endmacro()

function(paribus_check_torch)
  set(torch_version "no torch there")
  if(EXISTS ${PARIBUS_TORCH_DIR}/version.py)
    file(STRINGS ${PARIBUS_TORCH_DIR}/version.py torch_version REGEX "^__version__ = ")
  endif()
  if(NOT torch_version MATCHES "'${PARIBUS_TORCH_VERSION}(\\+|')")
    set(wrong ${PARIBUS_TORCH_DIR})
    unset(PARIBUS_TORCH_DIR CACHE)
    message(FATAL_ERROR "LibTorch ${PARIBUS_TORCH_VERSION} is needed, ${wrong} says: ${torch_version}; run "
                        "tools/quickstart, or give -DPARIBUS_TORCH_DIR=.../site-packages/torch")
  endif()
endfunction()

function(paribus_link_torch target)
  target_include_directories(${target} SYSTEM INTERFACE
    $<BUILD_INTERFACE:${PARIBUS_TORCH_DIR}/include>
    $<BUILD_INTERFACE:${PARIBUS_TORCH_DIR}/include/torch/csrc/api/include>)
  target_compile_definitions(${target} INTERFACE $<BUILD_INTERFACE:AT_PER_OPERATOR_HEADERS>
    $<BUILD_INTERFACE:USE_C10D_GLOO> $<BUILD_INTERFACE:USE_DISTRIBUTED> $<BUILD_INTERFACE:USE_RPC>
    $<BUILD_INTERFACE:USE_TENSORPIPE>)
  # libtorch.so brings the CUDA half, which registers itself: it must be loaded though no symbol of it is named.
  set(libraries -Wl,--no-as-needed ${PARIBUS_TORCH_DIR}/lib/libtorch.so -Wl,--as-needed
                ${PARIBUS_TORCH_DIR}/lib/libtorch_cpu.so ${PARIBUS_TORCH_DIR}/lib/libc10.so)
  target_link_libraries(${target} INTERFACE $<BUILD_INTERFACE:${libraries}>)
endfunction()
