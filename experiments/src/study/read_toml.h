// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "study/config.h"
#include "study/problems.h"

namespace paribus {

/// Reads a file of at most 4 MiB. Throws StudyError where it can't be read or isn't TOML; `asked`
/// is where the file is asked for (nowhere for the study itself).
Config read_toml(const std::filesystem::path& path, const Place& asked = {});

/// `file` is the name that places bear.
Config parse_toml(const std::string& text, const std::string& file);

/// One value as in a -s override: TOML, or else a bare word as a text. Throws StudyError at
/// `place`.
Config parse_value(const std::string& text, const Place& place);

}  // namespace paribus
