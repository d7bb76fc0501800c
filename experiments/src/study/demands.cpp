// SPDX-License-Identifier: Apache-2.0
#include "study/demands.h"

#include <fmt/format.h>

#include "registry/trust.h"
#include "study/document.h"
#include "study/resolve.h"
#include "study/settings.h"
#include "study/study.h"

namespace paribus {

namespace fs = std::filesystem;

const Config* study_table(const Document& document, Problems& problems) {
  const Config* table = document.root.find("study");
  if (table == nullptr || table->as_table() != nullptr) return table;
  problems.add(table->place(), fmt::format("study is {}, expected a table", table->what()));
  return nullptr;
}

std::vector<fs::path> folders_of(const Config* table, const std::string& key, Problems& problems) {
  std::vector<fs::path> folders;
  const Config* list = table == nullptr ? nullptr : table->find(key);
  if (list == nullptr) return folders;
  const auto good = checked_value(*find_field(study_fields(), key), *list, "study", problems);
  if (!good || list->as_list() == nullptr) return folders;
  for (const Config& element : *list->as_list()) {
    const fs::path base = element.place().line == 0 ? fs::current_path()
                                                    : fs::path(*element.place().file).parent_path();
    const fs::path folder = fs::absolute(base / *element.as_text()).lexically_normal();
    std::error_code code;
    if (!fs::is_directory(folder, code)) {
      problems.add(element.place(),
                   fmt::format("study: no folder of {} at {}",
                               key == "plugins" ? "plugins" : "Python modules", folder.string()));
    } else if (const auto objection = registry::Trust().objection_to_folder(folder)) {
      problems.add(element.place(), fmt::format("study: {}: {}", folder.string(), *objection));
    }
    folders.push_back(folder);
  }
  return folders;
}

std::optional<std::vector<std::string>> keys_of(const Config* table, Problems& problems) {
  const Config* list = table == nullptr ? nullptr : table->find("trust");
  if (list == nullptr) return std::nullopt;
  std::vector<std::string> keys;
  const auto good = checked_value(*find_field(study_fields(), "trust"), *list, "study", problems);
  if (!good || list->as_list() == nullptr) return keys;
  try {
    const registry::Keyring known;
    for (const Config& element : *list->as_list()) {
      keys.push_back(*element.as_text());
      try {
        static_cast<void>(known.find(keys.back()));
      } catch (const Error& problem) {
        problems.add(element.place(), fmt::format("study: {}", problem.what()));
      }
    }
  } catch (const Error& problem) {
    problems.add(list->place(), fmt::format("study: {}", problem.what()));
  }
  return keys;
}

std::vector<fs::path> python_folders(const fs::path& path,
                                     const std::vector<std::string>& overrides) {
  Problems problems(path.string());
  const Document document = read_document(path, overrides, problems);
  std::vector<fs::path> folders = folders_of(study_table(document, problems), "python", problems);
  if (folders.empty()) folders.push_back(fs::absolute(path).lexically_normal().parent_path());
  return folders;
}

std::vector<fs::path> plugin_folders(const fs::path& path,
                                     const std::vector<std::string>& overrides) {
  Problems problems(path.string());
  const Document document = read_document(path, overrides, problems);
  std::vector<fs::path> folders = folders_of(study_table(document, problems), "plugins", problems);
  std::erase_if(folders, [](const fs::path& folder) {  // load_study tells of them, with all else
    std::error_code code;
    return !fs::is_directory(folder, code);
  });
  return folders;
}

Demands demands_of(const fs::path& path, const std::vector<std::string>& overrides) {
  Problems problems(path.string());
  const Document document = read_document(path, overrides, problems);
  const Config* table = study_table(document, problems);
  Demands demands;
  const Config* confine = table == nullptr ? nullptr : table->find("confine");
  demands.confine = confine != nullptr && confine->as_bool() != nullptr && *confine->as_bool();
  const auto written = keys_of(table, problems);
  if (!written) return demands;
  demands.trust.emplace();
  for (const std::string& key : *written) {
    try {
      demands.trust->push_back(registry::Keyring().find(key));
    } catch (const Error&) {  // load_study tells of it, with all else
    }
  }
  return demands;
}

}  // namespace paribus
