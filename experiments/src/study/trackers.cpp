// SPDX-License-Identifier: Apache-2.0
#include "study/trackers.h"

#include <fmt/format.h>

#include "study/merge.h"

namespace paribus {

namespace {

registry::FieldSchema only_field() {
  registry::FieldSchema field;
  field.name = "only";
  field.type = registry::FieldType::list;
  field.of = "string";
  field.default_value = std::vector<std::string>{};
  return field;
}

void check_passwords(const Config& entry, const PartSpec& part, Problems& problems) {
  for (const auto& [name, value] : part.params) {
    const auto* text = std::get_if<std::string>(&value);
    const Config* written = entry.find(name);
    // The study's file is copied, shown and committed.
    if (text == nullptr || written == nullptr || !holds_password(*text)) continue;
    problems.add(written->place(),
                 fmt::format("tracker/{}: '{}' holds a name or password before '@'; a study's file "
                             "is no place for it: give it by the environment",
                             part.use, name));
  }
}

}  // namespace

bool holds_password(std::string_view address) {
  const std::size_t start = address.find("://");
  if (start == std::string_view::npos) return false;
  const std::string_view host = address.substr(start + 3);
  return host.substr(0, host.find_first_of("/?#")).find('@') != std::string_view::npos;
}

std::vector<TrackerSpec> trackers_of(const Config* list, Resolver& resolver, Problems& problems) {
  std::vector<TrackerSpec> trackers;
  for (PartSpec& part : resolver.parts("tracker", "tracker", list))
    trackers.push_back({std::move(part), {}});
  if (list == nullptr || list->as_list() == nullptr) return trackers;
  for (const Config& entry : *list->as_list()) {
    const std::string address = "tracker." + entry_name(entry);
    for (TrackerSpec& tracker : trackers) {
      if (tracker.part.address != address || entry.as_table() == nullptr) continue;
      check_passwords(entry, tracker.part, problems);
      const Config* only = entry.find("only");
      if (only == nullptr) continue;
      const std::string who = "tracker/" + tracker.part.use;
      if (const auto good = checked_value(only_field(), *only, who, problems))
        tracker.only = std::get<std::vector<std::string>>(*good);
    }
  }
  return trackers;
}

}  // namespace paribus
