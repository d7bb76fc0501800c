// SPDX-License-Identifier: Apache-2.0
#include "events.h"

#include <chrono>

#include "paribus/callback.h"

namespace paribus::python {
namespace {

constexpr const char* kName = "~events";  // behind all others of a study

/// What the next one to be made belongs to: a descriptor's function has no room for it.
struct Wanted {
  Events* events = nullptr;
  std::shared_ptr<FitView> view;
};
thread_local Wanted wanted;

/// Changes nothing itself. It reads all there is, so that whoever changes something comes before
/// it.
class Tap final : public Callback {
 public:
  explicit Tap(Wanted whose) : events_(*whose.events), view_(std::move(whose.view)) {}
  ~Tap() override { view_->fit = nullptr; }

  void before_fit(Fit& fit) override {
    view_->fit = &fit, view_->owner = this;
    events_.offer("before_fit");
  }
  void before_epoch(Fit& /*fit*/) override { events_.offer("before_epoch"); }
  void before_batch(Fit& /*fit*/) override { events_.offer("before_batch"); }
  void after_forward(Fit& /*fit*/) override { events_.offer("after_forward"); }
  void after_loss(Fit& /*fit*/) override { events_.offer("after_loss"); }
  void after_backward(Fit& /*fit*/) override { events_.offer("after_backward"); }
  void before_step(Fit& /*fit*/) override { events_.offer("before_step"); }
  void after_step(Fit& /*fit*/) override { events_.offer("after_step"); }
  void after_batch(Fit& /*fit*/) override { events_.offer("after_batch"); }
  void before_validate(Fit& /*fit*/) override { events_.offer("before_validate"); }
  void after_valid_batch(Fit& /*fit*/) override { events_.offer("after_valid_batch"); }
  void after_validate(Fit& /*fit*/) override { events_.offer("after_validate"); }
  void after_epoch(Fit& /*fit*/) override { events_.offer("after_epoch"); }
  /// Others clean up, too, whether there is a reader or not.
  void after_fit(Fit& /*fit*/) override {
    try {
      events_.offer("after_fit");
    } catch (const Events::Left&) {
    }
  }

  [[nodiscard]] Words reads() const override {
    return {"batch",   "outputs", "loss",  "grads",  "weights", "evaluation_weights",
            "buffers", "frozen",  "rates", "length", "flow"};
  }

 private:
  Events& events_;
  std::shared_ptr<FitView> view_;
};

}  // namespace

void Events::offer(const char* event) {
  std::unique_lock lock(mutex_);
  if (left_) throw Left{};
  if (!wanted_.contains(event)) return;
  event_ = event, taken_ = false;
  changed_.notify_all();
  changed_.wait(lock, [this] { return event_.empty() || left_; });
  if (left_) throw Left{};
}

void Events::check() {
  const std::scoped_lock lock(mutex_);
  if (left_) throw Left{};
}

void Events::end(std::exception_ptr failure) {
  const std::scoped_lock lock(mutex_);
  ended_ = true, failure_ = std::move(failure);
  changed_.notify_all();
}

bool Events::wait() {
  constexpr std::chrono::milliseconds kMoment{20};
  std::unique_lock lock(mutex_);
  if (taken_ && !event_.empty()) {  // the reader is done with it
    event_.clear();
    changed_.notify_all();
  }
  return changed_.wait_for(lock, kMoment, [this] { return !taken_ || ended_; });
}

std::string Events::take() {
  const std::scoped_lock lock(mutex_);
  if (!taken_) {
    taken_ = true;
    return event_;
  }
  if (failure_) std::rethrow_exception(failure_);
  return "";
}

void Events::leave() {
  const std::scoped_lock lock(mutex_);
  left_ = true;
  changed_.notify_all();
}

const PartDescriptor& WithEvents::descriptor(const std::string& kind,
                                             const std::string& name) const {
  static const PartDescriptor tap{
      PARIBUS_ABI, "callback",
      kName,       []() -> PartBase* { return std::make_unique<Tap>(wanted).release(); },
      nullptr,     0};
  if (kind != "callback" || name != kName) return parts_.descriptor(kind, name);
  wanted = {&events_, view_};
  return tap;
}

PartSpec WithEvents::callback() {
  return {"callback", kName, std::string("callback.") + kName, {}, {}};
}

}  // namespace paribus::python
