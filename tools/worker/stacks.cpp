// SPDX-License-Identifier: Apache-2.0
#include "stacks.h"

#include <cxxabi.h>
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>
#include <fcntl.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <set>
#include <string_view>
#include <system_error>

namespace paribus::worker {
namespace {

constexpr std::size_t kMostFrames = 4000;  // read of a thread, to tell where a recursion began
constexpr std::size_t kShown = 48;         // of them, at its top; at its bottom:
constexpr std::size_t kShownLast = 16;
constexpr std::size_t kLongestName = 120;
constexpr std::size_t kLongestText = 128 << 10;

struct Frame {
  std::uint64_t address;  // of the call, or where the thread stood
  bool interrupted;       // by a signal: the frames above it are the handler's
};

struct Thread {
  pid_t id;
  std::vector<Frame> frames;
};

using Clock = std::chrono::steady_clock;

std::string hexadecimal(std::uint64_t value) {
  char text[19];
  std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(value));
  return text;
}

std::string last_problem() {
  const char* text = ::dwfl_errmsg(-1);
  return text != nullptr ? text : "unknown reason";
}

std::string demangled(const char* name) {
  int status = 0;
  char* plain = abi::__cxa_demangle(name, nullptr, nullptr, &status);
  std::string text = plain != nullptr ? plain : name;
  std::free(plain);
  if (text.size() <= kLongestName) return text;
  std::size_t arguments = text.find('(');  // those of nlohmann::json fill lines
  while (text.compare(arguments, 11, "(anonymous ") == 0) arguments = text.find('(', arguments + 1);
  if (arguments < kLongestName) return text.substr(0, arguments) + "(...)";
  return text.substr(0, kLongestName) + "...";
}

constexpr std::string_view kSealed = "/memfd:", kNowhere = " (deleted)";

/// Of a plugin that is a sealed copy in memory, the name that its file had.
std::string file_name(std::string path) {
  if (path.starts_with(kSealed)) {
    path.erase(0, kSealed.size());
    if (path.ends_with(kNowhere)) path.resize(path.size() - kNowhere.size());
  }
  return path.substr(path.rfind('/') + 1);
}

/// Such a copy has no path, but this process, a fork of the zygote, keeps it open as the zygote
/// does.
int open_elf(Dwfl_Module* module, void** data, const char* name, Dwarf_Addr base, char** path,
             Elf** elf) {
  if (std::string_view(name).starts_with(kSealed)) {
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd", ignored)) {
      if (std::filesystem::read_symlink(entry.path(), ignored) != name) continue;
      const int file = ::open(entry.path().c_str(), O_RDONLY | O_CLOEXEC);
      if (file >= 0) return file;
    }
  }
  return ::dwfl_linux_proc_find_elf(module, data, name, base, path, elf);
}

int add_frame(Dwfl_Frame* state, void* to) {
  auto& frames = static_cast<Thread*>(to)->frames;
  Dwarf_Addr address = 0;
  bool is_exact = false;
  if (!::dwfl_frame_pc(state, &address, &is_exact)) return DWARF_CB_ABORT;
  frames.push_back({is_exact ? address : address - 1, is_exact && !frames.empty()});
  return frames.size() < kMostFrames ? DWARF_CB_OK : DWARF_CB_ABORT;
}

