// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace paribus {

/// `act(i)` for each i below `count`, on as many threads as there are cores; none is left after it.
/// What fails first in order is told, whichever thread was first.
template <class Act>
void each_in_threads(std::size_t count, Act act) {
  std::atomic<std::size_t> next = 0;
  std::mutex mutex;
  std::size_t failed = count;
  std::exception_ptr why;
  const auto run = [&] {
    for (std::size_t i = next++; i < count; i = next++) {
      try {
        act(i);
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (i < failed) failed = i, why = std::current_exception();
        next = count;  // what comes before it is begun already
      }
    }
  };
  const std::size_t cores = std::clamp(std::thread::hardware_concurrency(), 1U, 32U);
  std::vector<std::jthread> threads;
  for (std::size_t i = 1; i < std::min(cores, count); ++i) threads.emplace_back(run);
  run();
  threads.clear();  // joins them
  if (why) std::rethrow_exception(why);
}

}  // namespace paribus
