// SPDX-License-Identifier: Apache-2.0
#include "study/sweep.h"

#include <fmt/format.h>

#include <cmath>
#include <unordered_set>

#include "study/adaptive.h"
#include "study/targets.h"

namespace paribus {
namespace {

constexpr std::uint64_t kSearchSeed = 0;  // the points don't depend on the trials' seeds

std::vector<SearchPoint> grid(const std::vector<SweepAxis>& axes) {
  std::vector<SearchPoint> points{{}};
  for (const SweepAxis& axis : axes) {
    std::vector<SearchPoint> longer;
    longer.reserve(points.size() * static_cast<std::size_t>(axis.search.count));
    for (const SearchPoint& point : points) {
      for (std::int64_t i = 0; i < axis.search.count; ++i) {
        longer.push_back(point);
        longer.back().push_back({i, 0});
      }
    }
    points = std::move(longer);
  }
  return points;
}

/// Before anything of that size is made.
bool check_grid(const std::vector<SweepAxis>& axes, const Document& document, Problems& problems) {
  double count = 1;
  for (const SweepAxis& axis : axes) {
    count *= static_cast<double>(axis.search.count);
    if (axis.search.count != 0) continue;
    problems.add(
        axis.place,
        fmt::format(
            "sweep of '{}': a grid needs `n` or `step`; or say search = {{ use = \"random\", "
            "trials = 20 }}",
            axis.search.addresses[0]));
    return false;
  }
  if (count <= static_cast<double>(kMaxTrials)) return true;
  problems.add(document.sweep_place,
               fmt::format("the grid has {:.0f} points, expected at most {}; use fewer values or "
                           "search = {{ use = \"random\", trials = 20 }}",
                           count, kMaxTrials));
  return false;
}

class Expander {
 public:
  Expander(const std::vector<SweepAxis>& axes, const Document& document, Problems& problems)
      : axes_(axes), document_(document), problems_(problems) {}

  std::vector<Variant> variants(const std::vector<SearchPoint>& points) {
    std::vector<Variant> result;
    std::unordered_set<std::string> seen;
    for (const SearchPoint& point : points) {
      Variant made = variant(point);
      if (seen.insert(made.name).second) result.push_back(std::move(made));
    }
    return result;
  }

 private:
  Variant variant(const SearchPoint& point) {
    Variant made{"", document_.sweep_place, {Config::table(document_.sweep_place)}};
    for (std::size_t i = 0; i < axes_.size(); ++i) {
      const SweepAxis& axis = axes_[i];
      for (std::size_t k = 0; k < axis.search.addresses.size(); ++k) {
        Config value = value_at(axis, k, point[i]);
        made.name += fmt::format("{}{}", made.name.empty() ? "" : ", ",
                                 label_of(axis.search.addresses[k], value));
        made.overlays[0].set(axis.search.addresses[k], axis.key_places[k], std::move(value));
      }
    }
    return made;
  }

  const std::vector<SweepAxis>& axes_;
  const Document& document_;
  Problems& problems_;
};

/// Whether a range holds integers is the parameter's to say; its bounds written as integers decide
/// nothing.
void type_ranges(std::vector<SweepAxis>& axes, const Document& document,
                 const registry::Catalog& catalog) {
  Problems said_later("");
  Config root = document.root;
  for (const SweepAxis& axis : axes) {
    for (std::size_t k = 0; k < axis.values.size(); ++k) {
      Merger(said_later)
          .set(root, {axis.search.addresses[k], axis.key_places[k], axis.values[k][0]});
    }
  }
  const TrialSpec base = Resolver(catalog, said_later).trial(root, "");
  for (SweepAxis& axis : axes) {
    const registry::FieldSchema* field =
        axis.search.count != 0 ? nullptr : field_at(base, axis.search.addresses[0], catalog);
    if (field != nullptr) axis.search.integer = field->type == registry::FieldType::integer;
  }
}

}  // namespace

std::string label_of(const std::string& address, const Config& value) {
  if (value.as_text() != nullptr) return address + "=" + *value.as_text();
  const bool is_plain_part =
      value.as_table() != nullptr && value.use() != nullptr && value.as_table()->size() == 1;
  return address + "=" + (is_plain_part ? *value.use() : value.toml());
}

Config value_at(const SweepAxis& axis, std::size_t address, const SearchChoice& choice) {
  if (choice.index >= 0) return axis.values[address][static_cast<std::size_t>(choice.index)];
  if (axis.search.integer && std::abs(choice.value) < 9e15)
    return {static_cast<std::int64_t>(std::llround(choice.value)), axis.place};
  return {choice.value, axis.place};
}

std::string flaw_of(const SearchPoint& point, const std::vector<SweepAxis>& axes) {
  if (point.size() != axes.size())
    return fmt::format("a point of {} values for {} axes", point.size(), axes.size());
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const SearchAxis& axis = axes[i].search;
    const SearchChoice& choice = point[i];
    if (choice.index >= 0 && choice.index >= axis.count)
      return fmt::format("entry {} of a list of {}", choice.index, axis.count);
    if (choice.index >= 0) continue;
    if (axis.addresses.size() > 1) return "a value between those of lists that advance together";
    const bool within =
        std::isfinite(choice.value) && choice.value >= axis.low && choice.value <= axis.high;
    if (!within)
      return fmt::format("{} for '{}', outside [{}, {}]", choice.value, axis.addresses[0], axis.low,
                         axis.high);
  }
  return "";
}

