# SPDX-License-Identifier: Apache-2.0
# paribus_compile_templates(FILE): FILE gets the definition of templates() (templates.h), all files of tools/templates.
function(paribus_compile_templates output)
  set(root ${PROJECT_SOURCE_DIR}/tools/templates)
  file(GLOB files CONFIGURE_DEPENDS RELATIVE ${root} ${root}/*/*)
  set(entries "")
  foreach(name IN LISTS files)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${root}/${name})
    get_filename_component(folder "${name}" DIRECTORY)
    get_filename_component(file "${name}" NAME)
    file(READ ${root}/${name} text)
    string(APPEND entries "    result[\"${folder}\"][\"${file}\"] = R\"~(${text})~\";\n")
  endforeach()
  file(CONFIGURE OUTPUT ${output} @ONLY CONTENT [[
#include "templates.h"

namespace paribus {

const std::map<std::string, std::map<std::string, std::string>>& templates() {
  static const auto kTemplates = [] {
    std::map<std::string, std::map<std::string, std::string>> result;
@entries@    return result;
  }();
  return kTemplates;
}

}  // namespace paribus
]])
endfunction()
