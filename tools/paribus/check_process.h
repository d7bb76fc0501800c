// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>

#include "check_laws.h"
#include "registry/catalog.h"

namespace paribus::check {

// Laws about the process of a training, which `paribus-worker --examine` watches from within
// (tools/worker/examine.h).

void write_request(const std::filesystem::path& file, const nlohmann::json& spec,
                   const Subject& subject, const registry::Catalog& catalog);
/// `problem` stands in it where it has nothing else to say; "": it ended well.
nlohmann::json read_reply(const std::filesystem::path& file, const std::string& problem);

Finding state_law(const nlohmann::json& reply);
Finding memory_law(const nlohmann::json& reply);
Finding threads_law(const nlohmann::json& reply);

}  // namespace paribus::check
