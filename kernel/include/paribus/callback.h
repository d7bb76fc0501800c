// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string_view>
#include <vector>

#include "paribus/fit.h"
#include "paribus/plugin.h"

namespace paribus {

/// What a callback looks at and what it changes, by the words in docs/callbacks.md: `batch`,
/// `outputs`, `loss`, `grads`, `weights`, `evaluation_weights`, `buffers`, `flow`, or a parameter's
/// address. The kernel runs who writes a thing before who reads it, and refuses two writers of one
/// thing.
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
  virtual void before_batch(Fit& /*fit*/) {}   // batch is on the device; skip_batch() drops it
  virtual void after_forward(Fit& /*fit*/) {}  // outputs are there
  virtual void after_loss(Fit& /*fit*/) {}     // loss is there, backward comes next
  virtual void after_backward(Fit& /*fit*/) {
  }  // gradients are there (of this micro-batch under accumulation)
  virtual void before_step(Fit& /*fit*/) {}      // gradients are whole, unscaled and clipped
  virtual void after_step(Fit& /*fit*/) {}       // weights have changed
  virtual void after_batch(Fit& /*fit*/) {}      // always, skipped batches too
  virtual void before_validate(Fit& /*fit*/) {}  // evaluation weights go in here
  virtual void after_validate(Fit& /*fit*/) {}   // and out; the epoch's metrics are there
  virtual void after_epoch(Fit& /*fit*/) {}      // always, skipped epochs too
  virtual void after_fit(Fit& /*fit*/) {}        // always, after an error too

  using Words = std::vector<std::string_view>;
  [[nodiscard]] virtual Words reads() const { return {}; }  // of touches(); made by the kernel
  [[nodiscard]] virtual Words writes() const { return {}; }

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