/// What a process has mapped, and the names in it.
class Names {
 public:
  Names(pid_t process, double seconds)
      : deadline_(Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                     std::chrono::duration<double>(seconds))) {
    static const Dwfl_Callbacks kCallbacks{.find_elf = open_elf,
                                           .find_debuginfo = ::dwfl_standard_find_debuginfo,
                                           .section_address = nullptr,
                                           .debuginfo_path = nullptr};
    session_.reset(::dwfl_begin(&kCallbacks));
    if (!session_ || ::dwfl_linux_proc_report(session_.get(), process) != 0 ||
        ::dwfl_report_end(session_.get(), nullptr, nullptr) != 0)
      problem_ = last_problem();
  }

  [[nodiscard]] const std::string& problem() const { return problem_; }
  [[nodiscard]] Dwfl* session() const { return session_.get(); }

  /// Lines of one frame: the functions inlined there first.
  [[nodiscard]] std::vector<std::string> lines(const Frame& frame) const {
    Dwfl_Module* module = ::dwfl_addrmodule(session_.get(), frame.address);
    if (module == nullptr) return {hexadecimal(frame.address)};
    Dwarf_Addr start = 0;
    const char* path =
        ::dwfl_module_info(module, nullptr, &start, nullptr, nullptr, nullptr, nullptr, nullptr);
    const std::string in = " in " + file_name(path != nullptr ? path : "?");
    const std::string nameless = std::string("+").append(hexadecimal(frame.address - start)) + in;
    if (Clock::now() > deadline_) return {nameless};
    const char* symbol = ::dwfl_module_addrname(module, frame.address);
    std::string place = place_of(module, frame.address);
    std::vector<std::string> all = inlined(module, frame.address, place);
    if (symbol == nullptr && place.empty()) return {nameless};
    all.push_back((symbol != nullptr ? demangled(symbol) : "?") + place + in);
    return all;
  }

 private:
  static std::string at(const char* file, int line) {
    return file == nullptr ? "" : std::string(" at ") + file + ":" + std::to_string(line);
  }

  static std::string place_of(Dwfl_Module* module, Dwarf_Addr address) {
    Dwfl_Line* found = ::dwfl_module_getsrc(module, address);
    int line = 0;
    if (found == nullptr) return "";
    const char* file = ::dwfl_lineinfo(found, nullptr, &line, nullptr, nullptr, nullptr);
    return at(file, line);
  }

  /// The functions that the compiler put into this one at `address`, innermost first; `place`
  /// becomes the line that calls the outermost of them.
  static std::vector<std::string> inlined(Dwfl_Module* module, Dwarf_Addr address,
                                          std::string& place) {
    std::vector<std::string> all;
    Dwarf_Addr bias = 0;
    Dwarf_Die* unit = ::dwfl_module_addrdie(module, address, &bias);
    if (unit == nullptr) return all;
    Dwarf_Die* found = nullptr;
    const int count = ::dwarf_getscopes(unit, address - bias, &found);
    const std::unique_ptr<Dwarf_Die, void (*)(void*)> scopes(found, std::free);
    Dwarf_Files* files = nullptr;
    ::dwarf_getsrcfiles(unit, &files, nullptr);
    for (int i = 0; i < count; ++i) {
      Dwarf_Die* scope = scopes.get() + i;
      if (::dwarf_tag(scope) == DW_TAG_subprogram) break;
      if (::dwarf_tag(scope) != DW_TAG_inlined_subroutine) continue;
      const char* name = name_of(scope);
      all.push_back((name != nullptr ? demangled(name) : "?") + place + " (inlined)");
      place = at(::dwarf_filesrc(files, number(scope, DW_AT_call_file), nullptr, nullptr),
                 static_cast<int>(number(scope, DW_AT_call_line)));
    }
    return all;
  }

  static const char* name_of(Dwarf_Die* function) {
    Dwarf_Attribute attribute;
    for (const unsigned name : {DW_AT_linkage_name, DW_AT_name}) {
      if (::dwarf_attr_integrate(function, name, &attribute) != nullptr)
        return ::dwarf_formstring(&attribute);
    }
    return nullptr;
  }

  static Dwarf_Word number(Dwarf_Die* scope, unsigned name) {
    Dwarf_Attribute attribute;
    Dwarf_Word value = 0;
    if (::dwarf_attr(scope, name, &attribute) != nullptr) ::dwarf_formudata(&attribute, &value);
    return value;
  }

  std::unique_ptr<Dwfl, void (*)(Dwfl*)> session_{nullptr, ::dwfl_end};
  std::string problem_;
  Clock::time_point deadline_;
};

/// A crash is told from within a handler, an exit() from within exit(): what stands above is ours.
void drop_own(std::vector<Frame>& frames, const Names& names) {
  const auto interrupted = std::find_if(frames.rbegin(), frames.rend(),
                                        [](const Frame& frame) { return frame.interrupted; });
  if (interrupted != frames.rend()) {
    frames.erase(frames.begin(), interrupted.base() - 1);
    return;
  }
  const std::size_t near = std::min<std::size_t>(frames.size(), 12);
  for (std::size_t i = 0; i < near; ++i) {
    const std::string name = names.lines(frames[i]).back();
    if (!name.starts_with("exit ") && !name.starts_with("quick_exit ")) continue;
    frames.erase(frames.begin(), frames.begin() + static_cast<std::ptrdiff_t>(i));
    return;
  }
}

