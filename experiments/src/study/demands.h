// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "registry/keyring.h"
#include "study/document.h"

namespace paribus {

/// What a study asks of whatever code it loads.
struct Demands {
  /// Only what is built in or signed with one of these; nothing: anyone's.
  std::optional<std::vector<registry::NamedKey>> trust;
  bool confine = false;
};

/// To be called before anything is loaded. Keys that nobody knows are left out: load_study tells of
/// them. Throws StudyError.
Demands demands_of(const std::filesystem::path& path, const std::vector<std::string>& overrides);

/// [study]; null where it isn't there or isn't a table.
const Config* study_table(const Document& document, Problems& problems);
/// Its `plugins` or `python`, made absolute.
std::vector<std::filesystem::path> folders_of(const Config* table, const std::string& key,
                                              Problems& problems);
/// Its `trust` as it is written; nothing where it isn't.
std::optional<std::vector<std::string>> keys_of(const Config* table, Problems& problems);

}  // namespace paribus
