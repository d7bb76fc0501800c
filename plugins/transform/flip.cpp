// SPDX-License-Identifier: Apache-2.0
#include <paribus/images.h>
#include <paribus/transform.h>

#include <algorithm>

/// Mirrors an item left to right with probability p; images, masks, points and boxes of an item
/// together; which point is which stays. With `alternate` the first epoch draws, and each later one
/// mirrors what the one before it didn't, so that two epochs show each item once either way (Jordan
/// 2024, arXiv 2404.00498, section 3.6).
struct Flip : paribus::Transform {
  struct Params {
    double p = 0.5;
    bool alternate = false;

    static constexpr auto fields() {
      return std::tuple{paribus::field("p", &Params::p, "probability that an item is mirrored")
                            .at_least(0)
                            .at_most(1)
                            .live(),
                        paribus::field("alternate", &Params::alternate,
                                       "only the first epoch draws, and epochs take turns; p = 0 "
                                       "still mirrors nothing")};
    }
  } params;

  paribus::DataSpec setup(paribus::DataSpec in) override {
    static_cast<void>(paribus::image_size(in, "transform/flip"));
    return in;
  }

  [[nodiscard]] bool training_only() const override { return true; }

  void apply(paribus::Batch& batch, const paribus::Stream& stream) const override {
    if (params.p <= 0) return;
    std::vector<std::int64_t> mirrored;
    for (std::int64_t i = 0; i < batch.size(); ++i) {
      if (is_mirrored(stream, batch.epoch, batch.items[i])) mirrored.push_back(i);
    }
    std::vector<paribus::Origin> origins(batch.items.size(), paribus::kUnmoved);
    for (const std::int64_t i : mirrored) origins[static_cast<std::size_t>(i)][0] = -1;
    const paribus::ImageSize size = paribus::image_size(batch);
    paribus::move_places(batch, size, size, origins);
    paribus::each_image(batch, [&](at::Tensor data, const paribus::Type&) {
      paribus::by_element_size(data, [&](auto* element) { mirror(data, mirrored, element); });
      return data;
    });
  }

 private:
  [[nodiscard]] bool is_mirrored(const paribus::Stream& stream, std::int64_t epoch,
                                 std::int64_t item) const {
    if (!params.alternate) return stream.item(epoch, item).uniform() < params.p;
    const bool at_first = stream.item(0, item).uniform() < params.p;
    return epoch % 2 == 0 ? at_first : !at_first;
  }
  template <class T>
  static void mirror(const at::Tensor& data, const std::vector<std::int64_t>& items,
                     T* /*element*/) {
    const std::int64_t width = data.size(3);
    const std::int64_t size = data.stride(0);
    T* start = static_cast<T*>(data.data_ptr());
    for (const std::int64_t item : items) {
      T* row = start + item * size;
      for (T* end = row + size; row != end; row += width) std::reverse(row, row + width);
    }
  }
};

PARIBUS_PART(Flip, "flip", "mirrors items left to right at random")
