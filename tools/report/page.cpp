// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>

#include "assets.h"
#include "disk/budget.h"
#include "disk/no_space.h"
#include "driver/handle.h"
#include "paribus/error.h"
#include "report.h"

namespace paribus::report {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::size_t kLongestTitle = 200;
constexpr std::string_view kLivePolicy = "; connect-src 'self'";

std::string html_text(const std::string& text) {
  std::string safe;
  for (const char c : text) {
    if (safe.size() > kLongestTitle && (static_cast<unsigned char>(c) & 0xC0) != 0x80) break;
    switch (c) {
      case '<':
        safe += "&lt;";
        break;
      case '>':
        safe += "&gt;";
        break;
      case '&':
        safe += "&amp;";
        break;
      case '"':
        safe += "&quot;";
        break;
      default:
        safe.push_back(static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? '?' : c);
    }
  }
  return safe;
}

/// Through JSON, which replaces what isn't UTF-8.
std::string safe_text(const json& text) {
  return html_text(json::parse(text.dump(-1, ' ', false, json::error_handler_t::replace)));
}

std::string title_of(const json& data) {
  const json& study = data.at("study");
  return safe_text(study.at(study.at("question") == "" ? "name" : "question"));
}

std::string sentence_of(const json& data) {
  const json& comparison = data.at("comparison");
  return comparison.is_null() ? "" : safe_text(comparison.at("sentence"));
}

/// Puts `parts` where the template names them; what they hold is looked at no more.
std::string filled(std::string_view text,
                   const std::map<std::string_view, std::string_view>& parts) {
  std::string page;
  while (true) {
    const std::size_t open = text.find("{{");
    const std::size_t close = text.find("}}", open);
    if (open == std::string_view::npos || close == std::string_view::npos) break;
    page += text.substr(0, open);
    page += parts.at(text.substr(open + 2, close - open - 2));
    text.remove_prefix(close + 2);
  }
  return page.append(text);
}

void write_whole(const fs::path& file, const std::string& text) {
  const driver::Handle out(::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!out) disk::fail(fmt::format("{}: can't write it", file.string()), file, errno);
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t n = ::write(out.get(), text.data() + done, text.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) disk::fail(fmt::format("{}: can't write it", file.string()), file, errno);
    done += static_cast<std::size_t>(n);
  }
  if (::fsync(out.get()) != 0)
    disk::fail(fmt::format("{}: can't sync", file.string()), file, errno);
}

/// Rounded up to what a disk counts.
std::int64_t room_for(const std::string& text) {
  return static_cast<std::int64_t>(text.size() / 4096 + 2) * 4096;
}

void require_room(const fs::path& file, const std::string& text,
                  const results::StudyRecord& study) {
  if (study.disk == 0) return;
  std::error_code none;
  if (!fs::equivalent(fs::absolute(file).parent_path(), study.dir, none)) return;
  const std::int64_t left = study.disk - disk::measure(study.dir).total();
  if (room_for(text) <= left) return;
  throw NoSpace(fmt::format("{}: the page needs {}, and [study] disk leaves {}", file.string(),
                            disk::bytes_text(room_for(text)),
                            disk::bytes_text(std::max<std::int64_t>(0, left))));
}

}  // namespace

std::string script_json(const json& data) {
  const std::string text = data.dump(-1, ' ', false, json::error_handler_t::replace);
  std::string safe;
  safe.reserve(text.size() + text.size() / 64);
  for (const char c : text) {
    if (c == '<')
      safe += "\\u003c";
    else
      safe.push_back(c);
  }
  return safe;
}

std::string page_of(const json& data, Kind kind) {
  const std::string title = title_of(data), sentence = sentence_of(data), text = script_json(data);
  const bool is_live = kind == Kind::live;
  return filled(asset_page(), {{"title", title},
                               {"sentence", sentence},
                               {"policy", is_live ? kLivePolicy : ""},
                               {"style", asset_style()},
                               {"data", text},
                               {"plotly", asset_plotly()},
                               {"script", asset_script()},
                               {"live", is_live ? asset_live() : ""}});
}

void write(const fs::path& file, const std::string& text, const results::StudyRecord& study) {
  require_room(file, text, study);
  fs::path draft = file;
  draft.replace_filename(fmt::format(".{}.{}", file.filename().string(), ::getpid()));
  std::error_code problem;
  try {
    write_whole(draft, text);
    fs::rename(draft, file, problem);
    if (problem)
      disk::fail(fmt::format("{}: can't put it in place", file.string()), file, problem.value());
  } catch (...) {
    fs::remove(draft, problem);
    throw;
  }
}

}  // namespace paribus::report
