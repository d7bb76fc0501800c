// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string_view>
#include <vector>

#include "paribus/fit.h"
#include "paribus/plugin.h"

namespace paribus {

/// What a callback looks at and what it changes, by the words in docs/callbacks.md: `batch`,
/// `outputs`, `loss`, `grads`, `weights`, `evaluation_weights`, `buffers`, `frozen`, `rates`,
/// `flow`, `length`, or a parameter's address. The kernel runs who writes a thing before who reads
/// it, and refuses two writers of one thing.
template <std::size_t kReads, std::size_t kWrites>
struct Touches {
  std::array<std::string_view, kReads> reads;
  std::array<std::string_view, kWrites> writes;
};

/// Takes part in training at the events it overrides; it may read and change all of `Fit`, and what
/// comes next. Events in their place: docs/training_loop.md. Every callback states `static
/// constexpr auto touches()`, e.g. `return paribus::Touches<1, 1>{{"loss"}, {"flow"}};`.
class Callback : public PartBase {
 public:
  static constexpr std::string_view kKind = "callback";

  virtual void before_fit(Fit& /*fit*/) {}
  virtual void before_epoch(Fit& /*fit*/) {}
  /// The batch is on the device; skip_batch() drops it.
  virtual void before_batch(Fit& /*fit*/) {}
  /// The outputs are there.
  virtual void after_forward(Fit& /*fit*/) {}
  /// The loss is there, backward comes next.
  virtual void after_loss(Fit& /*fit*/) {}
  /// The gradients are there; under accumulation, of this batch and those before it.
  virtual void after_backward(Fit& /*fit*/) {}
  /// The gradients are whole, unscaled and clipped.
  virtual void before_step(Fit& /*fit*/) {}
  /// The weights have changed.
  virtual void after_step(Fit& /*fit*/) {}
  /// Always, skipped batches too.
  virtual void after_batch(Fit& /*fit*/) {}
  /// Evaluation weights go in here.
  virtual void before_validate(Fit& /*fit*/) {}
  /// A batch of the validation split has its outputs and its loss, without gradients.
  virtual void after_valid_batch(Fit& /*fit*/) {}
  /// And out; the epoch's metrics are there.
  virtual void after_validate(Fit& /*fit*/) {}
  /// Always, skipped epochs too.
  virtual void after_epoch(Fit& /*fit*/) {}
  /// Always, after an error too.
  virtual void after_fit(Fit& /*fit*/) {}

  using Words = std::vector<std::string_view>;
  [[nodiscard]] virtual Words reads() const { return {}; }  // of touches(); made by the kernel
  [[nodiscard]] virtual Words writes() const { return {}; }

  /// How many epochs the training has. Throws Error unless `length` stands among what it reads:
  /// trainings of different lengths share their beginnings only if nothing in them looks ahead.
  [[nodiscard]] std::int64_t epochs(const Fit& fit) const;

  template <class T>
  struct Whole final : T {
    [[nodiscard]] Words reads() const final { return words(T::touches().reads); }
    [[nodiscard]] Words writes() const final { return words(T::touches().writes); }

   private:
    template <std::size_t kSize>
    static Words words(const std::array<std::string_view, kSize>& list) {
      return {list.begin(), list.end()};
    }
  };

  template <class T>
  static constexpr void describe(manifest_detail::Text& out, const T* /*part*/) {
    const auto touches = T::touches();
    out.key("reads"), list(out, touches.reads);
    out.key("writes"), list(out, touches.writes);
  }

 private:
  template <std::size_t kSize>
  static constexpr void list(manifest_detail::Text& out,
                             const std::array<std::string_view, kSize>& words) {
    out.put('[');
    for (std::size_t i = 0; i < kSize; ++i) {
      if (i != 0) out.put(',');
      out.quoted(words[i]);
    }
    out.put(']');
  }
};

}  // namespace paribus
