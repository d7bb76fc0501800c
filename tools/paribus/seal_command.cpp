// SPDX-License-Identifier: Apache-2.0
#include "seal_command.h"

#include <fmt/format.h>

#include <memory>

#include "results/seal.h"
#include "study_reader.h"

namespace paribus {

void add_seal_command(CLI::App& app, int& exit_status) {
  auto dir = std::make_shared<std::string>();
  auto* command = app.add_subcommand("seal", "rebuild results.h5 from the journals");
  command->add_option("DIR", *dir, "a study's directory")->required()->type_name("");
  command->callback([dir, &exit_status] {
    exit_status = guarded([&] {
      fmt::print("{}\n", results::seal(read_study_aloud(*dir)).string());
      return 0;
    });
  });
}

}  // namespace paribus
