// SPDX-License-Identifier: Apache-2.0
// The axes of [sweep]: lists, ranges with a step or a number of points, logarithmic ranges, lists
// that advance together.

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <optional>

#include "registry/nearest.h"
#include "study/sweep.h"

namespace paribus {
namespace {

/// 12 significant digits: 0.1 + 2 * 0.1 is meant to be 0.3, and reads so in every table.
double tidy(double value) { return std::stod(fmt::format("{:.11e}", value)); }

class AxisReader {
 public:
  AxisReader(const Config::Entry& entry, Problems& problems) : entry_(entry), problems_(problems) {}

  std::optional<SweepAxis> read() {
    axis_.search.addresses = {entry_.key};
    axis_.key_places = {entry_.key_place};
    axis_.place = entry_.value.place();
    axis_.given = entry_.value;
    const Config& given = entry_.value;
    if (given.as_list() != nullptr) return of_list(given);
    if (given.as_table() == nullptr)
      return refuse(given.place(), fmt::format("got {}, expected {}", given.what(), kForms));
    if (!check_keys(given)) return {};
    if (const Config* values = given.find("values")) return of_list(*values);
    if (const Config* range = given.find("range")) return of_range(*range, false);
    return of_range(*given.find("log"), true);
  }

 private:
  static constexpr const char* kForms =
      "a list, { values = [...] }, { range = [low, high], step = s }, { range = [low, high], n = k "
      "} or "
      "{ log = [low, high], n = k }";

  std::nullopt_t refuse(const Place& place, const std::string& why) {
    problems_.add(place, fmt::format("sweep of '{}': {}", entry_.key, why));
    return std::nullopt;
  }

  bool check_keys(const Config& given) {
    int forms = 0;
    for (const Config::Entry& key : *given.as_table()) {
      const bool is_form = key.key == "values" || key.key == "range" || key.key == "log";
      forms += is_form ? 1 : 0;
      if (is_form || key.key == "step" || key.key == "n") continue;
      const std::string near =
          registry::did_you_mean(key.key, {"values", "range", "log", "step", "n"});
      refuse(key.key_place,
             fmt::format("unknown key '{}'{}", key.key,
                         near.empty() ? "; keys: values, range, log, step, n" : near));
      return false;
    }
    if (forms != 1) refuse(given.place(), fmt::format("expected {}", kForms));
    return forms == 1;
  }

  std::optional<SweepAxis> of_list(const Config& given) {
    const Config::List* list = given.as_list();
    if (list == nullptr)
      return refuse(given.place(), fmt::format("values is {}, expected a list", given.what()));
    if (list->empty()) return refuse(given.place(), "the list is empty: there is nothing to try");
    for (const char* key : {"step", "n"}) {
      if (const Config* extra = entry_.value.find(key))
        return refuse(extra->place(), fmt::format("'{}' goes with a range", key));
    }
    return finish(*list);
  }

  std::optional<SweepAxis> of_range(const Config& given, bool log) {
    const Config::List* ends = given.as_list();
    const bool is_pair =
        ends != nullptr && ends->size() == 2 && (*ends)[0].is_number() && (*ends)[1].is_number();
    if (!is_pair) return refuse(given.place(), "a range is [low, high], two numbers");
    SearchAxis& search = axis_.search;
    search.low = (*ends)[0].number(), search.high = (*ends)[1].number(), search.log = log;
    search.integer = (*ends)[0].as_integer() != nullptr && (*ends)[1].as_integer() != nullptr;
    if (!std::isfinite(search.low) || !std::isfinite(search.high))
      return refuse(given.place(), "the ends must be finite");
    if (search.low >= search.high) {
      return refuse(given.place(),
                    fmt::format("low must be below high, got [{}, {}]", search.low, search.high));
    }
    if (log && search.low <= 0)
      return refuse(given.place(), fmt::format("log needs low above 0, got {}", search.low));
    const Config* step = entry_.value.find("step");
    const Config* n = entry_.value.find("n");
    if (step != nullptr && (n != nullptr || log)) {
      return refuse(step->place(),
                    log ? "log takes `n`, not `step`" : "give `step` or `n`, not both");
    }
    if (step != nullptr) return of_steps(*step);
    if (n != nullptr) return of_count(*n);
    return axis_;
  }

  std::optional<SweepAxis> of_steps(const Config& step) {
    const bool good = step.is_number() && std::isfinite(step.number()) && step.number() > 0;
    if (!good)
      return refuse(step.place(),
                    fmt::format("step is {}, expected a number above 0", step.toml()));
    const SearchAxis& search = axis_.search;
    const double width = search.high - search.low;
    const double count = std::floor(width / step.number() * (1 + 1e-12)) + 1;
    if (!(count <= static_cast<double>(kMaxTrials))) return refuse(step.place(), too_many(count));
    const bool whole = search.integer && step.as_integer() != nullptr;
    std::vector<double> numbers;
    for (int i = 0; i < static_cast<int>(count); ++i)
      numbers.push_back(tidy(search.low + i * step.number()));
    return finish(configs(numbers, whole));
  }

