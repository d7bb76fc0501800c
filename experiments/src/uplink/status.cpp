// SPDX-License-Identifier: Apache-2.0
#include "uplink/status.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>

#include "journal/journal.h"
#include "uplink/request.h"

namespace paribus::uplink {

namespace {

using nlohmann::json;
namespace fs = std::filesystem;

std::string plural(std::int64_t count, const char* thing) {
  return fmt::format("{} {}{}", count, thing, count == 1 ? "" : "s");
}

/// What the uplink wrote, or anything else.
Status read_status(const fs::path& file) {
  constexpr std::size_t kMost = 64 << 10;
  std::string text;
  if (std::error_code none; fs::is_regular_file(file, none)) {
    text.resize(kMost);
    std::ifstream in(file);
    in.read(text.data(), static_cast<std::streamsize>(kMost));
    text.resize(static_cast<std::size_t>(in.gcount()));
  }
  try {
    const json from = json::parse(text);
    return {from.at("name"),    from.at("part"),   from.at("state"),
            from.at("problem"), from.at("points"), from.at("trials_left")};
  } catch (const json::exception&) {
    return {file.stem().string(), "", "unreadable", file.string() + " can't be read", 0, 0};
  }
}

}  // namespace

json to_json(const Status& status) {
  return {{"name", status.name},       {"part", status.part},     {"state", status.state},
          {"problem", status.problem}, {"points", status.points}, {"trials_left", status.trials},
          {"running", status.running}};
}

std::string in_words(const Status& status) {
  if (status.state == "unreadable") return status.problem;
  std::string text = plural(status.points, "point") + " delivered";
  if (status.is_behind() && status.state != "incomplete") {
    text += fmt::format(", {} not yet whole", plural(status.trials, "trial"));
    if (!status.running) text += "; not running";
  }
  if (status.is_behind() && !status.problem.empty())
    text += fmt::format("; {}: {}", status.state, status.problem);
  return text;
}

void write_status(const fs::path& dir, const Status& status) {
  const fs::path target = state_folder(dir) / (status.name + ".json");
  fs::path part = target;
  part += ".part";
  std::ofstream out(part);
  out << to_json(status).dump(-1, ' ', false, json::error_handler_t::replace) << '\n';
  out.close();
  std::error_code ignored;  // it is only for people to look at
  if (out) fs::rename(part, target, ignored);
}

std::vector<Status> statuses(const fs::path& dir) {
  std::vector<Status> all;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(state_folder(dir), none)) {
    if (entry.path().extension() != ".json") continue;
    all.push_back(read_status(entry.path()));
    all.back().running = journal::has_writer(fs::path(entry.path()).replace_extension(".log"));
  }
  std::sort(all.begin(), all.end(),
            [](const Status& a, const Status& b) { return a.name < b.name; });
  return all;
}

}  // namespace paribus::uplink
