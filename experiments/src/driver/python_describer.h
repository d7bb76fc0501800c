// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "driver/handle.h"

namespace paribus::driver {

/// A child `python -m paribus.describe`: its time, its output and its environment are bounded. It
/// is started by the first question, and anew after it died of one.
class PythonDescriber {
 public:
  explicit PythonDescriber(std::vector<std::filesystem::path> folders);
  PythonDescriber(const PythonDescriber&) = delete;
  PythonDescriber& operator=(const PythonDescriber&) = delete;
  ~PythonDescriber();

  /// Throws Error with what it says is wrong, or how it died of the question; Interrupted.
  nlohmann::json ask(const nlohmann::json& request);

  /// The interpreter: $PARIBUS_PYTHON, that of the active virtual environment, the one beside this
  /// program, or the one that it was built with. Throws Error if there is none.
  static std::filesystem::path python();
  /// The folder of our own Python package, which lies beside this program.
  static std::filesystem::path package();

 private:
  void start();
  std::string reply(std::chrono::seconds patience);
  void listen();
  void end();
  std::string how_it_ended();

  std::vector<std::filesystem::path> folders_;
  pid_t child_ = -1;
  Handle in_, out_, errors_;
  std::string line_, said_;
};

}  // namespace paribus::driver
