// SPDX-License-Identifier: Apache-2.0
#include "first_trial.h"

#include <fmt/core.h>

#include "driver/check.h"
#include "driver/interrupt.h"
#include "live.h"

namespace paribus {

void FirstTrial::add_options(CLI::App& command) {
  command.add_option("STUDY.toml", study, "the study's file (TOML); its first trial is used")
      ->required()
      ->type_name("");
  command.add_option("-s,--set", overrides, "override one key of the study; may be given again")
      ->allow_extra_args(false)
      ->type_name("KEY=VALUE");
}

std::optional<nlohmann::json> FirstTrial::ask(const std::string& what,
                                              const nlohmann::json& options, bool quiet) const {
  driver::watch_interrupts();
  const auto display = make_display(quiet);
  driver::Engine engine;
  const driver::CheckedStudy checked = driver::check_study(study, overrides, engine, *display);
  display->finish();
  const driver::Trial& trial = checked.trials.front();
  try {
    nlohmann::json reply = engine.worker().call(
        what, {{"spec", trial.spec()}, {"files", trial.files()}, {"options", options}});
    reply["label"] = trial.label();
    return reply;
  } catch (const driver::Refused& refused) {
    fmt::print(stderr, "{}\n", refused.what());
    return std::nullopt;
  }
}

}  // namespace paribus
