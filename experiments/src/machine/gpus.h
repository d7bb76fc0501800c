// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <vector>

#include "machine/readings.h"

namespace paribus::machine {

/// NVIDIA's GPUs, through the library that comes with their driver (NVML). Where it isn't there,
/// or says nothing, there are none: no error. A call may hang where a driver does, so this is for
/// a process apart.
class Gpus {
 public:
  explicit Gpus(const char* library = "libnvidia-ml.so.1");
  ~Gpus();
  Gpus(const Gpus&) = delete;
  Gpus& operator=(const Gpus&) = delete;

  /// Of each: `gpu.N.utilization` (%), `.memory` (B), `.power` (W), `.temperature` (degC).
  [[nodiscard]] std::vector<Reading> read() const;
  /// The driver's version and each GPU's name and memory; null where there are none.
  [[nodiscard]] nlohmann::json facts() const;

 private:
  struct Nvml;
  std::unique_ptr<Nvml> nvml_;
};

}  // namespace paribus::machine
