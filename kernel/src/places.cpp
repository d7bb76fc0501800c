// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <sstream>
#include <vector>

#include "paribus/error.h"
#include "paribus/images.h"

namespace paribus {
namespace {

/// Under this a place is beyond the horizon of an image seen from aside. Over an image it is 1 /
/// 1.9 at least.
constexpr double kHorizon = 0.05;
/// A box of less isn't seen, in pixels.
constexpr double kLeast = 1e-3;

/// A place up to the factor w.
struct Place {
  double x, y, w;
};

/// From the old image to the new one.
Origin inverse(const Origin& m) {
  const Origin other{
      m[4] * m[8] - m[5] * m[7], m[2] * m[7] - m[1] * m[8], m[1] * m[5] - m[2] * m[4],
      m[5] * m[6] - m[3] * m[8], m[0] * m[8] - m[2] * m[6], m[2] * m[3] - m[0] * m[5],
      m[3] * m[7] - m[4] * m[6], m[1] * m[6] - m[0] * m[7], m[0] * m[4] - m[1] * m[3]};
  const double determinant = m[0] * other[0] + m[1] * other[3] + m[2] * other[6];
  const double scale = m[8] / determinant;
  if (!std::isfinite(scale) || scale == 0)
    throw Error("an image is moved to a line or a point, its places can't follow");
  Origin result{};
  std::transform(other.begin(), other.end(), result.begin(), [&](double v) { return v * scale; });
  return result;
}

/// Of one item, from shares of the old image's half sides to those of the new one's.
class Move {
 public:
  Move(const Origin& origin, ImageSize from, ImageSize to)
      : forth_(inverse(origin)),
        from_x_(static_cast<double>(from.width) / 2),
        from_y_(static_cast<double>(from.height) / 2),
        to_x_(static_cast<double>(to.width) / 2),
        to_y_(static_cast<double>(to.height) / 2) {}

  void point(float* place) const {
    const Place moved = (*this)(place[0], place[1]);
    const double w = std::max(moved.w, kHorizon);
    place[0] = static_cast<float>(moved.x / w);
    place[1] = static_cast<float>(moved.y / w);
  }

  /// Whether something of it is seen.
  bool box(float* sides) const {
    std::vector<Place> seen{(*this)(sides[0], sides[1]), (*this)(sides[2], sides[1]),
                            (*this)(sides[2], sides[3]), (*this)(sides[0], sides[3])};
    cut(seen, [](const Place& p) { return p.w - kHorizon; });
    cut(seen, [](const Place& p) { return p.w + p.x; });
    cut(seen, [](const Place& p) { return p.w - p.x; });
    cut(seen, [](const Place& p) { return p.w + p.y; });
    cut(seen, [](const Place& p) { return p.w - p.y; });
    if (seen.empty()) return false;
    const auto [left, right] = least_and_greatest(seen, &Place::x);
    const auto [top, bottom] = least_and_greatest(seen, &Place::y);
    sides[0] = static_cast<float>(left), sides[1] = static_cast<float>(top);
    sides[2] = static_cast<float>(right), sides[3] = static_cast<float>(bottom);
    return (right - left) * to_x_ > kLeast && (bottom - top) * to_y_ > kLeast;
  }

 private:
  [[nodiscard]] Place operator()(double share_x, double share_y) const {
    const double x = share_x * from_x_, y = share_y * from_y_;
    const auto row = [&](std::size_t r) {
      return forth_[3 * r] * x + forth_[3 * r + 1] * y + forth_[3 * r + 2];
    };
    return {row(0) / to_x_, row(1) / to_y_, row(2)};
  }

  /// What of a polygon is where `side` isn't negative (Sutherland and Hodgman 1974).
  template <class Side>
  static void cut(std::vector<Place>& polygon, Side side) {
    std::vector<Place> kept;
    for (std::size_t i = 0; i < polygon.size(); ++i) {
      const Place &a = polygon[i], &b = polygon[(i + 1) % polygon.size()];
      const double at_a = side(a), at_b = side(b);
      if (at_a >= 0) kept.push_back(a);
      if ((at_a >= 0) == (at_b >= 0)) continue;
      const double t = at_a / (at_a - at_b);
      kept.push_back({a.x + t * (b.x - a.x), a.y + t * (b.y - a.y), a.w + t * (b.w - a.w)});
    }
    polygon = std::move(kept);
  }

  static std::pair<double, double> least_and_greatest(const std::vector<Place>& polygon,
                                                      double Place::*axis) {
    double least = 1, greatest = -1;
    for (const Place& p : polygon) {
      const double value = std::clamp(p.*axis / p.w, -1.0, 1.0);
      least = std::min(least, value), greatest = std::max(greatest, value);
    }
    return {least, greatest};
  }

  Origin forth_;
  double from_x_, from_y_, to_x_, to_y_;  // half sides
};

/// Those that are left come first again.
void move_boxes(const Move& move, float* rows, std::int64_t count) {
  float* end = rows;
  for (float* row = rows; row != rows + 5 * count; row += 5) {
    if (row[4] < 0 || !move.box(row)) continue;
    std::copy_n(row, 5, end);
    end += 5;
  }
  for (; end != rows + 5 * count; end += 5) {
    std::fill_n(end, 4, 0.0F);
    end[4] = -1;
  }
}

bool is_place(const Typed& typed) { return typed.type->is(kPoints) || typed.type->is(kBoxes); }

void check(const Typed& typed, std::size_t items) {
  const at::Tensor& data = typed.data;
  const bool points = typed.type->is(kPoints);
  if (data.dim() == 3 && data.size(0) == static_cast<std::int64_t>(items) &&
      data.size(2) == (points ? 2 : 5) && data.scalar_type() == at::kFloat)
    return;
  std::ostringstream text;
  text << typed.type->name << ": got " << data.scalar_type() << ' ' << data.sizes()
       << ", expected Float [" << items << (points ? ", K, 2]" : ", M, 5]");
  throw Error(text.str());
}

}  // namespace

ImageSize image_size(const Batch& batch) {
  for (const auto* side : {&batch.inputs, &batch.targets}) {
    for (const Typed& typed : *side) {
      if (typed.type->is(kImage) && typed.data.dim() == 4)
        return {typed.data.size(2), typed.data.size(3)};
    }
  }
  return {};
}

bool has_places(const Batch& batch) {
  return std::any_of(batch.inputs.begin(), batch.inputs.end(), is_place) ||
         std::any_of(batch.targets.begin(), batch.targets.end(), is_place);
}

void move_places(Batch& batch, ImageSize from, ImageSize to, std::span<const Origin> origins) {
  for (auto* side : {&batch.inputs, &batch.targets}) {
    for (Typed& typed : *side) {
      if (!is_place(typed)) continue;
      check(typed, origins.size());
      const at::Device device = typed.data.device();
      const at::Tensor data = typed.data.cpu().contiguous();
      const std::int64_t count = data.size(1), width = data.size(2);
      for (std::size_t i = 0; i < origins.size(); ++i) {
        if (origins[i] == kUnmoved && from.height == to.height && from.width == to.width) continue;
        const Move move(origins[i], from, to);
        float* rows = data.mutable_data_ptr<float>() + static_cast<std::int64_t>(i) * count * width;
        if (typed.type->is(kBoxes)) {
          move_boxes(move, rows, count);
        } else {
          for (std::int64_t k = 0; k < count; ++k) move.point(rows + 2 * k);
        }
      }
      typed.data = data.to(device);
    }
  }
}

}  // namespace paribus
