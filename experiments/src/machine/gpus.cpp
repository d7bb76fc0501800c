// SPDX-License-Identifier: Apache-2.0
#include "machine/gpus.h"

#include <dlfcn.h>

#include <algorithm>
#include <string>

namespace paribus::machine {

namespace {

constexpr unsigned kMost = 64;        // of one machine
constexpr std::size_t kLongest = 96;  // a name, with its zero

// As nvml.h has them; its interface is stable, by the numbers at the end of the names.
struct Utilization {
  unsigned gpu = 0, memory = 0;  // %
};
struct Memory {
  unsigned long long total = 0, free = 0, used = 0;
};
constexpr int kOk = 0;
constexpr int kOfTheGpu = 0;  // which temperature

}  // namespace

struct Gpus::Nvml {
  using Device = void*;

  void* library = nullptr;
  int (*shutdown)() = nullptr;
  int (*driver)(char*, unsigned) = nullptr;
  int (*name)(Device, char*, unsigned) = nullptr;
  int (*utilization)(Device, Utilization*) = nullptr;
  int (*memory)(Device, Memory*) = nullptr;
  int (*power)(Device, unsigned*) = nullptr;
  int (*temperature)(Device, int, unsigned*) = nullptr;
  std::vector<Device> devices;

  ~Nvml() {
    if (shutdown != nullptr) shutdown();
    if (library != nullptr) ::dlclose(library);
  }

  template <class F>
  bool find(F& function, const char* symbol) {
    function = reinterpret_cast<F>(::dlsym(library, symbol));
    return function != nullptr;
  }

  /// False where there is nothing to be asked.
  bool open(const char* file) {
    library = ::dlopen(file, RTLD_NOW | RTLD_LOCAL);
    int (*init)() = nullptr;
    int (*count)(unsigned*) = nullptr;
    int (*handle)(unsigned, Device*) = nullptr;
    if (library == nullptr || !find(init, "nvmlInit_v2") || !find(count, "nvmlDeviceGetCount_v2") ||
        !find(handle, "nvmlDeviceGetHandleByIndex_v2"))
      return false;
    if (init() != kOk) return false;
    find(shutdown, "nvmlShutdown");
    find(driver, "nvmlSystemGetDriverVersion");
    find(name, "nvmlDeviceGetName");
    find(utilization, "nvmlDeviceGetUtilizationRates");
    find(memory, "nvmlDeviceGetMemoryInfo");
    find(power, "nvmlDeviceGetPowerUsage");
    find(temperature, "nvmlDeviceGetTemperature");
    unsigned number = 0;
    if (count(&number) != kOk) return false;
    for (unsigned i = 0; i < std::min(number, kMost); ++i) {
      Device device = nullptr;
      devices.push_back(handle(i, &device) == kOk ? device : nullptr);
    }
    return true;
  }
};

Gpus::Gpus(const char* library) : nvml_(std::make_unique<Nvml>()) {
  if (!nvml_->open(library)) nvml_->devices.clear();
}
Gpus::~Gpus() = default;

std::vector<Reading> Gpus::read() const {
  std::vector<Reading> all;
  for (std::size_t i = 0; i < nvml_->devices.size(); ++i) {
    void* device = nvml_->devices[i];
    if (device == nullptr) continue;
    const std::string front = "gpu." + std::to_string(i) + ".";
    Utilization utilization;
    Memory memory;
    unsigned milliwatts = 0, degrees = 0;
    if (nvml_->utilization != nullptr && nvml_->utilization(device, &utilization) == kOk)
      all.push_back({front + "utilization", "%", static_cast<double>(utilization.gpu)});
    if (nvml_->memory != nullptr && nvml_->memory(device, &memory) == kOk)
      all.push_back({front + "memory", "B", static_cast<double>(memory.used)});
    if (nvml_->power != nullptr && nvml_->power(device, &milliwatts) == kOk)
      all.push_back({front + "power", "W", milliwatts / 1000.0});
    if (nvml_->temperature != nullptr && nvml_->temperature(device, kOfTheGpu, &degrees) == kOk)
      all.push_back({front + "temperature", "degC", static_cast<double>(degrees)});
  }
  return all;
}

nlohmann::json Gpus::facts() const {
  using nlohmann::json;
  if (nvml_->devices.empty()) return nullptr;
  json devices = json::array();
  for (void* device : nvml_->devices) {
    char name[kLongest] = "";
    Memory memory;
    json one = json::object();
    if (device != nullptr && nvml_->name != nullptr &&
        nvml_->name(device, name, kLongest - 1) == kOk)
      one["name"] = name;
    if (device != nullptr && nvml_->memory != nullptr && nvml_->memory(device, &memory) == kOk)
      one["memory"] = memory.total;
    devices.push_back(std::move(one));
  }
  char version[kLongest] = "";
  json facts{{"devices", std::move(devices)}};
  if (nvml_->driver != nullptr && nvml_->driver(version, kLongest - 1) == kOk)
    facts["driver"] = version;
  return facts;
}

}  // namespace paribus::machine
