// SPDX-License-Identifier: Apache-2.0
// A trial's or study's journal: whatever its bytes, it is read up to the first that can't be, and
// once repaired it is whole and says the same. Every other input has good checksums, or none would
// get past them.
#include "journal/journal.h"

#include <vector>

#include "input.h"
#include "journal/crc32c.h"
#include "journal/events.h"
#include "journal/format.h"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t most)
    __attribute__((weak));

namespace {

using namespace paribus;
using namespace paribus::journal;

struct Payload {
  std::uint8_t type;
  std::string bytes;
};

std::vector<Payload> records_in(std::string_view bytes) {
  std::vector<Payload> records;
  if (!bytes.starts_with(kMagic)) return records;
  bytes.remove_prefix(kMagic.size());
  while (bytes.size() >= kHeader + kTrailer) {
    const std::size_t size = load<std::uint32_t>(bytes.data());
    if (size > bytes.size() - kHeader - kTrailer) break;
    records.push_back(
        {static_cast<std::uint8_t>(bytes[4]), std::string(bytes.substr(kHeader, size))});
    bytes.remove_prefix(kHeader + size + kTrailer);
  }
  return records;
}

std::string journal_of(const std::vector<Payload>& records) {
  std::string bytes(kMagic);
  for (const Payload& record : records) {
    std::string whole(kHeader, '\0');
    store(whole.data(), static_cast<std::uint32_t>(record.bytes.size()));
    whole[4] = static_cast<char>(record.type);
    whole += record.bytes;
    std::string sum(kTrailer, '\0');
    store(sum.data(), crc32c(whole));
    bytes += whole + sum;
  }
  return bytes;
}

}  // namespace

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t most, unsigned int seed) {
  std::vector<Payload> records = records_in(fuzz::text_of(data, size));
  if (records.empty() || seed % 2 == 0) return LLVMFuzzerMutate(data, size, most);
  Payload& one = records[seed / 2 % records.size()];
  std::string room = one.bytes;
  room.resize(one.bytes.size() + 64);
  room.resize(LLVMFuzzerMutate(reinterpret_cast<std::uint8_t*>(room.data()), one.bytes.size(),
                               room.size()));
  if (seed / 2 % 16 == 0) one.type = static_cast<std::uint8_t>(seed / 32 % 8);
  one.bytes = room;
  const std::string made = journal_of(records);
  if (made.size() > most) return LLVMFuzzerMutate(data, size, most);
  std::memcpy(data, made.data(), made.size());
  return made.size();
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fuzz::File file(fuzz::text_of(data, size));
  fuzz::refusing([&] {
    const Record before = read(file.path());
    EventReader reader(file.path());
    for (nlohmann::json event; reader.next(event);) {
    }
    repair(file.path());
    const Record after = read(file.path());
    if (after.tail != Tail::whole || after.events != before.events) __builtin_trap();
    if (after.series.size() != before.series.size()) __builtin_trap();
  });
  return 0;
}
