// SPDX-License-Identifier: Apache-2.0
#include "assets.h"

// Laid into the program by assets.S, which CMake writes.
extern "C" {
extern const char paribus_report_page[], paribus_report_page_end[];
extern const char paribus_report_style[], paribus_report_style_end[];
extern const char paribus_report_script[], paribus_report_script_end[];
extern const char paribus_report_live[], paribus_report_live_end[];
extern const char paribus_report_plotly[], paribus_report_plotly_end[];
}

namespace paribus::report {

std::string_view asset_page() { return {paribus_report_page, paribus_report_page_end}; }
std::string_view asset_style() { return {paribus_report_style, paribus_report_style_end}; }
std::string_view asset_script() { return {paribus_report_script, paribus_report_script_end}; }
std::string_view asset_live() { return {paribus_report_live, paribus_report_live_end}; }
std::string_view asset_plotly() { return {paribus_report_plotly, paribus_report_plotly_end}; }

}  // namespace paribus::report
