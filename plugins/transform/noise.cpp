// SPDX-License-Identifier: Apache-2.0
#include <paribus/images.h>
#include <paribus/transform.h>

#include <algorithm>
#include <cmath>

/// Adds to every value of the first input a number from N(0, (sd s)^2), s the standard deviation
/// that the data have in that channel at this place among the transforms. Bytes are rounded.
struct Noise : paribus::Transform {
  struct Params {
    double sd = 0.1;
    double p = 1;

    static constexpr auto fields() {
      return std::tuple{
          paribus::field("sd", &Params::sd, "in standard deviations of the data; 0: none")
              .at_least(0)
              .at_most(100)
              .live(),
          paribus::field("p", &Params::p, "probability that an item gets noise")
              .at_least(0)
              .at_most(1)
              .live()};
    }
  } params;

  paribus::DataSpec setup(paribus::DataSpec in) override {
    const auto channels =
        static_cast<std::size_t>(paribus::channels_of_first(in, "transform/noise"));
    std_ = in.std;
    if (std_.size() == channels) return in;
    throw paribus::Error("transform/noise: the data state a standard deviation for " +
                         std::to_string(std_.size()) + " channels, expected " +
                         std::to_string(channels) + "; put normalize with mean and std before it");
  }
  [[nodiscard]] bool training_only() const override { return true; }

  void apply(paribus::Batch& batch, const paribus::Stream& stream) const override {
    if (params.sd == 0 || params.p <= 0) return;
    at::Tensor& image = batch.inputs.front().data;
    const at::Device device = image.device();
    at::Tensor data = image.cpu().contiguous();
    const bool bytes = data.scalar_type() == at::kByte;
    if (!bytes) data = data.to(at::kFloat);
    for (std::int64_t i = 0; i < data.size(0); ++i) {
      paribus::Draws draws = stream.item(batch.epoch, batch.items[static_cast<std::size_t>(i)]);
      if (draws.uniform() >= params.p) continue;
      if (bytes) {
        add<std::uint8_t>(data, i, draws);
      } else {
        add<float>(data, i, draws);
      }
    }
    image = data.to(device);
  }

 private:
  template <class T>
  void add(const at::Tensor& data, std::int64_t item, paribus::Draws& draws) const {
    const std::int64_t pixels = data.stride(1);
    T* value = data.mutable_data_ptr<T>() + item * data.stride(0);
    for (std::int64_t c = 0; c < data.size(1); ++c) {
      const double sd = params.sd * std_[static_cast<std::size_t>(c)];
      for (std::int64_t k = 0; k < pixels; ++k, ++value) {
        const double noisy = static_cast<double>(*value) + sd * draws.normal();
        *value = std::is_same_v<T, std::uint8_t>
                     ? static_cast<T>(std::lround(std::clamp(noisy, 0.0, 255.0)))
                     : static_cast<T>(noisy);
      }
    }
  }

  std::vector<double> std_;  // of each channel
};

PARIBUS_PART(Noise, "noise", "adds normal noise to items")
