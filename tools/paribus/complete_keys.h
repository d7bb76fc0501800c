// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "complete_answer.h"
#include "registry/schema.h"

namespace paribus {

/// Of `KEY=VALUE` for -s: keys of a study with what was set by other -s, then values where they can
/// be counted. A study that can't be read has the keys of every study. Keys come by their steps: as
/// many as share the next one are one candidate, `optimizer.`.
Answer study_keys(const std::filesystem::path& study, const std::vector<std::string>& set,
                  const std::string& typed);

/// Of one plugin's file, for `paribus plugins check`.
Answer plugin_keys(const std::filesystem::path& plugin, const std::string& typed);

/// What a value of a field may be, in short: "float >= 0, 0.9: share of the last step that is kept"
std::string about_field(const registry::FieldSchema& field, const Value* value);

/// The names of trackers in the record of a study.
std::vector<std::string> tracker_names(const std::filesystem::path& study);

}  // namespace paribus
