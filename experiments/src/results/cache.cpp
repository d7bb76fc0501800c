// SPDX-License-Identifier: Apache-2.0
#include "results/cache.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "journal/crc32c.h"
#include "paribus/error.h"

namespace paribus::results {
namespace {

using journal::crc32c;
using nlohmann::json;

// The last byte is the version.
constexpr std::string_view kMagic{"pbtable\x01", 8};
constexpr std::size_t kAlign = 8;
constexpr std::size_t kFront = kMagic.size() + 3 * sizeof(std::uint64_t);  // and 3 numbers
constexpr std::int64_t kLately = 2'000'000'000;                            // ns

std::size_t aligned(std::size_t size) { return (size + kAlign - 1) / kAlign * kAlign; }

/// A file, read-only in memory.
class Mapped {
 public:
  explicit Mapped(const std::filesystem::path& path) {
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) return;
    struct stat facts {};
    if (::fstat(file, &facts) == 0 && S_ISREG(facts.st_mode) && facts.st_size > 0) {
      size_ = static_cast<std::size_t>(facts.st_size);
      void* start = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE | MAP_POPULATE, file, 0);
      start_ = start == MAP_FAILED ? nullptr : static_cast<const char*>(start);
    }
    ::close(file);
  }
  ~Mapped() {
    if (start_) ::munmap(const_cast<char*>(start_), size_);
  }
  Mapped(const Mapped&) = delete;
  Mapped& operator=(const Mapped&) = delete;

  [[nodiscard]] std::string_view bytes() const {
    return start_ ? std::string_view(start_, size_) : std::string_view();
  }

 private:
  const char* start_ = nullptr;
  std::size_t size_ = 0;
};

/// The bytes of packed columns, one stretch after the other, and where each stands.
class Sections {
 public:
  template <class T>
  void add(const Packed<T>& packed) {
    const auto values = packed.view();
    const std::string_view raw(reinterpret_cast<const char*>(values.data()), values.size_bytes());
    places.push_back({size, raw.size(), crc32c(raw)});
    parts.push_back(raw);
    size += aligned(raw.size());
  }

  json places = json::array();
  std::vector<std::string_view> parts;
  std::size_t size = 0;
};

/// Gives columns back what `Sections` took of them, in the same order. Throws where the file is not
/// what it should be.
class Taker {
 public:
  Taker(std::string_view body, const json& places) : body_(body), places_(places) {}

  template <class T>
  void take(Packed<T>& packed) {
    const json& place = places_.at(next_++);
    const auto offset = place.at(0).get<std::size_t>(), size = place.at(1).get<std::size_t>();
    if (offset % kAlign != 0 || offset > body_.size() || size > body_.size() - offset ||
        size % sizeof(T) != 0)
      throw Error("a section lies outside");
    const std::string_view raw = body_.substr(offset, size);
    if (crc32c(raw) != place.at(2).get<std::uint32_t>()) throw Error("a checksum does not fit");
    packed = Packed<T>(
        std::span<const T>(reinterpret_cast<const T*>(raw.data()), raw.size() / sizeof(T)));
  }

 private:
  std::string_view body_;
  const json& places_;
  std::size_t next_ = 0;
};

template <class Visitor>
void visit(auto& column, Visitor&& visitor) {
  switch (column.type) {
    case ColumnType::boolean:
      return visitor(column.flags);
    case ColumnType::integer:
      return visitor(column.integers);
    case ColumnType::real:
      return visitor(column.reals);
    case ColumnType::text:
      visitor(column.codes);
      visitor(column.text_ends);
      visitor(column.letters);
  }
}

/// Every column of a view, in one order.
template <class View, class Visitor>
void each_column(View& view, Visitor&& visitor) {
  for (auto& column : view.trials.columns) visitor(column);
  visitor(view.planned_epochs);
  visitor(view.steps_per_epoch);
  visitor(view.learned);
  visitor(view.problem);
}

json to_json(const FileMark& mark) { return json::array({mark.inode, mark.size, mark.changed}); }

FileMark mark_from(const json& list) { return {list.at(0), list.at(1), list.at(2)}; }

json head_of(const Cached& cached) {
  const StudyView& view = cached.view;
  json columns = json::array(), stretches = json::array();
  for (std::size_t i = 0; i < view.trials.columns.size(); ++i) {
    const Column& column = view.trials.columns[i];
    columns.push_back(
        {column.name, column.unit, column.type, view.sources[i].shows, view.sources[i].key});
  }
  for (const Stretch& stretch : cached.origin.log)
    stretches.push_back(json::array({stretch.end, stretch.sum}));
  return {{"rows", view.trials.rows},
          {"columns", columns},
          {"log", stretches},
          {"log_file", to_json(cached.origin.log_file)},
          {"folder", to_json(cached.origin.folder)},
          {"name", view.name},
          {"question", view.question},
          {"metric", view.metric},
          {"goal", view.goal},
          {"unit", view.unit},
          {"test", view.test},
          {"at", view.at},
          {"alpha", view.alpha},
          {"margin", view.margin ? json(*view.margin) : json()},
          {"axes", view.axes},
          {"log_problem", view.log_problem}};
}

