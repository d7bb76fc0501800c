// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace paribus {

/// Which factors are on in which arm, so that effects can be told from the arms together. Empty
/// where the arms are no such design.
struct Design {
  std::string kind;                   // "factorial" or "fractional"
  std::vector<std::string> factors;   // addresses
  std::vector<std::vector<bool>> on;  // [arm][factor], arms in the study's order

  [[nodiscard]] bool empty() const { return factors.empty(); }
  bool operator==(const Design&) const = default;
};

/// A main effect or a two-factor interaction, and those that the design can't tell from it.
struct Effect {
  std::vector<std::size_t> factors;               // one or two
  std::vector<std::vector<std::size_t>> aliases;  // of one or two factors each
};

/// All of them, main effects first; of effects that the design confounds one stands for all: a main
/// effect where there is one, else the first interaction.
std::vector<Effect> effects_of(const Design& design);

/// "callback.ema", "callback.ema : data.transforms.crop".
std::string effect_name(const Design& design, const std::vector<std::size_t>& factors);

/// +1 where the effect's factors are on in an even number fewer than all, else -1: the sign with
/// which the arm counts.
int contrast_sign(const Design& design, std::size_t arm, const std::vector<std::size_t>& factors);

/// The least number of factors whose effects together are constant over the design; 0 where there
/// are none: a full factorial. Main effects of resolution III are confounded with two-factor
/// interactions, of IV with those of three; of V no two-factor interactions with each other.
std::size_t resolution_of(const Design& design);

/// "III", "IV", ...
std::string roman(std::size_t resolution);

/// In words, a line each, what the design confounds up to two-factor interactions; empty for none.
std::vector<std::string> confounded(const Design& design);

/// What is wrong with it, "" if nothing: every factor on in half of the arms, effects either
/// confounded or orthogonal.
std::string flaw_of(const Design& design, std::size_t arms);

/// As in the `plan` event. `design_of` throws Error saying what is wrong; null is no design.
nlohmann::json to_json(const Design& design);
Design design_of(const nlohmann::json& json);

}  // namespace paribus
