// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <paribus/images.h>
#include <paribus/transform.h>

#include <algorithm>
#include <array>

/// A window at a random place of the image padded on all sides; images, masks, points
/// and boxes of an item together. With a `size`, validation gets the window in the middle.
struct Crop : paribus::Transform {
  struct Params {
    int padding = 4;
    int size = 0;
    std::string_view mode = "zero";

    static constexpr auto fields() {
      return std::tuple{
          paribus::field("padding", &Params::padding, "added on each side")
              .at_least(0)
              .at_most(1024)
              .unit("px")
              .live(),
          paribus::field("size", &Params::size, "side of the window; 0: as large as the image")
              .at_least(0)
              .at_most(16384)
              .unit("px"),
          paribus::field("mode", &Params::mode, "what the padding holds")
              .one_of("zero", "reflect")};
    }
  } params;

  paribus::DataSpec setup(paribus::DataSpec in) override {
    const paribus::ImageSize size = paribus::image_size(in, "transform/crop");
    check(size);
    if (params.size > 0) paribus::set_image_size(in, {params.size, params.size});
    return in;
  }

  [[nodiscard]] bool training_only() const override { return params.size == 0; }

  void apply(paribus::Batch& batch, const paribus::Stream& stream) const override {
    if (params.size == 0 && (params.padding == 0 || !batch.training())) return;
    std::vector<Place> places(batch.items.size());
    if (batch.training()) {
      for (std::size_t i = 0; i < places.size(); ++i) {
        paribus::Draws draws = stream.item(batch.epoch, batch.items[i]);
        places[i] = {draws.uniform(), draws.uniform()};
      }
    }
    move_places(batch, places);
    paribus::each_image(batch, [&](const at::Tensor& data, const paribus::Type&) {
      check({data.size(2), data.size(3)});
      return window(data, places);
    });
  }

 private:
  struct Place {
    double top = 0.5, left = 0.5;  // of all possible places: 0 first, just under 1 last
  };

  void check(paribus::ImageSize size) const {
    const std::int64_t shorter = std::min(size.height, size.width);
    const std::string image = std::to_string(size.height) + " x " + std::to_string(size.width);
    if (params.size > shorter + 2 * params.padding) {
      throw paribus::Error("transform/crop: the window is larger than the padded image, got size " +
                           std::to_string(params.size) + ", expected at most " +
                           std::to_string(shorter + 2 * params.padding) + " for images of " +
                           image + " with padding " + std::to_string(params.padding));
    }
    if (params.mode == "reflect" && params.padding >= shorter) {
      throw paribus::Error("transform/crop: too much padding to reflect, got " +
                           std::to_string(params.padding) + ", expected less than " +
                           std::to_string(shorter) + " for images of " + image);
    }
  }

  [[nodiscard]] std::int64_t side(std::int64_t of) const {
    return params.size > 0 ? params.size : of;
  }

  void move_places(paribus::Batch& batch, const std::vector<Place>& places) const {
    const paribus::ImageSize from = paribus::image_size(batch);
    const paribus::ImageSize to{side(from.height), side(from.width)};
    // From the new middle to the old one.
    const auto shift = [&](double place, std::int64_t old, std::int64_t now) {
      return static_cast<double>(offset(place, old, now)) + static_cast<double>(now - old) / 2;
    };
    std::vector<paribus::Origin> origins;
    for (const Place& place : places)
      origins.push_back({1, 0, shift(place.left, from.width, to.width), 0, 1,
                         shift(place.top, from.height, to.height), 0, 0, 1});
    paribus::move_places(batch, from, to, origins);
  }

  [[nodiscard]] at::Tensor window(const at::Tensor& data, const std::vector<Place>& places) const {
    const std::int64_t height = side(data.size(2)), width = side(data.size(3));
    const bool reflect = params.mode == "reflect";
    const std::array<std::int64_t, 4> shape{data.size(0), data.size(1), height, width};
    at::Tensor result =
        reflect ? at::empty(shape, data.options()) : at::zeros(shape, data.options());
    paribus::by_element_size(data, [&](auto* element) {
      for (std::int64_t i = 0; i < data.size(0); ++i) {
        const std::int64_t top = offset(places[i].top, data.size(2), height);
        const std::int64_t left = offset(places[i].left, data.size(3), width);
        for (std::int64_t c = 0; c < data.size(1); ++c) {
          if (reflect) {
            copy_reflected(data, result, i, c, top, left, element);
          } else {
            copy_inside(data, result, i, c, top, left, element);
          }
        }
      }
    });
    return result;
  }

  /// Where the window starts, in the image's own coordinates: from -padding on.
  [[nodiscard]] std::int64_t offset(double place, std::int64_t from, std::int64_t to) const {
    const std::int64_t places = from + 2 * params.padding - to + 1;
    return static_cast<std::int64_t>(place * static_cast<double>(places)) - params.padding;
  }

  template <class T>
  static void copy_inside(const at::Tensor& from, const at::Tensor& to, std::int64_t item,
                          std::int64_t channel, std::int64_t top, std::int64_t left,
                          T* /*element*/) {
    const std::int64_t height = from.size(2), width = from.size(3), new_width = to.size(3);
    const T* source = static_cast<const T*>(from.const_data_ptr()) + item * from.stride(0) +
                      channel * from.stride(1);
    T* target = static_cast<T*>(to.data_ptr()) + item * to.stride(0) + channel * to.stride(1);
    const std::int64_t first = std::max<std::int64_t>(0, -left);
    const std::int64_t last = std::min(new_width, width - left);
    for (std::int64_t y = std::max<std::int64_t>(0, -top); y < std::min(to.size(2), height - top);
         ++y) {
      if (first < last)
        std::copy_n(source + (y + top) * width + left + first, last - first,
                    target + y * new_width + first);
    }
  }

  template <class T>
  static void copy_reflected(const at::Tensor& from, const at::Tensor& to, std::int64_t item,
                             std::int64_t channel, std::int64_t top, std::int64_t left,
                             T* /*element*/) {
    const std::int64_t height = from.size(2), width = from.size(3);
    const T* source = static_cast<const T*>(from.const_data_ptr()) + item * from.stride(0) +
                      channel * from.stride(1);
    T* target = static_cast<T*>(to.data_ptr()) + item * to.stride(0) + channel * to.stride(1);
    for (std::int64_t y = 0; y < to.size(2); ++y) {
      const T* row = source + reflected(y + top, height) * width;
      for (std::int64_t x = 0; x < to.size(3); ++x) *target++ = row[reflected(x + left, width)];
    }
  }

  /// -1 is 1, size is size - 2: the edge isn't repeated.
  static std::int64_t reflected(std::int64_t i, std::int64_t size) {
    if (i < 0) return -i;
    return i < size ? i : 2 * (size - 1) - i;
  }
};

PARIBUS_PART(Crop, "crop", "a window at a random place of the padded image")
