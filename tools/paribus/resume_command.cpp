// SPDX-License-Identifier: Apache-2.0
#include "resume_command.h"

#include <fmt/core.h>

#include "driver/directory.h"
#include "paribus/error.h"
#include "run_command.h"

namespace paribus {

void add_resume_command(CLI::App& app, int& exit_status) {
  CLI::App* command = app.add_subcommand("resume", "go on with a study that was stopped or killed");
  auto request = std::make_shared<RunRequest>();
  request->resuming = true;
  command->add_option("DIR", request->directory, "the study's directory")
      ->required()
      ->type_name("");
  command
      ->add_option("-j,--jobs", request->at_once,
                   "trials side by side (default: cores / threads of a trial)")
      ->check(CLI::Range(1, 1024))
      ->type_name("N");
  add_isolate_option(*command, *request);
  add_locked_option(*command, request->locked);
  add_report_option(*command, *request);
  command->add_flag("-q,--quiet", request->quiet, "no progress, only failures and the results");
  command->callback([request, &exit_status] {
    request->study = request->directory / driver::StudyDirectory::kStudyFile;
    if (!std::filesystem::exists(request->study)) {
      throw Error(fmt::format(
          "{} is no study's directory: it has no {}; start one with: paribus run STUDY.toml",
          request->directory.string(), driver::StudyDirectory::kStudyFile));
    }
    exit_status = run(*request);
  });
}

}  // namespace paribus
