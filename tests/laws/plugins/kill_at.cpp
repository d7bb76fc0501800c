// SPDX-License-Identifier: Apache-2.0
#include <paribus/callback.h>
#include <signal.h>

#include <cstdlib>
#include <string>

/// Kills its own process at an event: PARIBUS_LAWS_KILL="after_step 7" means in the first
/// after_step of step 7 or later; `state` is while a checkpoint is put together. The environment,
/// not a parameter: the trial and its id are those of the undisturbed run.
struct KillAt : paribus::Callback {
  struct Params {
    static constexpr auto fields() { return paribus::no_fields(); }
  } params;
  static constexpr auto touches() { return paribus::Touches<0, 0>{{}, {}}; }

  void before_fit(paribus::Fit& fit) override { fit_ = &fit, at("before_fit"); }
  void before_epoch(paribus::Fit& /*fit*/) override { at("before_epoch"); }
  void before_batch(paribus::Fit& /*fit*/) override { at("before_batch"); }
  void after_forward(paribus::Fit& /*fit*/) override { at("after_forward"); }
  void after_loss(paribus::Fit& /*fit*/) override { at("after_loss"); }
  void after_backward(paribus::Fit& /*fit*/) override { at("after_backward"); }
  void before_step(paribus::Fit& /*fit*/) override { at("before_step"); }
  void after_step(paribus::Fit& /*fit*/) override { at("after_step"); }
  void after_batch(paribus::Fit& /*fit*/) override { at("after_batch"); }
  void before_validate(paribus::Fit& /*fit*/) override { at("before_validate"); }
  void after_valid_batch(paribus::Fit& /*fit*/) override { at("after_valid_batch"); }
  void after_validate(paribus::Fit& /*fit*/) override { at("after_validate"); }
  void after_epoch(paribus::Fit& /*fit*/) override { at("after_epoch"); }
  void after_fit(paribus::Fit& /*fit*/) override { at("after_fit"); }
  void state(paribus::State& state) override {
    if (!state.loading()) at("state");
  }

 private:
  void at(const std::string& event) const {
    const char* given = std::getenv("PARIBUS_LAWS_KILL");
    const std::string wanted = given != nullptr ? given : "";
    const bool here = wanted.starts_with(event + ' ');
    if (here && fit_->step >= std::stoll(wanted.substr(event.size()))) ::raise(SIGKILL);
  }

  paribus::Fit* fit_ = nullptr;
};

PARIBUS_PART(KillAt, "kill_at", "kills its process at an event")
