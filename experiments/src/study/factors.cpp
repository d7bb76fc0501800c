// SPDX-License-Identifier: Apache-2.0
#include "study/factors.h"

#include <fmt/format.h>

#include <algorithm>

#include "study/merge.h"

namespace paribus {
namespace {

std::string value_text(const std::string& name, const Config& value) {
  const std::string* word = value.as_text() != nullptr ? value.as_text() : value.use();
  return name + "=" + (word == nullptr ? value.toml() : *word);
}

/// Whether `false` at this address removes something: an entry of a list of parts, or a schedule.
bool is_removable(const std::string& address) {
  const std::size_t dot = address.rfind('.');
  if (dot == std::string::npos) return false;
  return is_part_list(address.substr(0, dot)) || address.starts_with("schedule.");
}

constexpr const char* kFactorExpected =
    "expected an entry of callback, metric or data.transforms, or a schedule, e.g. "
    "\"callback.ema\", or any address with two values, off and on, e.g. "
    "{ \"optimizer.momentum\" = [0.0, 0.9] }";

/// `{ "optimizer.momentum" = [0.0, 0.9] }`; keys with dots have been opened up into tables.
std::optional<Factor> valued_factor(const Config& element, Problems& problems) {
  std::string address;
  const Config* here = &element;
  while (here->as_table() != nullptr && here->as_table()->size() == 1) {
    const Config::Entry& entry = here->as_table()->front();
    address += (address.empty() ? "" : ".") + entry.key;
    here = &entry.value;
  }
  const Config::List* values = here->as_list();
  if (address.empty() || values == nullptr || values->size() != 2) {
    problems.add(element.place(),
                 fmt::format("{} is no factor: {}", element.toml().substr(0, 80), kFactorExpected));
    return std::nullopt;
  }
  if ((*values)[0].toml() == (*values)[1].toml()) {
    problems.add(here->place(),
                 fmt::format("'{}' is {} both off and on", address, (*values)[0].toml()));
    return std::nullopt;
  }
  return Factor{address, element.place(), (*values)[0], (*values)[1]};
}

std::optional<Factor> factor_of(const Config& element, Problems& problems) {
  if (element.as_table() != nullptr) return valued_factor(element, problems);
  const std::string* address = element.as_text();
  if (address != nullptr && is_removable(*address))
    return Factor{*address, element.place(), Config(false, element.place()), std::nullopt};
  problems.add(element.place(), fmt::format("{} can't be left out: {}",
                                            address == nullptr ? std::string(element.what())
                                                               : fmt::format("'{}'", *address),
                                            kFactorExpected));
  return std::nullopt;
}

/// What is wrong with a factor beside those before it; "" if nothing.
std::string clash(const std::vector<Factor>& factors, const Factor& fresh) {
  for (const Factor& known : factors) {
    if (known.address == fresh.address) return fmt::format("'{}' is there twice", fresh.address);
    const bool inside = fresh.address.starts_with(known.address + ".");
    if (!inside && !known.address.starts_with(fresh.address + ".")) continue;
    return fmt::format("'{}' lies within '{}': what it is set to means nothing where that is off",
                       inside ? fresh.address : known.address,
                       inside ? known.address : fresh.address);
  }
  return "";
}

}  // namespace

std::string Factor::off_text(const std::string& name) const {
  return on ? value_text(name, off) : "no " + name;
}

std::string Factor::on_text(const std::string& name) const {
  return on ? value_text(name, *on) : "only " + name;
}

std::vector<Factor> factors_of(const Config* list, const std::string& key, const Place& place,
                               Problems& problems) {
  std::vector<Factor> factors;
  if (list == nullptr || list->as_list() == nullptr || list->as_list()->empty()) {
    problems.add(list == nullptr ? place : list->place(),
                 fmt::format("{} needs a list of addresses, e.g. [\"callback.ema\"]", key));
    return factors;
  }
  for (const Config& element : *list->as_list()) {
    const std::optional<Factor> factor = factor_of(element, problems);
    if (!factor) continue;
    const std::string problem = clash(factors, *factor);
    problem.empty() ? factors.push_back(*factor) : problems.add(factor->place, problem);
  }
  return factors;
}

std::vector<std::string> short_names(const std::vector<Factor>& factors) {
  std::vector<std::string> names;
  for (const Factor& factor : factors) {
    std::size_t at = factor.address.size();
    const auto is_shared = [&](const std::string& end) {
      return std::any_of(factors.begin(), factors.end(), [&](const Factor& other) {
        return other.address != factor.address && ("." + other.address).ends_with("." + end);
      });
    };
    do {
      at = at == 0 ? std::string::npos : factor.address.rfind('.', at - 1);
    } while (at != std::string::npos && is_shared(factor.address.substr(at + 1)));
    names.push_back(at == std::string::npos ? factor.address : factor.address.substr(at + 1));
  }
  return names;
}

}  // namespace paribus
