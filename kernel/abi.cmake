# SPDX-License-Identifier: Apache-2.0
# paribus_abi_hash(INCLUDE_FOLDER RESULT): 16 hexadecimal digits of the public headers' names and text, those in folders
# included: what a plugin can see of the kernel. `cmake -DINCLUDE=FOLDER -P abi.cmake` prints it.
function(paribus_abi_hash folder result)
  file(GLOB_RECURSE headers RELATIVE ${folder} ${folder}/paribus/*.h)
  list(FILTER headers EXCLUDE REGEX "/abi[.]h$")  # made of it
  list(SORT headers)
  set(text "")
  foreach(header IN LISTS headers)
    file(SHA256 ${folder}/${header} hash)
    string(APPEND text "${header} ${hash}\n")
  endforeach()
  string(SHA256 hash "${text}")
  string(SUBSTRING ${hash} 0 16 hash)
  set(${result} ${hash} PARENT_SCOPE)
endfunction()

if(CMAKE_SCRIPT_MODE_FILE STREQUAL CMAKE_CURRENT_LIST_FILE)
  paribus_abi_hash(${INCLUDE} hash)
  execute_process(COMMAND ${CMAKE_COMMAND} -E echo ${hash})
endif()
