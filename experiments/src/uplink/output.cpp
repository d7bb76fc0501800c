// SPDX-License-Identifier: Apache-2.0
#include "uplink/output.h"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <nlohmann/json.hpp>

#include "results/trial_log.h"

namespace paribus::uplink {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLongestLine = std::size_t{64} << 10;

double seconds_of(fs::file_time_type time) {
  const auto since = fs::file_time_type::clock::to_sys(time).time_since_epoch();
  return std::chrono::duration<double>(since).count();
}

/// Of `text` what is to be taken now: lines that are whole.
std::size_t whole_lines(std::string_view text) {
  const std::size_t end = text.rfind('\n');
  if (end != std::string_view::npos) return end + 1;
  return text.size() >= kLongestLine ? kLongestLine : 0;
}

}  // namespace

std::string as_utf8(const std::string& text) {
  using nlohmann::json;
  return json::parse(json(text).dump(-1, ' ', false, json::error_handler_t::replace));
}

OutputBatch read_output(const fs::path& file, std::uint64_t from, std::size_t most,
                        std::uint64_t until, bool is_over) {
  OutputBatch batch;
  batch.until = from;
  std::error_code none;
  if (!fs::is_regular_file(file, none)) return batch;
  const std::uintmax_t size = fs::file_size(file, none);
  if (none || size <= from || until > size) return batch;
  batch.changed = seconds_of(fs::last_write_time(file, none));
  const std::uint64_t end =
      until > 0 ? until : std::min<std::uint64_t>(size, from + std::max(most, kLongestLine));
  if (end <= from) return batch;
  std::string text(end - from, '\0');
  std::ifstream in(file, std::ios::binary);
  in.seekg(static_cast<std::streamoff>(from));
  if (!in.read(text.data(), static_cast<std::streamsize>(text.size()))) return batch;
  if (until == 0 && !(is_over && end == size)) text.resize(whole_lines(text));
  batch.until = from + text.size();
  for (std::string_view rest = text; !rest.empty();) {
    const std::size_t line = std::min({rest.find('\n'), rest.size(), kLongestLine});
    batch.lines.push_back(as_utf8(std::string(results::last_state(rest.substr(0, line)))));
    rest.remove_prefix(line);
    if (rest.starts_with('\n')) rest.remove_prefix(1);
  }
  return batch;
}

}  // namespace paribus::uplink
