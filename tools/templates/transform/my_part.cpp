// SPDX-License-Identifier: Apache-2.0
#include <paribus/images.h>
#include <paribus/transform.h>

/// x becomes 255 - x in an item, with probability p. Masks stay: their values are classes.
struct MyPart : paribus::Transform {
  struct Params {
    double p = 0.5;
    static constexpr auto fields() {
      return std::tuple{paribus::field("p", &Params::p, "probability that an item is inverted")
                            .at_least(0)
                            .at_most(1)
                            .live()};
    }
  } params;

  [[nodiscard]] bool training_only() const override { return true; }

  void apply(paribus::Batch& batch, const paribus::Stream& stream) const override {
    paribus::each_image(batch, [&](at::Tensor data, const paribus::Type& type) {
      if (type.is(paribus::kMask)) return data;
      if (data.scalar_type() != at::kByte)
        throw paribus::Error("transform/my_part: got floats, expected bytes; put it first");
      for (std::int64_t i = 0; i < batch.size(); ++i) {
        // Addressed by the item: its draw doesn't depend on the batch it is in.
        const bool chosen = stream.item(batch.epoch, batch.items[i]).uniform() < params.p;
        if (chosen) data.select(0, i).bitwise_not_();
      }
      return data;
    });
  }
};
PARIBUS_PART(MyPart, "my_part", "turns items into their negative at random")
