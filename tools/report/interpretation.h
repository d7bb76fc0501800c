// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "journal/journal.h"

namespace paribus::report {

/// What pictures of a page's interpretation may still take.
struct PictureBudget {
  std::size_t bytes = std::size_t{3} << 20;
};

/// What callback/interpret and callback/grad_cam recorded last: tables by name, and the pictures of
/// the worst items; null where a trial has none that make sense. `path`: of the journal that
/// `record` was read from; `taken` gets the names of pictures that are shown here.
nlohmann::json interpretation_of(const std::filesystem::path& path, const journal::Record& record,
                                 PictureBudget& budget, std::set<std::string>& taken);

}  // namespace paribus::report
