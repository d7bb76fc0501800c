// SPDX-License-Identifier: Apache-2.0
// Stands for libnvidia-ml.so.1 where there is no GPU: two devices, of which the second can't tell its power.
#include <string.h>

typedef struct {
  unsigned gpu, memory;
} Utilization;
typedef struct {
  unsigned long long total, free, used;
} Memory;
enum { kOk = 0, kNotSupported = 3 };

static int devices[2];

int nvmlInit_v2(void) { return kOk; }
int nvmlShutdown(void) { return kOk; }
int nvmlSystemGetDriverVersion(char* text, unsigned size) {
  strncpy(text, "555.0", size);
  return kOk;
}
int nvmlDeviceGetCount_v2(unsigned* count) {
  *count = 2;
  return kOk;
}
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void** device) {
  *device = &devices[index];
  return kOk;
}
int nvmlDeviceGetName(void* device, char* text, unsigned size) {
  strncpy(text, device == &devices[0] ? "Made-up A" : "Made-up B", size);
  return kOk;
}
int nvmlDeviceGetUtilizationRates(void* device, Utilization* rates) {
  rates->gpu = device == &devices[0] ? 37 : 100;
  rates->memory = 5;
  return kOk;
}
int nvmlDeviceGetMemoryInfo(void* device, Memory* memory) {
  (void)device;
  *memory = (Memory){16ULL << 30, 12ULL << 30, 4ULL << 30};
  return kOk;
}
int nvmlDeviceGetPowerUsage(void* device, unsigned* milliwatts) {
  *milliwatts = 123456;
  return device == &devices[0] ? kOk : kNotSupported;
}
int nvmlDeviceGetTemperature(void* device, int sensor, unsigned* degrees) {
  (void)device;
  *degrees = sensor == 0 ? 61 : 0;
  return kOk;
}
