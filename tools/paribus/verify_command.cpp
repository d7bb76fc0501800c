// SPDX-License-Identifier: Apache-2.0
#include "verify_command.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstdio>
#include <memory>

#include "driver/interrupt.h"
#include "driver/verify.h"
#include "live.h"
#include "study_reader.h"
#include "verify_report.h"

namespace paribus {
namespace {

struct Request {
  std::string directory;
  std::vector<std::string> trials;
  std::size_t sample = 0, at_once = 0;
  bool bisect = false, as_json = false, quiet = false;
};

/// In the study's order, whatever the order of their ends.
void sort_as_chosen(std::vector<Judged>& judged) {
  std::sort(judged.begin(), judged.end(), [](const Judged& a, const Judged& b) {
    return a.verified.trial < b.verified.trial;  // they stand in one vector
  });
}

void tell(const driver::Verification& verification, std::vector<Judged>& judged,
          const Request& request) {
  sort_as_chosen(judged);
  if (request.as_json)
    print_json(to_json(verification, judged));
  else
    print_judged(verification, judged);
  std::fflush(stdout);
}

/// All that differ, each with a display of its own.
void bisect(driver::Verification& verification, std::vector<Judged>& judged,
            const Request& request) {
  for (Judged& one : judged) {
    if (one.verified.identical()) continue;
    const auto display = make_display(request.quiet);
    display->note(
        fmt::format("{} {}: two more runs", one.verified.trial->id, verdict_of(one.verified)));
    one.bisection = verification.bisect(one.verified, request.at_once, *display);
  }
}

int verify(const Request& request) {
  driver::watch_interrupts();
  const auto display = make_display(request.quiet);
  driver::Engine engine;
  driver::Verification verification(request.directory, request.trials, request.sample, engine,
                                    *display);
  for (const driver::Change& change : verification.changes())
    display->note(fmt::format("{} has changed since the record", change.what));
  std::vector<Judged> judged;
  try {
    verification.run(request.at_once, *display, [&](const driver::Verified& verified) {
      judged.push_back({verified, {}});
      if (!verified.identical())
        display->note(fmt::format("{}: {}", verified.trial->id, verdict_of(verified)));
    });
    if (request.bisect) bisect(verification, judged, request);
  } catch (const driver::Interrupted&) {
    display->finish();
    tell(verification, judged, request);
    fmt::print(stderr, "interrupted with {} of {} trials verified\n", judged.size(),
               verification.trials().size());
    return 130;
  } catch (const driver::WorkerLost& lost) {
    display->finish();
    tell(verification, judged, request);
    fmt::print(stderr, "{}\n", lost.what());
    return 1;
  }
  tell(verification, judged, request);
  const bool all = std::all_of(judged.begin(), judged.end(),
                               [](const Judged& one) { return one.verified.identical(); });
  return all ? 0 : 1;
}

}  // namespace

void add_verify_command(CLI::App& app, int& exit_status) {
  auto request = std::make_shared<Request>();
  auto* command =
      app.add_subcommand("verify", "run trials again and compare every bit with the record");
  command->footer(
      "Exit status: 0 all are bit-identical; 1 one differs; 2 the request was wrong; 130 "
      "interrupted.");
  command->add_option("DIR", request->directory, "a study's directory")->required()->type_name("");
  command->add_option("TRIAL", request->trials, "trials by id or its beginning (default: all done)")
      ->type_name("");
  command->add_option("-n,--sample", request->sample, "at most N of them, spread over the study")
      ->check(CLI::PositiveNumber)
      ->type_name("N");
  command->add_flag("--bisect", request->bisect,
                    "run what differs twice more, to name the first step and tensor");
  command
      ->add_option("-j,--jobs", request->at_once,
                   "trials side by side (default: cores / threads of a trial)")
      ->check(CLI::Range(1, 1024))
      ->type_name("N");
  command->add_flag("--json", request->as_json, "for programs");
  command->add_flag("-q,--quiet", request->quiet, "no progress");
  command->callback([request, &exit_status] { exit_status = verify(*request); });
}

}  // namespace paribus
