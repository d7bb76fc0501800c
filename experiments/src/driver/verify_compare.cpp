// SPDX-License-Identifier: Apache-2.0
#include "driver/verify_compare.h"

#include <algorithm>
#include <bit>
#include <set>

namespace paribus::driver {

namespace {

using journal::Chain;
using journal::Record;
using journal::Series;
using nlohmann::json;

bool same_bits(double a, double b) {  // a NaN is equal to itself, and 0 is not -0
  return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}

/// The first point of a series that differs. Two points of one step stand in their order.
std::optional<PointDifference> first_difference(const Series& one, const Series& other,
                                                std::int64_t until, std::size_t& compared) {
  const auto has = [until](const Series& series, std::size_t i) {
    return i < series.steps.size() && series.steps[i] <= until;
  };
  for (std::size_t i = 0; has(one, i) || has(other, i); ++i) {
    const bool both = has(one, i) && has(other, i) && one.steps[i] == other.steps[i];
    ++compared;
    if (both && same_bits(one.values[i], other.values[i])) continue;
    PointDifference found{one.name, 0, {}, {}};
    const bool one_is_first = !has(other, i) || (has(one, i) && one.steps[i] <= other.steps[i]);
    found.step = one_is_first ? one.steps[i] : other.steps[i];
    if (one_is_first) found.one = one.values[i];
    if (both || !one_is_first) found.other = other.values[i];
    return found;
  }
  return std::nullopt;
}

void compare_points(const Record& one, const Record& other, std::int64_t until, Comparison& found) {
  const auto note = [&](const Series& a, const Series& b) {
    const auto point = first_difference(a, b, until, found.points);
    if (point && (!found.point || point->step < found.point->step)) found.point = point;
  };
  for (const Series& series : one.series) {
    const Series* match = other.find(series.name);
    note(series, match != nullptr ? *match : Series{series.name, {}, {}, {}});
  }
  for (const Series& series : other.series) {
    if (one.find(series.name) == nullptr) note(Series{series.name, {}, {}, {}}, series);
  }
}

/// Calls `visit` with the places of each step that both have, until it returns false.
template <class Visit>
void at_common_steps(const std::vector<std::int64_t>& one, const std::vector<std::int64_t>& other,
                     std::int64_t until, Visit visit) {
  for (std::size_t i = 0, j = 0; i < one.size() && j < other.size();) {
    if (std::min(one[i], other[j]) > until) return;
    if (one[i] == other[j] && !visit(i, j)) return;
    const bool behind = one[i] <= other[j];
    if (other[j] <= one[i]) ++j;
    if (behind) ++i;
  }
}

void compare_windows(const Chain& one, const Chain& other, std::int64_t until, Comparison& found) {
  at_common_steps(one.steps, other.steps, until, [&](std::size_t i, std::size_t j) {
    ++found.windows;
    if (one.values[i] == other.values[j]) return true;
    found.window = {one.steps[i], one.values[i], other.values[j]};
    return false;
  });
}

void compare_tensors(const Chain& one, const Chain& other, std::int64_t until, Comparison& found) {
  found.tensors_in_all = one.tensors.size();
  if (one.tensors != other.tensors) return;  // the final weights tell
  const std::size_t width = one.tensors.size();
  at_common_steps(one.full_steps, other.full_steps, until, [&](std::size_t i, std::size_t j) {
    ++found.fulls;
    for (std::size_t k = 0; k < width; ++k) {
      const std::uint32_t a = one.full[i * width + k], b = other.full[j * width + k];
      if (a != b) found.tensors.push_back({one.tensors[k], a, b});
    }
    (found.tensors.empty() ? found.last_equal_full : found.full_step) = one.full_steps[i];
    return found.tensors.empty();
  });
}

std::string text_of(const json& object, const std::string& key) {
  const auto found = object.find(key);
  if (found == object.end()) return "";
  return found->is_string() ? found->get<std::string>() : found->dump();
}

void compare_values(const json& one, const json& other, const std::string& prefix,
                    const std::set<std::string>& keys, Comparison& found) {
  for (const std::string& key : keys) {
    const std::string a = text_of(one, key), b = text_of(other, key);
    if (a != b) found.ends.push_back({prefix + key, a, b});
  }
}

/// All but what is measured in seconds.
void compare_ends(const Record& one, const Record& other, Comparison& found) {
  const json *a = one.last("end"), *b = other.last("end");
  if (a == nullptr || b == nullptr || text_of(*a, "status") != "done" ||
      text_of(*b, "status") != "done")
    return;
  for (const char* which : {"final", "best"}) {
    const json first = a->value(which, json::object()), second = b->value(which, json::object());
    std::set<std::string> names;
    for (const json* side : {&first, &second}) {
      for (const auto& [name, value] : side->items()) names.insert(name);
    }
    compare_values(first, second, which + std::string(" "), names, found);
  }
  compare_values(*a, *b, "", {"steps", "epochs", "message", "weights_sha256"}, found);
}

}  // namespace

bool Comparison::equal() const { return !point && !window && full_step < 0 && ends.empty(); }

std::optional<std::int64_t> Comparison::first_step() const {
  std::optional<std::int64_t> first;
  const auto note = [&first](std::int64_t step) { first = std::min(first.value_or(step), step); };
  if (point) note(point->step);
  if (window) note(window->step);
  if (full_step >= 0) note(full_step);
  return first;
}

Comparison compare(const Record& one, const Record& other, std::int64_t until) {
  Comparison found;
  compare_points(one, other, until, found);
  compare_windows(one.chain, other.chain, until, found);
  compare_tensors(one.chain, other.chain, until, found);
  compare_ends(one, other, found);
  return found;
}

}  // namespace paribus::driver
