// SPDX-License-Identifier: Apache-2.0
// Why a trial ended, in words.
#include <signal.h>
#include <sys/wait.h>

#include <cstdio>

#include "exit_words.h"
#include "python_place.h"
#include "trial.h"
#include "watch.h"

namespace paribus::worker {
namespace {

using driver::Distress;
using nlohmann::json;

std::string hexadecimal(std::uint64_t value) {
  char text[19];
  std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(value));
  return text;
}

std::string killed_by(int signal, bool kernel_was_killing) {
  const std::string what = "its process was ended by " + signal_in_words(signal);
  if (signal != SIGKILL) return what;
  return what + (kernel_was_killing
                     ? "; the kernel ran out of memory meanwhile and killed for it: run fewer "
                       "trials side by side, or make them smaller"
                     : ", which Paribus did not send");
}

bool is_own_code(int code) {
  return code == kDone || code == kFailed || code == kStopped || code == kPaused;
}

}  // namespace

void Watch::tell_crash(Charge& charge, int signal) {
  const Distress& distress = charge.slot.distress;
  const bool told = distress.state != Distress::none;
  const std::string in = charge.where.empty() ? "" : " in " + charge.where;
  charge.reason = "crash";
  if (told && distress.signal == 0) {
    charge.message = "a plugin called exit(" + std::to_string(distress.address) + ")" + in;
    return;
  }
  const int met = told ? distress.signal.load() : signal;
  if (distress.memory || charge.at_memory_limit) {
    charge.reason = "memory";
    charge.message =
        out_of_memory(charge.limits.memory) + "; it died of " + signal_in_words(met) + in;
  } else if (distress.overflow) {
    charge.message = "its stack overflowed" + in;
  } else if (told) {
    const std::uint64_t address = distress.address;
    charge.message = "it crashed with " + signal_in_words(met) +
                     (met == SIGSEGV || met == SIGBUS ? " at address " + hexadecimal(address) : "");
    const std::string said = met == SIGABRT ? last_line(charge.log) : "";
    charge.message += in + (said.empty() ? "" : ": " + said);
  } else {
    charge.message = "it crashed with " + signal_in_words(met) +
                     ", so suddenly that its stack could not be read: most likely the stack of one "
                     "of its threads overflowed";
  }
}

void Watch::tell_end(Charge& charge, int status) {
  const Distress& distress = charge.slot.distress;
  if (charge.reason == "hang" && WIFSIGNALED(status)) return;
  if (charge.reason == "time" && (WIFSIGNALED(status) || WEXITSTATUS(status) == kStopped)) return;
  if (distress.state != Distress::none)
    return tell_crash(charge, WIFSIGNALED(status) ? WTERMSIG(status) : 0);
  charge.reason.clear(), charge.message.clear();
  if (WIFSIGNALED(status)) {
    const int signal = WTERMSIG(status);
    for (const int crash : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT}) {
      if (signal == crash) return tell_crash(charge, signal);
    }
    charge.reason = "killed";
    charge.message = killed_by(signal, oom_kills() > charge.oom_kills);
  } else if (!distress.ended || !is_own_code(WEXITSTATUS(status))) {
    charge.reason = "crash";
    charge.message = "it left its process with exit status " + std::to_string(WEXITSTATUS(status)) +
                     " before its training was over: a plugin called _exit() or exec()";
  } else if (distress.memory && WEXITSTATUS(status) == kFailed) {
    charge.reason = "memory";
  }
}

json Watch::ended(pid_t pid, int status) {
  Charge& charge = charges_.at(pid);
  tell_end(charge, status);
  const bool is_crash = charge.reason == "crash";
  if (is_crash || charge.reason == "hang") {
    const PythonPlace place = python_place(charge.log, pid);
    if (!place.where.empty()) charge.message += "; its Python was at " + place.where;
    charge.stack += place.stacks;
  }
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
  json event{{"event", "exit"},
             {"trial", charge.trial},
             {"pid", pid},
             {"code", is_crash && WIFEXITED(status) ? kFailed : code},
             {"signal", WIFSIGNALED(status) ? WTERMSIG(status) : 0},
             {"reason", charge.reason},
             {"message", charge.message},
             {"stack", charge.stack}};
  if (!charge.stack.empty()) write_stacks(charge.stack_file, charge.message, charge.stack);
  charges_.erase(pid);
  return event;
}

}  // namespace paribus::worker
