// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "paribus/state.h"

namespace paribus {

/// What data mean. A type without a transform of its own takes its parent's. Compared by name,
/// since each plugin has its own copy.
struct Type {
  std::string_view name;
  const Type* parent = nullptr;
  [[nodiscard]] constexpr bool is(const Type& other) const {
    for (const Type* type = this; type != nullptr; type = type->parent) {
      if (type->name == other.name) return true;
    }
    return false;
  }
};

inline constexpr Type kTensor{"tensor"};
inline constexpr Type kImage{"image", &kTensor};  // N C H W; uint8 0..255 or float
inline constexpr Type kMask{"mask", &kImage};     // N 1 H W, class numbers
/// N, int64 class numbers; or N K, float probabilities.
inline constexpr Type kCategory{"category", &kTensor};
inline constexpr Type kRegression{"regression", &kTensor};  // N K, float
/// N K 2, float: x and y of K points, from -1 at the image's left and upper edge to 1 at its right
/// and lower one, whatever its size; what a transform moves out of the image is beyond.
inline constexpr Type kPoints{"points", &kRegression};
/// N M 5, float: left, top, right and bottom as of points, and the class. M is the most that an
/// item has: its own come first, the other rows are 0 0 0 0 and the class -1.
inline constexpr Type kBoxes{"boxes", &kTensor};

/// Data with their meaning; the first dimension runs over the items of the batch.
struct Typed {
  at::Tensor data;
  const Type* type = &kTensor;
};

enum class Split : std::uint8_t { train, valid };

/// What goes through transforms, model, loss and metrics together.
struct Batch {
  std::vector<Typed> inputs;
  std::vector<Typed> targets;
  /// The data set's number of each row: the address of its random draws.
  std::vector<std::int64_t> items;
  Split split = Split::train;
  std::int64_t epoch = 0;
  std::int64_t index = 0;  // of the batch within the epoch

  [[nodiscard]] std::int64_t size() const { return static_cast<std::int64_t>(items.size()); }
  [[nodiscard]] bool training() const { return split == Split::train; }
  [[nodiscard]] const at::Tensor& input() const { return inputs.front().data; }
  [[nodiscard]] const at::Tensor& target() const { return targets.front().data; }
};

/// Shape (without the batch dimension) and meaning of one input or target.
struct Spec {
  const Type* type = &kTensor;
  std::vector<std::int64_t> shape;
};

/// What a data set, seen through its transforms, offers to a model: known before the first batch.
struct DataSpec {
  std::vector<Spec> inputs;
  std::vector<Spec> targets;
  std::int64_t train_items = 0;
  std::int64_t valid_items = 0;
  std::int64_t classes = 0;  // of a category target; 0: none
  std::vector<std::string> class_names;
  /// Of each channel of the first input, in the units that the data set delivers.
  std::vector<double> mean, std;
  /// The first items aren't like the others: they come class by class, or scene by scene.
  bool is_sorted = false;
};

/// What a model returns: one tensor, or several by name.
class Outputs {
 public:
  Outputs() = default;
  // NOLINTNEXTLINE(google-explicit-constructor): a tensor is an output
  Outputs(at::Tensor main) { items_.emplace_back("main", std::move(main)); }
  explicit Outputs(NamedTensors items) : items_(std::move(items)) {}
  [[nodiscard]] at::Tensor& main() { return items_.front().second; }
  [[nodiscard]] const at::Tensor& main() const { return items_.front().second; }
  [[nodiscard]] const NamedTensors& items() const { return items_; }

 private:
  NamedTensors items_;
};

}  // namespace paribus
