// SPDX-License-Identifier: Apache-2.0
#include <paribus/images.h>
#include <paribus/transform.h>

#include <algorithm>
#include <cmath>

/// Covers a square at a random place of the first input with one colour (DeVries and Taylor 2017).
/// The square's centre may be anywhere in the image, so part of it may lie outside. Masks and
/// labels stay as they are. Unless given, the colour is the mean that the data have at this place
/// among the transforms, rounded for bytes: before `normalize` that of the raw pixels, after it 0,
/// which is the same grey.
struct Cutout : paribus::Transform {
  struct Params {
    int size = 8;
    double p = 1;
    std::optional<double> fill;

    static constexpr auto fields() {
      return std::tuple{
          paribus::field("size", &Params::size, "side of the square; 0: none")
              .at_least(0)
              .at_most(16384)
              .unit("px")
              .live(),
          paribus::field("p", &Params::p, "probability that an item is covered")
              .at_least(0)
              .at_most(1)
              .live(),
          paribus::field("fill", &Params::fill,
                         "its value in the units of the data; not given: their mean")};
    }
  } params;

  paribus::DataSpec setup(paribus::DataSpec in) override {
    const auto channels =
        static_cast<std::size_t>(paribus::channels_of_first(in, "transform/cutout"));
    fill_ = params.fill ? std::vector<double>(channels, *params.fill) : in.mean;
    if (fill_.size() == channels) return in;
    throw paribus::Error("transform/cutout: the data state a mean for " +
                         std::to_string(fill_.size()) + " channels, expected " +
                         std::to_string(channels) + "; give fill = 0");
  }

  [[nodiscard]] bool training_only() const override { return true; }

  void apply(paribus::Batch& batch, const paribus::Stream& stream) const override {
    if (params.size == 0 || params.p <= 0) return;
    at::Tensor& image = batch.inputs.front().data;
    const at::Device device = image.device();
    at::Tensor data = image.cpu().contiguous();
    const bool bytes = data.scalar_type() == at::kByte;
    if (!bytes) data = data.to(at::kFloat);
    for (std::int64_t i = 0; i < data.size(0); ++i) {
      paribus::Draws draws = stream.item(batch.epoch, batch.items[i]);
      if (draws.uniform() >= params.p) continue;
      const std::int64_t top = below(draws, data.size(2)) - params.size / 2;
      const std::int64_t left = below(draws, data.size(3)) - params.size / 2;
      if (bytes) {
        cover<std::uint8_t>(data, i, top, left);
      } else {
        cover<float>(data, i, top, left);
      }
    }
    image = data.to(device);
  }

 private:
  static std::int64_t below(paribus::Draws& draws, std::int64_t n) {
    return draws.below(static_cast<std::uint32_t>(n));
  }

  template <class T>
  void cover(const at::Tensor& data, std::int64_t item, std::int64_t top, std::int64_t left) const {
    const std::int64_t height = data.size(2), width = data.size(3);
    const std::int64_t first = std::max<std::int64_t>(0, left);
    const std::int64_t last = std::min(width, left + params.size);
    for (std::int64_t c = 0; c < data.size(1); ++c) {
      const double exact = fill_[static_cast<std::size_t>(c)];
      const T value = std::is_same_v<T, std::uint8_t>
                          ? static_cast<T>(std::lround(std::clamp(exact, 0.0, 255.0)))
                          : static_cast<T>(exact);
      T* plane = data.mutable_data_ptr<T>() + item * data.stride(0) + c * data.stride(1);
      for (std::int64_t y = std::max<std::int64_t>(0, top); y < std::min(height, top + params.size);
           ++y) {
        std::fill(plane + y * width + first, plane + y * width + last, value);
      }
    }
  }

  std::vector<double> fill_;  // of each channel
};

PARIBUS_PART(Cutout, "cutout", "covers a square at a random place (DeVries and Taylor 2017)")
