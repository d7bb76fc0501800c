// SPDX-License-Identifier: Apache-2.0
#include "study/design.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "paribus/error.h"

namespace paribus {
namespace {

using Factors = std::vector<std::size_t>;

/// Sum over the arms of the product of two contrasts: +-arms if confounded, 0 if orthogonal.
std::ptrdiff_t product(const Design& design, const Factors& a, const Factors& b) {
  std::ptrdiff_t sum = 0;
  for (std::size_t arm = 0; arm < design.on.size(); ++arm)
    sum += contrast_sign(design, arm, a) * contrast_sign(design, arm, b);
  return sum;
}

bool are_confounded(const Design& design, const Factors& a, const Factors& b) {
  return static_cast<std::size_t>(std::abs(product(design, a, b))) == design.on.size();
}

std::vector<Factors> up_to_two(std::size_t factors) {
  std::vector<Factors> all;
  for (std::size_t i = 0; i < factors; ++i) all.push_back({i});
  for (std::size_t i = 0; i < factors; ++i) {
    for (std::size_t j = i + 1; j < factors; ++j) all.push_back({i, j});
  }
  return all;
}

/// Whether some `size` factors from `first` on, with those of `word`, are constant together.
bool has_word(const Design& design, Factors& word, std::size_t first, std::size_t size) {
  if (size == 0) return are_confounded(design, word, {});
  for (std::size_t factor = first; factor + size <= design.factors.size(); ++factor) {
    word.push_back(factor);
    const bool found = has_word(design, word, factor + 1, size - 1);
    word.pop_back();
    if (found) return true;
  }
  return false;
}

}  // namespace

int contrast_sign(const Design& design, std::size_t arm, const Factors& factors) {
  int sign = 1;
  for (const std::size_t factor : factors) sign = design.on[arm][factor] ? sign : -sign;
  return sign;
}

std::vector<Effect> effects_of(const Design& design) {
  std::vector<Effect> effects;
  for (const Factors& factors : up_to_two(design.factors.size())) {
    const auto same = std::find_if(effects.begin(), effects.end(), [&](const Effect& known) {
      return are_confounded(design, known.factors, factors);
    });
    if (same == effects.end())
      effects.push_back({factors, {}});
    else
      same->aliases.push_back(factors);
  }
  return effects;
}

std::string effect_name(const Design& design, const Factors& factors) {
  std::string name;
  for (const std::size_t factor : factors)
    name += (name.empty() ? "" : " : ") + design.factors[factor];
  return name;
}

std::size_t resolution_of(const Design& design) {
  const bool is_full =
      design.factors.size() < 64 && design.on.size() == std::size_t{1} << design.factors.size();
  if (is_full) return 0;
  Factors word;
  for (std::size_t size = 1; size <= design.factors.size(); ++size) {
    if (has_word(design, word, 0, size)) return size;
  }
  return 0;
}

std::string roman(std::size_t resolution) {
  constexpr std::array kNumerals{"", "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X"};
  return resolution < kNumerals.size() ? kNumerals[resolution] : fmt::format("{}", resolution);
}

std::vector<std::string> confounded(const Design& design) {
  std::vector<std::string> lines;
  for (const Effect& effect : effects_of(design)) {
    if (effect.aliases.empty()) continue;
    std::string line = effect_name(design, effect.factors);
    for (const Factors& alias : effect.aliases) line += " = " + effect_name(design, alias);
    lines.push_back(std::move(line));
  }
  return lines;
}

std::string flaw_of(const Design& design, std::size_t arms) {
  if (design.on.size() != arms)
    return fmt::format("{} rows of `on` for {} arms", design.on.size(), arms);
  for (const std::vector<bool>& row : design.on) {
    if (row.size() != design.factors.size())
      return fmt::format("a row of {} for {} factors", row.size(), design.factors.size());
  }
  const std::vector<Factors> all = up_to_two(design.factors.size());
  for (std::size_t i = 0; i < design.factors.size(); ++i) {
    if (product(design, all[i], {}) != 0)
      return fmt::format("'{}' is not on in half of the arms", design.factors[i]);
    for (std::size_t j = i + 1; j < all.size(); ++j) {
      const auto overlap = static_cast<std::size_t>(std::abs(product(design, all[i], all[j])));
      if (overlap != 0 && overlap != arms)
        return fmt::format("'{}' and '{}' are neither apart nor the same",
                           effect_name(design, all[i]), effect_name(design, all[j]));
    }
  }
  return "";
}

nlohmann::json to_json(const Design& design) {
  if (design.empty()) return nullptr;
  return {{"kind", design.kind}, {"factors", design.factors}, {"on", design.on}};
}

Design design_of(const nlohmann::json& json) {
  Design design;
  if (json.is_null()) return design;
  try {
    design.kind = json.at("kind").get<std::string>();
    design.factors = json.at("factors").get<std::vector<std::string>>();
    design.on = json.at("on").get<std::vector<std::vector<bool>>>();
  } catch (const nlohmann::json::exception&) {
    throw Error("a table with kind, factors and a list of true and false for each arm");
  }
  const std::string flaw = flaw_of(design, design.on.size());
  if (!flaw.empty()) throw Error("an orthogonal design, but " + flaw);
  return design;
}

}  // namespace paribus
