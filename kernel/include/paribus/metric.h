// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "paribus/plugin.h"
#include "paribus/types.h"

namespace paribus {

enum class Goal : std::uint8_t { minimize, maximize };

/// A number over a whole split: reset, update for each batch, value at the end. Runs without
/// gradients. Sums are kept in int64 or double, so the value doesn't depend on the batch size. A
/// metric says which way is better with `static constexpr paribus::Goal kGoal`, and its unit with
/// `static constexpr std::string_view kUnit` ("1" if none).
class Metric : public PartBase {
 public:
  static constexpr std::string_view kKind = "metric";

  virtual void reset() = 0;
  /// `loss` is the batch's mean loss (a scalar tensor).
  virtual void update(const Outputs& outputs, const Batch& batch, const at::Tensor& loss) = 0;
  [[nodiscard]] virtual double value() const = 0;
  [[nodiscard]] virtual Goal goal() const { return Goal::maximize; }   // kGoal; made by the kernel
  [[nodiscard]] virtual std::string_view unit() const { return "1"; }  // kUnit

  template <class T>
  struct Whole final : T {
    [[nodiscard]] Goal goal() const final { return T::kGoal; }
    [[nodiscard]] std::string_view unit() const final { return T::kUnit; }
  };

  template <class T>
  static constexpr void describe(manifest_detail::Text& out, const T* /*part*/) {
    out.key("goal"), out.quoted(T::kGoal == Goal::maximize ? "maximize" : "minimize");
    out.key("unit"), out.quoted(T::kUnit);
  }
};

}  // namespace paribus
