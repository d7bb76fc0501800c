// SPDX-License-Identifier: Apache-2.0
#include "results/trial_log.h"

#include <string>

namespace paribus::results {

std::filesystem::path trial_log_path(const std::filesystem::path& dir, std::string_view trial) {
  return dir / "logs" / (std::string(trial) + ".txt");
}

std::string_view last_state(std::string_view line) {
  while (line.ends_with('\r')) line.remove_suffix(1);
  if (const std::size_t back = line.rfind('\r'); back != std::string_view::npos)
    line.remove_prefix(back + 1);
  return line;
}

}  // namespace paribus::results