Value swept_value(const TrialSpec& spec, const Config::Entry& entry,
                  const registry::Catalog& catalog) {
  if (const auto held = value_at(spec, entry.key)) return *held;
  Value plain;
  if (!entry.value.to_value(plain)) return entry.value.toml();
  const registry::FieldSchema* field = field_at(spec, entry.key, catalog);
  return field == nullptr ? plain : registry::checked(*field, plain);
}

SweepPoints points_of(const std::vector<SweepAxis>& given, const Document& document,
                      Resolver& resolver, const registry::Catalog& catalog, const Proposer& propose,
                      Problems& problems) {
  SweepPoints made{{}, {}, given, document.sweep_place};
  std::vector<SweepAxis>& axes = made.axes;
  if (axes.empty()) {
    if (problems.empty())
      problems.add(document.sweep_place,
                   "[sweep] has nothing to sweep, e.g. \"optimizer.lr\" = [0.1, 0.2]");
    return made;
  }
  type_ranges(axes, document, catalog);
  Expander expander(axes, document, problems);
  const Config* search = document.sweep.find("search");
  const std::string use = search == nullptr          ? "grid"
                          : search->use() == nullptr ? ""
                                                     : *search->use();
  const bool is_grid = use == "grid" && (search == nullptr || search->as_text() != nullptr ||
                                         search->as_table()->size() == 1);
  if (is_grid && !check_grid(axes, document, problems)) return made;
  const bool have_part = catalog.find("search", use) != nullptr;
  if (is_grid && (!propose || !have_part)) {
    made.variants = expander.variants(grid(axes));
    return made;
  }

  const Place place = search == nullptr ? document.sweep_place : search->place();
  const auto part = resolver.part("search", "sweep.search", search, "grid", place);
  if (!part || !problems.empty()) return made;
  if (catalog.find("search", part->use)->adaptive) {
    made.variants = expander.variants(AdaptiveSweep::probes(axes));
    made.adaptive = *part;
    made.place = place;
    return made;
  }
  if (!propose) {
    problems.add(place, fmt::format("search/{} can't be asked for points here", part->use));
    return made;
  }
  std::vector<SearchAxis> asked;
  for (const SweepAxis& axis : axes) asked.push_back(axis.search);
  try {
    const std::vector<SearchPoint> points = propose(*part, asked, kSearchSeed);
    if (points.size() > kMaxTrials)
      throw Error(
          fmt::format("proposes {} points, expected at most {}", points.size(), kMaxTrials));
    for (const SearchPoint& point : points) {
      if (const std::string what = flaw_of(point, axes); !what.empty())
        throw Error("proposes " + what);
    }
    if (points.empty()) throw Error("proposes no points");
    made.variants = expander.variants(points);
  } catch (const StudyError&) {
    throw;
  } catch (const Error& problem) {
    const std::string text = problem.what();
    const std::string who = "search/" + part->use;
    problems.add(place, text.starts_with(who) ? text : who + ": " + text);
  }
  return made;
}

}  // namespace paribus
