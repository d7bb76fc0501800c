// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "paribus/plugin.h"

namespace paribus {

/// Where training stands when a driven parameter is set, before each update (or batch, for data).
struct Progress {
  double fraction = 0;   // 0 at the first step, (n - 1) / n at the last of n: fastai's convention
  double inclusive = 0;  // 0 at the first, 1 at the last: PyTorch's
  double epoch = 0;      // in epochs, e.g. 1.5
  std::int64_t epochs = 0;  // of the whole training
  double base = 0;          // the driven parameter's configured value
};

/// A function of progress that drives any live parameter of any part. Positions are fractions or
/// epochs, never steps.
///
///     double at(const paribus::Progress& p) const override { return p.base * (1 - p.fraction); }
class Schedule : public PartBase {
 public:
  static constexpr std::string_view kKind = "schedule";

  [[nodiscard]] virtual double at(const Progress& progress) const = 0;

  template <class T>
  static constexpr void describe(manifest_detail::Text& /*out*/, const T* /*part*/) {}
};

}  // namespace paribus
