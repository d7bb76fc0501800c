// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <netinet/in.h>
#include <paribus/callback.h>
#include <paribus/error.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <string_view>

namespace {

/// Told by the test: a folder that is none of the study's.
std::string outside(const char* name) {
  const char* folder = std::getenv("REACH_OUTSIDE");
  return std::string(folder != nullptr ? folder : "/nowhere") + "/" + name;
}

bool written(const std::string& path, int flags = O_WRONLY | O_CREAT) {
  return ::open(path.c_str(), flags | O_CLOEXEC, 0644) >= 0;
}

/// zygote, guard, driver: three up.
pid_t driver() {
  pid_t pid = ::getppid();
  for (int up = 0; up < 2; ++up) {
    std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
    std::string word;
    for (int i = 0; i < 4; ++i) stat >> word;  // pid (name) state parent
    pid = std::atoi(word.c_str());
  }
  return pid;
}

bool connected(int family, const sockaddr* address, socklen_t size) {
  const int socket = ::socket(family, SOCK_STREAM, 0);
  return socket >= 0 && ::connect(socket, address, size) == 0;
}

bool connected_to_port() {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(std::atoi(std::getenv("REACH_PORT"))));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return connected(AF_INET, reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

bool connected_to_file() {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  outside("socket").copy(address.sun_path, sizeof address.sun_path - 1);
  return connected(AF_UNIX, reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

bool wrote_into_the_driver() {
  char byte = 0;
  const iovec here{&byte, 1}, there{reinterpret_cast<void*>(0x1000), 1};
  const ssize_t count = ::process_vm_writev(driver(), &here, 1, &there, 1, 0);
  return count >= 0 || errno == EFAULT;  // it was let in, and found nothing there
}

bool moved_out() {
  const std::string own = std::string(std::getenv("TMPDIR")) + "/own";
  return written(own) && ::rename(own.c_str(), outside("moved").c_str()) == 0;
}

bool reached(std::string_view how) {
  const char* journal = std::getenv("REACH_JOURNAL");
  if (how == "write") return written(outside("written"));
  if (how == "append") return written(outside("file"), O_WRONLY | O_APPEND);
  if (how == "truncate") return ::truncate(outside("file").c_str(), 0) == 0;
  if (how == "truncate_on_open") return written(outside("file"), O_RDONLY | O_TRUNC);
  if (how == "remove") return ::unlink(outside("file").c_str()) == 0;
  if (how == "chmod") return ::chmod(outside("file").c_str(), 0777) == 0;
  if (how == "move") return moved_out();
  if (how == "child") return std::system(("touch " + outside("touched")).c_str()) == 0;
  if (how == "journal") return written(journal, O_WRONLY);
  if (how == "inet") return connected_to_port();
  if (how == "unix") return connected_to_file();
  if (how == "ring") return ::syscall(SYS_io_uring_setup, 1, nullptr) >= 0 || errno == EFAULT;
  if (how == "trace") return ::ptrace(PTRACE_SEIZE, driver(), nullptr, nullptr) == 0;
  if (how == "memory") return wrote_into_the_driver();
  if (how == "kill") return ::kill(driver(), SIGKILL) == 0;
  if (how == "kill_zygote") return ::kill(::getppid(), SIGKILL) == 0;
  return false;
}

/// What runs as soon as the file is mapped.
const bool reached_on_load = std::getenv("REACH_ON_LOAD") != nullptr && written(outside("loaded"));

}  // namespace

/// Reaches out of its trial, and fails where it is stopped.
struct Reach : paribus::Callback {
  struct Params {
    std::string_view how = "nothing";
    static constexpr auto fields() {
      return std::tuple{paribus::field("how", &Params::how, "it does so; nothing: it doesn't")};
    }
  } params;
  static constexpr auto touches() { return paribus::Touches<0, 0>{{}, {}}; }

  void before_batch(paribus::Fit& fit) override {
    if (fit.step != 2 || params.how == "nothing") return;
    errno = 0;
    if (params.how == "own") {
      if (!written(std::string(std::getenv("TMPDIR")) + "/own"))
        throw paribus::Error("own: refused");
      return;
    }
    if (params.how == "crash") *static_cast<volatile int*>(nullptr) = 1;
    if (!reached(params.how))
      throw paribus::Error("stopped: " + std::string(params.how) + ": " + std::strerror(errno));
  }
};
PARIBUS_PART(Reach, "reach", "reaches out of its trial")
