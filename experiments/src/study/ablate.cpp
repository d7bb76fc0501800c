// SPDX-License-Identifier: Apache-2.0
#include "study/ablate.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <set>

#include "registry/nearest.h"
#include "study/factors.h"
#include "study/fractions.h"

namespace paribus {
namespace {

constexpr std::size_t kMaxArms = 1000;
constexpr std::size_t kMaxName = 80;  // of an arm; longer ones say factors by their letters

/// What sets one arm: factors that are off or have values of their own.
Variant arm_of(std::string name, const std::vector<Factor>& factors, const std::vector<bool>& on,
               const Place& place) {
  Variant arm{std::move(name), place, {}};
  for (std::size_t i = 0; i < factors.size(); ++i) {
    if (on[i] && !factors[i].on) continue;
    Config overlay = Config::table(factors[i].place);
    overlay.set(factors[i].address, factors[i].place, on[i] ? *factors[i].on : factors[i].off);
    arm.overlays.push_back(std::move(overlay));
  }
  return arm;
}

std::vector<Variant> leave_one_out(const std::vector<Factor>& factors, const Place& place) {
  std::vector<bool> on(factors.size(), true);
  std::vector<Variant> arms{arm_of("full", factors, on, place)};
  for (std::size_t i = 0; i < factors.size(); ++i) {
    on[i] = false;
    arms.push_back(arm_of(factors[i].off_text(factors[i].address), factors, on, factors[i].place));
    on[i] = true;
  }
  return arms;
}

std::vector<Variant> add_one(const std::vector<Factor>& factors, const Place& place) {
  std::vector<bool> on(factors.size(), false);
  std::vector<Variant> arms{arm_of("none", factors, on, place)};
  for (std::size_t i = 0; i < factors.size(); ++i) {
    on[i] = true;
    arms.push_back(arm_of(factors[i].on_text(factors[i].address), factors, on, factors[i].place));
    on[i] = false;
  }
  return arms;
}

/// "full", "none", "no ema, momentum=0.0", and "without A, C, F" where that is too long.
std::string arm_name(const std::vector<Factor>& factors, const std::vector<std::string>& names,
                     const std::vector<bool>& on) {
  std::vector<std::string> off, letters;
  for (std::size_t i = 0; i < factors.size(); ++i) {
    if (on[i]) continue;
    off.push_back(factors[i].off_text(names[i]));
    letters.emplace_back(1, kFactorLetters[i]);
  }
  if (off.empty()) return "full";
  if (off.size() == factors.size()) return "none";
  const std::string name = fmt::format("{}", fmt::join(off, ", "));
  return name.size() <= kMaxName ? name : fmt::format("without {}", fmt::join(letters, ", "));
}

/// All combinations of the first factors, the first of them changing fastest, from all on to all
/// off; the others as their generators say. The study as it stands comes first.
std::vector<Variant> combined(const std::vector<Factor>& factors,
                              const std::vector<std::string>& generators, const Place& place,
                              Design& design) {
  const std::size_t basic = factors.size() - generators.size();
  const std::vector<std::string> names = short_names(factors);
  for (const Factor& factor : factors) design.factors.push_back(factor.address);
  design.kind = generators.empty() ? "factorial" : "fractional";
  std::vector<Variant> arms;
  for (std::size_t off = 0; off < std::size_t{1} << basic; ++off) {
    std::vector<bool> on;
    for (std::size_t i = 0; i < basic; ++i) on.push_back(((off >> i) & 1) == 0);
    for (const std::string& generator : generators) {
      bool positive = true;
      for (const char letter : generator)
        positive = positive == on[std::string_view(kFactorLetters).find(letter)];
      on.push_back(positive);
    }
    arms.push_back(arm_of(arm_name(factors, names, on), factors, on, place));
    design.on.push_back(std::move(on));
  }
  return arms;
}

std::vector<Variant> factorial(const std::vector<Factor>& factors, const Config& list,
                               Design& design, Problems& problems) {
  const Place& place = list.place();
  if (factors.size() < 2) {
    if (list.as_list()->size() < 2)
      problems.add(place, "factorial needs at least 2 factors; for one, leave_one_out");
    return {};
  }
  if (factors.size() > kMaxFactors || std::size_t{1} << factors.size() > kMaxArms) {
    problems.add(place, fmt::format("{} factors make 2^{} arms, expected at most {}; use "
                                    "fractional = {{ of = [...], resolution = 4 }}",
                                    factors.size(), factors.size(), kMaxArms));
    return {};
  }
  return combined(factors, {}, place, design);
}

/// A fraction of the fractions known by what was asked; null, having said why, where there is none.
const Fraction* known_fraction(std::size_t factors, const Config& asked, bool by_arms,
                               Problems& problems) {
  std::vector<std::string> there;
  const std::int64_t* number = asked.as_integer();
  for (const Fraction& one : known_fractions()) {
    if (one.factors != factors) continue;
    const auto value = static_cast<std::int64_t>(by_arms ? one.arms : one.resolution);
    if (number != nullptr && (by_arms ? value == *number : *number >= 3 && value >= *number))
      return &one;
    there.push_back(fmt::format("{} (resolution {})", one.arms, roman(one.resolution)));
  }
  problems.add(asked.place(),
               there.empty()
                   ? fmt::format("fractional: {} factors, expected 3 to {}", factors, kMaxFactors)
                   : fmt::format("fractional: no fraction of {} factors with {} {}; their numbers "
                                 "of arms: {}; or use factorial",
                                 factors, by_arms ? "arms =" : "resolution at least",
                                 asked.toml().substr(0, 40), fmt::join(there, ", ")));
  return nullptr;
}

/// `generators = ["D = ABC"]`, one for each factor after the first ones, in order; the words alone.
std::vector<std::string> generators_of(const Config& list, std::size_t factors,
                                       Problems& problems) {
  const std::string_view letters(kFactorLetters, factors);
  const auto wrong = [&](const Config& where) {
    problems.add(where.place(),
                 fmt::format("fractional: generators got {}, expected one for each of the last "
                             "factors in order, of letters before them, e.g. [\"{} = AB\"]; the "
                             "factors are {}",
                             where.toml().substr(0, 80), letters.back(), letters));
    return std::vector<std::string>{};
  };
  if (list.as_list() == nullptr || list.as_list()->empty() || list.as_list()->size() + 2 > factors)
    return wrong(list);
  const std::size_t basic = factors - list.as_list()->size();
  std::vector<std::string> words;
  for (const Config& element : *list.as_list()) {
    if (element.as_text() == nullptr) return wrong(element);
    std::string text = *element.as_text();
    std::erase(text, ' ');
    const std::string start{letters[basic + words.size()], '='};
    const std::string word = text.starts_with(start) ? text.substr(2) : "";
    const std::set<char> once(word.begin(), word.end());
    const bool fits = once.size() == word.size() && word.size() >= 2 &&
                      word.find_first_not_of(letters.substr(0, basic)) == std::string::npos &&
                      std::none_of(words.begin(), words.end(), [&](const std::string& other) {
                        return std::set<char>(other.begin(), other.end()) == once;
                      });
    if (!fits) return wrong(element);
    words.push_back(word);
  }
  return words;
}

std::vector<Variant> fractional(const Config& table, Design& design, Problems& problems) {
  constexpr const char* kWays[] = {"resolution", "arms", "generators"};
  if (table.as_table() == nullptr) {
    problems.add(table.place(),
                 fmt::format("fractional is {}, expected a table, e.g. {{ of = [...], resolution = "
                             "4 }}",
                             table.what()));
    return {};
  }
  const Config* way = nullptr;
  std::string key;
  int ways = 0;
  for (const Config::Entry& entry : *table.as_table()) {
    if (entry.key == "of") continue;
    if (std::find(std::begin(kWays), std::end(kWays), entry.key) != std::end(kWays)) {
      way = &entry.value, key = entry.key, ++ways;
      continue;
    }
    problems.add(
        entry.key_place,
        fmt::format("unknown key '{}' in fractional{}", entry.key.substr(0, 60),
                    registry::did_you_mean(entry.key, {"of", "resolution", "arms", "generators"})));
  }
  const std::vector<Factor> factors =
      factors_of(table.find("of"), "fractional: `of`", table.place(), problems);
  if (ways != 1) {
    problems.add(table.place(),
                 "fractional needs one of resolution (at least 3), arms and generators");
    return {};
  }
  if (factors.empty() || factors.size() < table.find("of")->as_list()->size()) return {};
  if (factors.size() < 3 || factors.size() > kMaxFactors) {
    problems.add(table.place(), fmt::format("fractional: {} factors, expected 3 to {}",
                                            factors.size(), kMaxFactors));
    return {};
  }
  std::vector<std::string> generators;
  if (key == "generators") {
    generators = generators_of(*way, factors.size(), problems);
  } else if (const Fraction* found =
                 known_fraction(factors.size(), *way, key == "arms", problems)) {
    generators = found->generators;
  }
  if (generators.empty()) return {};
  if (std::size_t{1} << (factors.size() - generators.size()) > kMaxArms) {
    problems.add(way->place(), fmt::format("fractional: more than {} arms", kMaxArms));
    return {};
  }
  return combined(factors, generators, table.place(), design);
}

}  // namespace

std::vector<Variant> ablated(const Config& ablate, Design& design, Problems& problems) {
  const std::vector<std::string> kinds{"leave_one_out", "add_one", "factorial", "fractional"};
  const std::string expected = fmt::format("one of {}", fmt::join(kinds, ", "));
  const std::vector<Variant> nothing{{"full", ablate.place(), {}}};
  if (ablate.as_table() == nullptr) {
    problems.add(ablate.place(),
                 fmt::format("ablate is {}, expected a table with {}", ablate.what(), expected));
    return nothing;
  }
  std::vector<const Config::Entry*> asked;
  for (const Config::Entry& entry : *ablate.as_table()) {
    if (std::find(kinds.begin(), kinds.end(), entry.key) != kinds.end()) {
      asked.push_back(&entry);
      continue;
    }
    problems.add(entry.key_place,
                 fmt::format("unknown key '{}' in [ablate]{}", entry.key.substr(0, 60),
                             registry::did_you_mean(entry.key, kinds)));
  }
  if (asked.size() != 1) {
    problems.add(asked.empty() ? ablate.place() : asked[1]->key_place,
                 fmt::format("[ablate] needs {}", expected));
    return nothing;
  }
  const auto& [key, key_place, value] = *asked[0];
  std::vector<Variant> arms;
  if (key == "fractional") {
    arms = fractional(value, design, problems);
  } else if (const std::vector<Factor> factors = factors_of(&value, key, value.place(), problems);
             !factors.empty()) {
    arms = key == "leave_one_out" ? leave_one_out(factors, ablate.place())
           : key == "add_one"     ? add_one(factors, ablate.place())
                                  : factorial(factors, value, design, problems);
  }
  return arms.empty() ? nothing : arms;
}

Design written_design(const Config& table, std::size_t arms, Problems& problems) {
  Design design;
  const Config* kind = table.find("kind");
  const Config* factors = table.find("factors");
  const Config* on = table.find("on");
  bool good = kind != nullptr && kind->as_text() != nullptr && factors != nullptr &&
              factors->as_list() != nullptr && on != nullptr && on->as_list() != nullptr;
  if (good) {
    design.kind = *kind->as_text();
    for (const Config& factor : *factors->as_list()) {
      good = good && factor.as_text() != nullptr;
      if (good) design.factors.push_back(*factor.as_text());
    }
    for (const Config& row : *on->as_list()) {
      good = good && row.as_list() != nullptr;
      if (!good) break;
      design.on.emplace_back();
      for (const Config& level : *row.as_list()) {
        good = good && level.as_bool() != nullptr;
        if (good) design.on.back().push_back(*level.as_bool());
      }
    }
  }
  const bool small = design.factors.size() <= kMaxFactors;
  const std::string flaw =
      !good || !small || design.empty()
          ? fmt::format(
                "expected kind, at least one and at most {} factors, and a list `on` with a "
                "list of true and false for each arm",
                kMaxFactors)
          : flaw_of(design, arms);
  if (flaw.empty()) return design;
  problems.add(table.place(), fmt::format("[design] doesn't fit its arms: {}", flaw));
  return {};
}

}  // namespace paribus
