// SPDX-License-Identifier: Apache-2.0
#include "journal/events.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "journal/crc32c.h"
#include "journal/decode.h"
#include "paribus/error.h"

namespace paribus::journal {
namespace {

std::string bytes_of(const std::filesystem::path& path, std::size_t start) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0)
    throw Error(fmt::format("journal {}: can't open: {}", path.string(), std::strerror(errno)));
  struct stat facts {};
  if (::fstat(file, &facts) != 0 || !S_ISREG(facts.st_mode)) {
    ::close(file);
    throw Error(fmt::format("journal {}: is not a regular file", path.string()));
  }
  const auto size = static_cast<std::size_t>(facts.st_size);
  std::string bytes(size > start ? size - start : 0, '\0');
  std::size_t got = 0;
  while (got < bytes.size()) {
    const auto count =
        ::pread(file, bytes.data() + got, bytes.size() - got, static_cast<off_t>(start + got));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    got += static_cast<std::size_t>(count);
  }
  ::close(file);
  bytes.resize(got);
  return bytes;
}

void require_magic(std::string_view bytes, const std::filesystem::path& path) {
  if (bytes.starts_with(kMagic) || kMagic.starts_with(bytes)) return;
  const bool is_ours = bytes.starts_with(kMagic.substr(0, 7));
  throw Error(fmt::format("journal {}: {}", path.string(),
                          is_ours ? fmt::format("has format version {}, this program reads {}",
                                                static_cast<unsigned char>(bytes[7]), kMagic[7] + 0)
                                  : "is not a journal: its first bytes are not 'paribus'"));
}

}  // namespace

EventReader::EventReader(const std::filesystem::path& path, std::size_t start)
    : start_(start), bytes_(bytes_of(path, start)) {
  if (start > 0) return;
  require_magic(bytes_, path);
  if (bytes_.size() >= kMagic.size()) {
    at_ = kMagic.size();
  } else if (!bytes_.empty()) {
    stop(Tail::torn, "the head is cut short");
  }
}

bool EventReader::stop(Tail tail, std::string problem) {
  tail_ = tail;
  problem_ = std::move(problem);
  return false;
}

bool EventReader::next(nlohmann::json& event) {
  while (tail_ == Tail::whole && at_ < bytes_.size()) {
    const std::string_view rest = std::string_view(bytes_).substr(at_);
    const std::size_t length = rest.size() < kHeader ? 0 : load<std::uint32_t>(rest.data());
    if (length > kMaxPayload)
      return stop(Tail::damaged, fmt::format("a record claims {} bytes", length));
    const std::size_t size = kHeader + length + kTrailer;
    if (rest.size() < size) return stop(Tail::torn, "the last record is cut short");
    const std::string_view checked = rest.substr(0, kHeader + length);
    if (crc32c(checked) != load<std::uint32_t>(rest.data() + checked.size()))
      return stop(Tail::damaged, "a record's checksum does not fit its bytes");
    const std::string_view payload = checked.substr(kHeader);
    if (static_cast<std::uint8_t>(rest[4]) != kEvent) {
      at_ += size;
      continue;
    }
    event =
        is_too_deep(payload) ? nlohmann::json() : nlohmann::json::parse(payload, nullptr, false);
    if (!event.is_object())
      return stop(Tail::damaged, "a record's checksum fits but its contents make no sense");
    at_ += size;
    return true;
  }
  return false;
}

}  // namespace paribus::journal
