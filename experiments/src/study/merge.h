// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "study/config.h"
#include "study/problems.h"

namespace paribus {

/// Puts one configuration over another, in place; docs/study.md states the rules:
/// tables merge key by key; a part with another `use` replaces the part whole; a list is a value; a
/// table over a list of parts speaks of its entries by name, `false` removes one; a key may be an
/// address of several parts.
class Merger {
 public:
  explicit Merger(Problems& problems) : problems_(problems) {}

  /// REQUIRES: both are tables.
  void merge(Config& base, const Config& over) { merge_table(base, over, ""); }
  /// Sets what stands at an address, by the same rules.
  void set(Config& base, const Config::Entry& entry) { set(base, "", entry); }

 private:
  using Path = std::vector<std::string>;

  void merge_table(Config& base, const Config& over, const std::string& at);
  void set(Config& base, const std::string& at, const Config::Entry& entry);
  void assign(Config& base, const std::string& at, const Path& path, std::size_t step,
              const Config::Entry& entry);
  void descend(Config& base, const std::string& at, const Path& path, std::size_t step,
               const Config::Entry& entry);
  void put(Config& base, const std::string& at, const std::string& key, const Config::Entry& entry);
  void put_part(Config& current, const std::string& at, const Config& over, const Place& key_place);
  void assign_schedule(Config& base, const std::string& target, const Config::Entry& entry);
  void assign_in_list(Config& list, const std::string& at, const Path& path, std::size_t step,
                      const Config::Entry& entry);
  void put_in_list(Config::List& list, const std::string& at, const std::string& name,
                   const Config::Entry& entry);
  Config opened(const Config& value, const std::string& at);

  Problems& problems_;
};

/// The parts of an address; empty where one is missing or there are too many.
std::vector<std::string> split_address(std::string_view address);

/// Whether parts stand in a list here: `callback`, `metric`, `tracker`, `data.transforms`.
bool is_part_list(std::string_view address);

/// The name of an entry of such a list: its `name`, else its `use`; "" if it has neither.
std::string entry_name(const Config& entry);
std::vector<std::string> entry_names(const Config& list);

/// The value at an address; null if nothing is written there. `nearest`, if given, gets the place
/// of the deepest part of the address that is written.
const Config* at_address(const Config& root, std::string_view address, Place* nearest = nullptr);

}  // namespace paribus
