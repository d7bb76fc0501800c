// SPDX-License-Identifier: Apache-2.0
#include <paribus/images.h>
#include <paribus/transform.h>

#include <vector>

/// Puts an item into one of the eight positions of a square, each as likely as any; images,
/// masks, points and boxes together. An image that isn't square has four that keep its shape. For
/// pictures without an up and down, such as those from above.
struct Dihedral : paribus::Transform {
  struct Params {
    double p = 1;

    static constexpr auto fields() {
      return std::tuple{
          paribus::field("p", &Params::p, "probability that a position is drawn for an item")
              .at_least(0)
              .at_most(1)
              .live()};
    }
  } params;

  paribus::DataSpec setup(paribus::DataSpec in) override {
    static_cast<void>(paribus::image_size(in, "transform/dihedral"));
    return in;
  }
  [[nodiscard]] bool training_only() const override { return true; }

  void apply(paribus::Batch& batch, const paribus::Stream& stream) const override {
    if (params.p <= 0) return;
    const paribus::ImageSize size = paribus::image_size(batch);
    std::vector<std::uint32_t> positions;
    std::vector<paribus::Origin> origins;
    for (const std::int64_t item : batch.items) {
      paribus::Draws draws = stream.item(batch.epoch, item);
      const bool stays = draws.uniform() >= params.p;
      positions.push_back(stays ? 0 : draws.below(size.height == size.width ? 8 : 4));
      origins.push_back(origin(positions.back()));
    }
    paribus::move_places(batch, size, size, origins);
    paribus::each_image(batch, [&](const at::Tensor& data, const paribus::Type&) {
      for (std::int64_t i = 0; i < data.size(0); ++i) {
        const std::uint32_t position = positions[static_cast<std::size_t>(i)];
        paribus::by_element_size(data, [&](auto* element) { turn(data, i, position, element); });
      }
      return data;
    });
  }

 private:
  static paribus::Origin origin(std::uint32_t position) {
    const double x = (position & 1U) != 0 ? -1 : 1, y = (position & 2U) != 0 ? -1 : 1;
    if ((position & 4U) != 0) return {0, y, 0, x, 0, 0, 0, 0, 1};
    return {x, 0, 0, 0, y, 0, 0, 0, 1};
  }

  /// Bit 0 mirrors left to right, bit 1 upside down, bit 2 swaps rows and columns first.
  template <class T>
  static void turn(const at::Tensor& data, std::int64_t item, std::uint32_t position,
                   T* /*element*/) {
    if (position == 0) return;
    const std::int64_t height = data.size(2), width = data.size(3);
    T* plane = static_cast<T*>(data.data_ptr()) + item * data.stride(0);
    std::vector<T> old(static_cast<std::size_t>(height * width));
    for (std::int64_t c = 0; c < data.size(1); ++c, plane += height * width) {
      std::copy(plane, plane + height * width, old.begin());
      for (std::int64_t y = 0; y < height; ++y) {
        for (std::int64_t x = 0; x < width; ++x) {
          std::int64_t from_x = (position & 1U) != 0 ? width - 1 - x : x;
          std::int64_t from_y = (position & 2U) != 0 ? height - 1 - y : y;
          if ((position & 4U) != 0) std::swap(from_x, from_y);
          plane[y * width + x] = old[static_cast<std::size_t>(from_y * width + from_x)];
        }
      }
    }
  }
};

PARIBUS_PART(Dihedral, "dihedral", "turns by right angles and mirrors items at random")