Cached from_head(const json& head) {
  Cached cached;
  StudyView& view = cached.view;
  view.trials.rows = head.at("rows");
  for (const json& column : head.at("columns")) {
    view.trials.columns.emplace_back(column.at(0), column.at(1), column.at(2).get<ColumnType>());
    view.sources.push_back({column.at(3).get<Shows>(), column.at(4)});
  }
  for (const json& stretch : head.at("log"))
    cached.origin.log.push_back({stretch.at(0), stretch.at(1)});
  cached.origin.log_file = mark_from(head.at("log_file"));
  cached.origin.folder = mark_from(head.at("folder"));
  view.name = head.at("name"), view.question = head.at("question");
  view.metric = head.at("metric"), view.goal = head.at("goal"), view.unit = head.at("unit");
  view.test = head.at("test"), view.at = head.at("at"), view.alpha = head.at("alpha");
  if (!head.at("margin").is_null()) view.margin = head.at("margin").get<double>();
  view.axes = head.at("axes").get<std::vector<std::string>>();
  view.log_problem = head.at("log_problem");
  return cached;
}

/// Lengths agree and codes name texts that are there: what follows takes it on trust.
void require_sound(const Column& column, std::size_t rows) {
  if (column.size() != rows) throw Error("a column has another length");
  if (column.type != ColumnType::text) return;
  std::uint64_t last = 0;
  for (const std::uint64_t end : column.text_ends.view()) {
    if (end < last) throw Error("texts are out of order");
    last = end;
  }
  if (last != column.letters.size()) throw Error("texts have another length");
  for (const std::uint32_t code : column.codes.view()) {
    if (code >= column.texts() && code != Column::kUnknownCode) throw Error("a text is missing");
  }
}

Cached decode(const std::shared_ptr<const Mapped>& file) {
  const std::string_view bytes = file->bytes();
  if (bytes.size() < kFront || !bytes.starts_with(kMagic)) throw Error("no cache");
  std::uint64_t numbers[3];  // the head's size, its checksum, the body's size
  std::memcpy(numbers, bytes.data() + kMagic.size(), sizeof numbers);
  const auto& [head_size, head_sum, body_size] = numbers;
  if (head_size > bytes.size() - kFront) throw Error("no head");
  const std::size_t body_at = aligned(kFront + head_size);
  if (body_at > bytes.size() || body_size != bytes.size() - body_at) throw Error("cut short");
  const std::string_view text = bytes.substr(kFront, head_size);
  if (crc32c(text) != head_sum) throw Error("a checksum does not fit");
  const json head = json::parse(text);
  Cached cached = from_head(head);
  Taker taker(bytes.substr(body_at), head.at("sections"));
  each_column(cached.view, [&](Column& column) {
    visit(column, [&](auto& packed) { taker.take(packed); });
    require_sound(column, cached.view.trials.rows);
  });
  cached.view.trials.memory = file;
  return cached;
}

void write_all(int file, std::string_view bytes, const std::filesystem::path& path) {
  while (!bytes.empty()) {
    const auto count = ::write(file, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0)
      throw Error(fmt::format("{}: can't be written: {}", path.string(), std::strerror(errno)));
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
}

}  // namespace

FileMark mark_of(const std::filesystem::path& path) {
  struct stat facts {};
  if (::stat(path.c_str(), &facts) != 0) return {};
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  const auto nanoseconds = [](const timespec& time) {
    return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
  };
  const std::int64_t changed = nanoseconds(facts.st_mtim);
  const bool is_settled = changed < nanoseconds(now) - kLately;
  return {facts.st_ino, static_cast<std::uint64_t>(facts.st_size), is_settled ? changed : 0};
}

bool is_unchanged(const FileMark& before, const FileMark& now) {
  return before.changed != 0 && before == now;
}

std::filesystem::path cache_path(const std::filesystem::path& dir) { return dir / "trials.cache"; }

std::optional<Cached> read_cache(const std::filesystem::path& dir) {
  try {
    Cached cached = decode(std::make_shared<const Mapped>(cache_path(dir)));
    cached.view.dir = dir;
    return cached;
  } catch (const std::exception&) {
    return std::nullopt;  // whatever is wrong with it, the journals know better
  }
}

void write_cache(const Cached& cached) {
  Sections sections;
  each_column(cached.view, [&](const Column& column) {
    visit(column, [&](const auto& packed) { sections.add(packed); });
  });
  json head = head_of(cached);
  head["sections"] = std::move(sections.places);
  const std::string text = head.dump(-1, ' ', false, json::error_handler_t::replace);
  const std::uint64_t numbers[3] = {text.size(), crc32c(text), sections.size};
  std::string front(kMagic);
  front.append(reinterpret_cast<const char*>(numbers), sizeof numbers).append(text);
  front.resize(aligned(front.size()), '\0');

  const std::filesystem::path path = cache_path(cached.view.dir);
  const std::filesystem::path draft = cached.view.dir / fmt::format(".trials.cache.{}", ::getpid());
  const int file = ::open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file < 0)
    throw Error(fmt::format("{}: can't be written: {}", draft.string(), std::strerror(errno)));
  try {
    write_all(file, front, draft);
    for (const std::string_view part : sections.parts) {
      write_all(file, part, draft);
      write_all(file, std::string(aligned(part.size()) - part.size(), '\0'), draft);
    }
  } catch (...) {
    ::close(file);
    ::unlink(draft.c_str());
    throw;
  }
  ::close(file);
  if (::rename(draft.c_str(), path.c_str()) == 0) return;
  const int why = errno;
  ::unlink(draft.c_str());
  throw Error(fmt::format("{}: can't be put in place: {}", path.string(), std::strerror(why)));
}

}  // namespace paribus::results
