// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "driver/run.h"

namespace paribus {

struct Ending {
  bool quiet = false;
  bool page = true;  // write report.html
};

/// Seals the results, prints the table and the comparison to stdout, and writes the page.
void show_results(const driver::RunReport& report, const std::filesystem::path& directory,
                  Ending ending);

/// Says on stderr where results lie and what to do next. Returns the exit status of the run.
int end_run(const driver::RunReport& report, const std::filesystem::path& directory, Ending ending);

}  // namespace paribus
