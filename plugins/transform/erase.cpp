// SPDX-License-Identifier: Apache-2.0
#include <paribus/images.h>
#include <paribus/transform.h>

#include <algorithm>
#include <cmath>

/// Random erasing (Zhong, Zheng, Kang, Li, Yang 2020): covers a rectangle of a random area and
/// shape at a random place of the first input, which lies wholly within it. Masks and labels stay
/// as they are. The values are noise of the mean and standard deviation that the data have at this
/// place among the transforms, or that mean.
struct Erase : paribus::Transform {
  struct Params {
    double p = 0.5;
    double area_min = 0.02;
    double area_max = 0.3;
    double aspect = 0.3;
    std::string_view fill = "noise";

    static constexpr auto fields() {
      return std::tuple{
          paribus::field("p", &Params::p, "probability that an item is covered")
              .at_least(0)
              .at_most(1)
              .live(),
          paribus::field("area_min", &Params::area_min, "the least part of the image")
              .at_least(0)
              .at_most(1)
              .live(),
          paribus::field("area_max", &Params::area_max, "the greatest part of the image")
              .at_least(0)
              .at_most(1)
              .live(),
          paribus::field("aspect", &Params::aspect,
                         "height by width is from this to one divided by it, evenly by logarithm")
              .above(0)
              .at_most(1)
              .live(),
          paribus::field("fill", &Params::fill, "what covers it").one_of("noise", "mean")};
    }
  } params;

  paribus::DataSpec setup(paribus::DataSpec in) override {
    const auto channels =
        static_cast<std::size_t>(paribus::channels_of_first(in, "transform/erase"));
    if (params.area_min > params.area_max) {
      throw paribus::Error("transform/erase: area_min is above area_max, got " +
                           std::to_string(params.area_min) + " and " +
                           std::to_string(params.area_max));
    }
    if (in.mean.size() != channels || in.std.size() != channels) {
      throw paribus::Error("transform/erase: the data state mean and std for " +
                           std::to_string(in.mean.size()) + " and " +
                           std::to_string(in.std.size()) + " channels, expected " +
                           std::to_string(channels) + "; take cutout with fill = 0");
    }
    mean_ = in.mean, std_ = in.std;
    return in;
  }
  [[nodiscard]] bool training_only() const override { return true; }

  void apply(paribus::Batch& batch, const paribus::Stream& stream) const override {
    if (params.p <= 0 || params.area_max <= 0) return;
    at::Tensor& image = batch.inputs.front().data;
    const at::Device device = image.device();
    at::Tensor data = image.cpu().contiguous();
    const bool bytes = data.scalar_type() == at::kByte;
    if (!bytes) data = data.to(at::kFloat);
    for (std::int64_t i = 0; i < data.size(0); ++i) {
      paribus::Draws draws = stream.item(batch.epoch, batch.items[static_cast<std::size_t>(i)]);
      if (draws.uniform() >= params.p) continue;
      const Place place = drawn(draws, data.size(2), data.size(3));
      if (bytes) {
        cover<std::uint8_t>(data, i, place, draws);
      } else {
        cover<float>(data, i, place, draws);
      }
    }
    image = data.to(device);
  }

 private:
  struct Place {
    std::int64_t top, left, height, width;
  };

  [[nodiscard]] Place drawn(paribus::Draws& draws, std::int64_t height, std::int64_t width) const {
    const double part = params.area_min + (params.area_max - params.area_min) * draws.uniform();
    const double area = part * static_cast<double>(height * width);
    const double shape = std::exp(std::log(params.aspect) * (2 * draws.uniform() - 1));
    const auto side = [](double length, std::int64_t most) {
      return std::min(most, static_cast<std::int64_t>(std::lround(length)));
    };
    const std::int64_t h = side(std::sqrt(area * shape), height);
    const std::int64_t w = side(std::sqrt(area / shape), width);
    const auto top = draws.below(static_cast<std::uint32_t>(height - h + 1));
    const auto left = draws.below(static_cast<std::uint32_t>(width - w + 1));
    return {top, left, h, w};
  }

  template <class T>
  void cover(const at::Tensor& data, std::int64_t item, const Place& place,
             paribus::Draws& draws) const {
    const bool noise = params.fill == "noise";
    for (std::int64_t c = 0; c < data.size(1); ++c) {
      const auto channel = static_cast<std::size_t>(c);
      T* plane = data.mutable_data_ptr<T>() + item * data.stride(0) + c * data.stride(1);
      for (std::int64_t y = place.top; y < place.top + place.height; ++y) {
        for (std::int64_t x = place.left; x < place.left + place.width; ++x) {
          const double value = mean_[channel] + (noise ? std_[channel] * draws.normal() : 0);
          plane[y * data.size(3) + x] =
              std::is_same_v<T, std::uint8_t>
                  ? static_cast<T>(std::lround(std::clamp(value, 0.0, 255.0)))
                  : static_cast<T>(value);
        }
      }
    }
  }

  std::vector<double> mean_, std_;  // of each channel
};

PARIBUS_PART(Erase, "erase", "covers a rectangle of items at random (random erasing)")