  std::optional<SweepAxis> of_count(const Config& n) {
    const std::int64_t* count = n.as_integer();
    if (count == nullptr || *count < 2)
      return refuse(n.place(), fmt::format("n is {}, expected an integer of at least 2", n.toml()));
    if (*count > static_cast<std::int64_t>(kMaxTrials))
      return refuse(n.place(), too_many(static_cast<double>(*count)));
    const SearchAxis& search = axis_.search;
    std::vector<double> numbers;
    bool whole = search.integer;
    for (std::int64_t i = 0; i < *count; ++i) {
      const double part = static_cast<double>(i) / static_cast<double>(*count - 1);
      const double number = search.log ? search.low * std::pow(search.high / search.low, part)
                                       : search.low + part * (search.high - search.low);
      numbers.push_back(i == 0 ? search.low : i + 1 == *count ? search.high : tidy(number));
      whole =
          whole && std::abs(numbers.back()) < 9e15 && numbers.back() == std::floor(numbers.back());
    }
    return finish(configs(numbers, whole));
  }

  [[nodiscard]] static std::string too_many(double count) {
    return fmt::format("{:g} values, expected at most {}", count, kMaxTrials);
  }

  [[nodiscard]] Config::List configs(const std::vector<double>& numbers, bool whole) const {
    Config::List list;
    for (const double number : numbers) {
      if (whole) {
        list.emplace_back(static_cast<std::int64_t>(number), axis_.place);
      } else {
        list.emplace_back(number, axis_.place);
      }
    }
    return list;
  }

  SweepAxis finish(Config::List list) {
    SearchAxis& search = axis_.search;
    search.count = static_cast<std::int64_t>(list.size());
    bool numbers = true;
    for (const Config& value : list)
      numbers = numbers && value.is_number() && std::isfinite(value.number());
    if (numbers) {
      search.low = search.high = list[0].number(), search.integer = true;
      for (const Config& value : list) {
        search.low = std::min(search.low, value.number()),
        search.high = std::max(search.high, value.number());
        search.integer = search.integer && value.as_integer() != nullptr;
      }
    }
    axis_.values.push_back(std::move(list));
    return std::move(axis_);
  }

  const Config::Entry& entry_;
  Problems& problems_;
  SweepAxis axis_;
};

/// Lists that advance together: one axis of several addresses.
std::optional<SweepAxis> zipped(const Config::Entry& zip, Problems& problems) {
  if (zip.value.as_table() == nullptr || zip.value.as_table()->empty()) {
    problems.add(zip.value.place(), "[sweep.zip] needs addresses with lists of one length");
    return {};
  }
  std::optional<SweepAxis> all;
  for (const Config::Entry& entry : *zip.value.as_table()) {
    auto axis = AxisReader(entry, problems).read();
    if (!axis) return {};
    if (axis->values.empty()) {
      problems.add(axis->place,
                   fmt::format("sweep of '{}': in [sweep.zip] a range needs its `n`", entry.key));
      return {};
    }
    if (!all) {
      all = std::move(axis);
      continue;
    }
    if (axis->search.count != all->search.count) {
      problems.add(
          axis->place,
          fmt::format("[sweep.zip]: '{}' has {} values, '{}' has {}; they advance together",
                      entry.key, axis->search.count, all->search.addresses[0], all->search.count));
      return {};
    }
    all->search.addresses.push_back(entry.key);
    all->key_places.push_back(entry.key_place);
    all->values.push_back(std::move(axis->values[0]));
  }
  all->given = zip.value;
  return all;
}

}  // namespace

std::vector<SweepAxis> axes_of(const Config& sweep, Problems& problems) {
  std::vector<SweepAxis> axes;
  std::set<std::string> seen;
  for (const Config::Entry& entry : *sweep.as_table()) {
    if (entry.key == "search") continue;
    auto axis = entry.key == "zip" ? zipped(entry, problems) : AxisReader(entry, problems).read();
    if (!axis) continue;
    for (std::size_t i = 0; i < axis->search.addresses.size(); ++i) {
      if (seen.insert(axis->search.addresses[i]).second) continue;
      problems.add(axis->key_places[i],
                   fmt::format("'{}' is swept twice", axis->search.addresses[i]));
    }
    axes.push_back(std::move(*axis));
  }
  return axes;
}

}  // namespace paribus
