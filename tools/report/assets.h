// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

/// The files of this folder that make the page, as they were when the program was built.
namespace paribus::report {

std::string_view asset_page();    // page.html
std::string_view asset_style();   // style.css
std::string_view asset_script();  // script/*.js but the next, in order of their names
std::string_view asset_live();    // script/9_live.js
std::string_view asset_plotly();  // plotly.min.js, gzip, base64

}  // namespace paribus::report
