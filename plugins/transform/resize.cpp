// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/empty.h>
#include <paribus/images.h>
#include <paribus/transform.h>

#include <algorithm>
#include <cmath>

/// Scales images so that their shorter side is `size`; a schedule may drive it (progressive
/// resizing). Bytes stay bytes. `area` is the mean over the area that a new pixel covers, best for
/// making images smaller; `bilinear` looks at the four nearest pixels, with half-pixel centres.
/// Masks take the nearest pixel; points and boxes, which are shares of the image, stay.
struct Resize : paribus::Transform {
  struct Params {
    int size = 0;
    std::string_view mode = "area";

    static constexpr auto fields() {
      return std::tuple{paribus::field("size", &Params::size, "the shorter side; 0: as it is")
                            .at_least(0)
                            .at_most(4096)
                            .unit("px")
                            .live(),
                        paribus::field("mode", &Params::mode, "how pixels are made of pixels")
                            .one_of("area", "bilinear")};
    }
  } params;

  paribus::DataSpec setup(paribus::DataSpec in) override {
    paribus::set_image_size(in, scaled(paribus::image_size(in, "transform/resize")));
    return in;
  }

  void apply(paribus::Batch& batch, const paribus::Stream& /*stream*/) const override {
    paribus::each_image(batch, [&](const at::Tensor& data, const paribus::Type& type) {
      const paribus::ImageSize from{data.size(2), data.size(3)};
      const paribus::ImageSize to = scaled(from);
      if (to.height == from.height && to.width == from.width) return data;
      at::Tensor result =
          at::empty({data.size(0), data.size(1), to.height, to.width}, data.options());
      if (type.is(paribus::kMask)) {
        paribus::by_element_size(data, [&](auto* element) { nearest(data, result, element); });
      } else if (data.scalar_type() == at::kByte) {
        resample<std::uint8_t>(data, result);
      } else {
        result = result.to(at::kFloat);
        resample<float>(data.to(at::kFloat), result);
      }
      return result;
    });
  }

 private:
  /// What one new pixel is made of, along one dimension.
  struct Taps {
    std::int64_t first = 0;
    std::vector<float> weights;
  };

  [[nodiscard]] paribus::ImageSize scaled(paribus::ImageSize from) const {
    if (params.size == 0) return from;
    const std::int64_t shorter = std::min(from.height, from.width);
    const auto side = [&](std::int64_t old) {
      return std::max<std::int64_t>(1,
                                    (2 * old * params.size + shorter) / (2 * shorter));  // rounded
    };
    return {side(from.height), side(from.width)};
  }

  [[nodiscard]] std::vector<Taps> taps(std::int64_t from, std::int64_t to) const {
    const double step = static_cast<double>(from) / static_cast<double>(to);
    std::vector<Taps> all;
    for (std::int64_t i = 0; i < to; ++i) {
      const auto at = static_cast<double>(i);
      all.push_back(params.mode == "area" ? covered(at * step, (at + 1) * step, from)
                                          : between((at + 0.5) * step - 0.5, from));
    }
    return all;
  }

  static Taps covered(double low, double high, std::int64_t from) {
    Taps taps{static_cast<std::int64_t>(low), {}};
    for (std::int64_t i = taps.first; i < from; ++i) {
      const double part =
          std::min(high, static_cast<double>(i + 1)) - std::max(low, static_cast<double>(i));
      if (part <= 1e-9) break;
      taps.weights.push_back(static_cast<float>(part / (high - low)));
    }
    return taps;
  }

  static Taps between(double place, std::int64_t from) {
    const double inside = std::clamp(place, 0.0, static_cast<double>(from - 1));
    const auto first =
        std::min(static_cast<std::int64_t>(inside), std::max<std::int64_t>(0, from - 2));
    const auto second = static_cast<float>(inside - static_cast<double>(first));
    if (from == 1) return {0, {1}};
    return {first, {1 - second, second}};
  }

  template <class T>
  void resample(const at::Tensor& from, const at::Tensor& to) const {
    const std::int64_t width = from.size(3);
    const std::vector<Taps> rows = taps(from.size(2), to.size(2));
    const std::vector<Taps> columns = taps(width, to.size(3));
    const T* source = from.const_data_ptr<T>();
    T* target = to.mutable_data_ptr<T>();
    std::vector<float> line(static_cast<std::size_t>(width));
    for (std::int64_t plane = 0; plane < from.size(0) * from.size(1);
         ++plane, source += from.stride(1)) {
      for (const Taps& row : rows) {
        std::fill(line.begin(), line.end(), 0.0F);
        for (std::size_t t = 0; t < row.weights.size(); ++t) {
          const T* pixels = source + (row.first + static_cast<std::int64_t>(t)) * width;
          const float weight = row.weights[t];
          for (std::int64_t x = 0; x < width; ++x)
            line[x] += weight * static_cast<float>(pixels[x]);
        }
        for (const Taps& column : columns) {
          float sum = 0;
          for (std::size_t t = 0; t < column.weights.size(); ++t)
            sum += column.weights[t] * line[column.first + t];
          *target++ = rounded<T>(sum);
        }
      }
    }
  }

  template <class T>
  static T rounded(float value) {
    if constexpr (std::is_same_v<T, float>) return value;
    return static_cast<T>(std::clamp(value + 0.5F, 0.0F, 255.0F));
  }

  template <class T>
  static void nearest(const at::Tensor& from, const at::Tensor& to, T* /*element*/) {
    const std::int64_t height = from.size(2), width = from.size(3), new_height = to.size(2),
                       new_width = to.size(3);
    const T* source = static_cast<const T*>(from.const_data_ptr());
    T* target = static_cast<T*>(to.data_ptr());
    for (std::int64_t plane = 0; plane < from.size(0) * from.size(1);
         ++plane, source += height * width) {
      for (std::int64_t y = 0; y < new_height; ++y) {
        const T* row = source + (2 * y + 1) * height / (2 * new_height) * width;
        for (std::int64_t x = 0; x < new_width; ++x)
          *target++ = row[(2 * x + 1) * width / (2 * new_width)];
      }
    }
  }
};

PARIBUS_PART(Resize, "resize", "scales images to a size that a schedule may drive")