bool is_library(const std::string& line) {
  for (const char* library : {" in libc.so", " in libstdc++.so", " in ld-linux", " in libgcc_s.so",
                              " in libm.so", " in [vdso"}) {
    if (line.find(library) != std::string::npos) return true;
  }
  return false;
}

/// Adds a thread's lines to `stacks`; runs of one function are told once.
void write(const Thread& thread, bool in_question, const Names& names, Stacks& stacks) {
  const std::size_t count = thread.frames.size();
  std::size_t number = 0, repeats = 0;
  std::string last;
  const auto end_run = [&] {
    if (repeats > 0) stacks.text += "      (" + std::to_string(repeats) + " times more)\n";
    repeats = 0;
  };
  for (std::size_t i = 0; i < count; ++i, ++number) {
    if (i == kShown && count > kShown + kShownLast) {
      end_run();
      const std::size_t left_out = count - kShown - kShownLast;
      stacks.text += "      (" + std::to_string(left_out) + " frames)\n";
      i += left_out, number += left_out;
    }
    for (const std::string& line : names.lines(thread.frames[i])) {
      if (line == last) {
        ++repeats;
        continue;
      }
      end_run();
      last = line;
      const bool tells = in_question && !is_library(line) && !line.starts_with("+");
      if (tells && stacks.where.empty()) stacks.where = line;
      stacks.text += "  #" + std::to_string(number) + " " + line + "\n";
    }
  }
  end_run();
  if (count == kMostFrames) stacks.text += "      (and more)\n";
}

std::string title(pid_t process, pid_t thread) {
  std::string name;
  std::getline(std::ifstream("/proc/" + std::to_string(process) + "/task/" +
                             std::to_string(thread) + "/comm"),
               name);
  return "thread " + std::to_string(thread) + (thread == process ? ", the training's" : "") +
         (name.empty() || name == "paribus-trial" ? "" : " (" + name + ")") + ":\n";
}

}  // namespace

Stacks stacks_of(pid_t process, pid_t first, double seconds) {
  Stacks stacks;
  const Names names(process, seconds);
  stacks.problem = names.problem();
  if (!stacks.problem.empty()) return stacks;
  if (const int code = ::dwfl_linux_proc_attach(names.session(), process, false); code != 0) {
    stacks.problem = code > 0 ? std::strerror(code) : last_problem();
    return stacks;
  }
  std::vector<Thread> threads;
  const auto add_thread = [](Dwfl_Thread* handle, void* to) {
    auto& all_of = *static_cast<std::vector<Thread>*>(to);
    all_of.push_back({::dwfl_thread_tid(handle), {}});
    ::dwfl_thread_getframes(handle, add_frame, &all_of.back());
    return static_cast<int>(DWARF_CB_OK);
  };
  const bool all = ::dwfl_getthreads(names.session(), add_thread, &threads) == 0;
  std::stable_partition(threads.begin(), threads.end(),
                        [first](const Thread& thread) { return thread.id == first; });
  if (!all || threads.empty() || threads.front().frames.empty()) {
    stacks.problem = last_problem();
    return stacks;
  }
  drop_own(threads.front().frames, names);
  for (const Thread& thread : threads) {
    if (stacks.text.size() > kLongestText) {
      stacks.text += "(and others: " + std::to_string(threads.size()) + " threads in all)\n";
      break;
    }
    stacks.text += title(process, thread.id);
    write(thread, thread.id == first, names, stacks);
  }
  return stacks;
}

Stacks stack_of(pid_t process, pid_t thread, const std::vector<std::uint64_t>& own_view,
                double seconds) {
  Stacks stacks;
  const Names names(process, seconds);
  stacks.problem = names.problem();
  if (!stacks.problem.empty() || own_view.empty()) return stacks;
  Thread one{thread, {}};
  for (const std::uint64_t address : own_view) {
    const bool is_exact = one.frames.empty();
    one.frames.push_back({is_exact ? address : address - 1, false});
  }
  drop_own(one.frames, names);
  stacks.text = title(process, thread);
  write(one, true, names, stacks);
  return stacks;
}

}  // namespace paribus::worker
