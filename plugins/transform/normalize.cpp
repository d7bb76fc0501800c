// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/empty.h>
#include <paribus/images.h>
#include <paribus/transform.h>

#include <algorithm>
#include <array>

/// (x - mean) / std for each channel of the first input, as float32. Mean and standard deviation
/// are those that the data state, in the units that they come in (bytes: 0..255), unless given.
struct Normalize : paribus::Transform {
  struct Params {
    std::vector<double> mean;
    std::vector<double> std;

    static constexpr auto fields() {
      return std::tuple{
          paribus::field("mean", &Params::mean,
                         "of each channel, or one for all, in the data's units (bytes: 0 to 255); "
                         "empty: what the data state"),
          paribus::field("std", &Params::std,
                         "of each channel, or one for all; empty: what the data state")
              .above(0)};
    }
  } params;

  paribus::DataSpec setup(paribus::DataSpec in) override {
    const auto channels =
        static_cast<std::size_t>(paribus::channels_of_first(in, "transform/normalize"));
    mean_ = chosen(params.mean, in.mean, channels, "mean");
    std_ = chosen(params.std, in.std, channels, "std");
    is_of_unit_ = std::all_of(params.std.begin(), params.std.end(), [](double s) { return s < 1; });
    tables_.resize(channels);
    for (std::size_t c = 0; c < channels; ++c) {
      for (std::size_t x = 0; x < 256; ++x) {
        tables_[c][x] = static_cast<float>((static_cast<double>(x) - mean_[c]) / std_[c]);
      }
    }
    for (std::size_t c = 0; c < in.mean.size(); ++c) {
      in.mean[c] = (in.mean[c] - mean_[c]) / std_[c];
      in.std[c] /= std_[c];
    }
    return in;
  }

  void apply(paribus::Batch& batch, const paribus::Stream& /*stream*/) const override {
    at::Tensor& image = batch.inputs.front().data;
    const at::Device device = image.device();
    const at::Tensor data = image.cpu().contiguous();
    if (data.scalar_type() == at::kByte && !params.std.empty() && is_of_unit_) {
      throw paribus::Error(
          "transform/normalize: std is of values from 0 to 1, but the images hold bytes from 0 to "
          "255; multiply mean and std by 255");
    }
    image = (data.scalar_type() == at::kByte ? from_bytes(data) : from_floats(data.to(at::kFloat)))
                .to(device);
  }

 private:
  static std::vector<double> chosen(const std::vector<double>& given,
                                    const std::vector<double>& stated, std::size_t channels,
                                    const std::string& name) {
    const std::vector<double>& values = given.empty() ? stated : given;
    if (values.size() == channels) return values;
    if (given.size() == 1) return std::vector<double>(channels, given.front());
    if (values.empty())
      throw paribus::Error("transform/normalize: the data state no " + name + "; give " + name +
                           " = [...]");
    throw paribus::Error("transform/normalize: " + name + " has the wrong length, got " +
                         std::to_string(values.size()) + ", expected " + std::to_string(channels) +
                         ", one for each channel");
  }

  // A look-up is as fast as the arithmetic here and rounds once, on every machine alike.
  [[nodiscard]] at::Tensor from_bytes(const at::Tensor& data) const {
    at::Tensor result = at::empty(data.sizes(), data.options().dtype(at::kFloat));
    const auto* source = data.const_data_ptr<std::uint8_t>();
    auto* target = result.mutable_data_ptr<float>();
    const std::int64_t plane = data.size(2) * data.size(3);
    for (std::int64_t i = 0; i < data.size(0); ++i) {
      for (const auto& table : tables_) {
        for (std::int64_t k = 0; k < plane; ++k) target[k] = table[source[k]];
        source += plane;
        target += plane;
      }
    }
    return result;
  }

  [[nodiscard]] at::Tensor from_floats(const at::Tensor& data) const {
    at::Tensor result = at::empty(data.sizes(), data.options());
    const auto* source = data.const_data_ptr<float>();
    auto* target = result.mutable_data_ptr<float>();
    const std::int64_t plane = data.size(2) * data.size(3);
    for (std::int64_t i = 0; i < data.size(0); ++i) {
      for (std::size_t c = 0; c < mean_.size(); ++c) {
        const auto mean = static_cast<float>(mean_[c]);
        const auto std = static_cast<float>(std_[c]);
        for (std::int64_t k = 0; k < plane; ++k) target[k] = (source[k] - mean) / std;
        source += plane;
        target += plane;
      }
    }
    return result;
  }

  std::vector<double> mean_, std_;
  bool is_of_unit_ = false;                     // what was given
  std::vector<std::array<float, 256>> tables_;  // of each channel: what a byte becomes
};

PARIBUS_PART(Normalize, "normalize", "(x - mean) / std of each channel, as float32")
