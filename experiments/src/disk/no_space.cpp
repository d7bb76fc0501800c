// SPDX-License-Identifier: Apache-2.0
#include "disk/no_space.h"

#include <fmt/format.h>
#include <sys/statvfs.h>

#include <array>
#include <cerrno>
#include <cmath>
#include <cstring>

#include "paribus/error.h"

namespace paribus::disk {
namespace {

std::string free_space(const std::filesystem::path& file) {
  struct statvfs facts {};
  const auto folder = file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
  if (::statvfs(folder.c_str(), &facts) != 0) return "";
  return fmt::format(" ({} free there)",
                     bytes_text(static_cast<std::int64_t>(facts.f_bavail * facts.f_frsize)));
}

const char* advice(int error) {
  switch (error) {
    case ENOSPC:
      return "make room";
    case EDQUOT:
      return "make room in the quota";
    case EFBIG:
      return "raise the limit on a file's size (ulimit -f)";
    default:
      return "check the disk";
  }
}

}  // namespace

bool is_no_space(int error) {
  return error == ENOSPC || error == EDQUOT || error == EFBIG || error == EIO;
}

void fail(const std::string& what, const std::filesystem::path& file, int error) {
  if (!is_no_space(error)) throw Error(fmt::format("{}: {}", what, std::strerror(error)));
  throw NoSpace(fmt::format("{}: {}{}; what was written before is whole: {} and resume", what,
                            std::strerror(error), error == EIO ? "" : free_space(file),
                            advice(error)));
}

std::string bytes_text(std::int64_t bytes) {
  static constexpr std::array kUnits{"bytes", "KiB", "MiB", "GiB", "TiB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (std::abs(value) >= 1024 && unit + 1 < kUnits.size()) value /= 1024, ++unit;
  return fmt::format("{:.{}f} {}", value, unit == 0 || value >= 100 ? 0 : 1, kUnits[unit]);
}

}  // namespace paribus::disk
