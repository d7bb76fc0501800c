// SPDX-License-Identifier: Apache-2.0
#include "picture.h"

#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string_view>

#include "child.h"
#include "driver/python_describer.h"
#include "live.h"
#include "paribus/error.h"
#include "registry/base64.h"
#include "sixel.h"

namespace paribus {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFind =
    "import importlib.util as u, sys; sys.exit(0 if u.find_spec('matplotlib') else 3)";
constexpr const char* kDraw =
    "import sys; sys.path.insert(0, sys.argv.pop(1)); from paribus import pictures; "
    "pictures.main(sys.argv[1:])";
constexpr int kIsMissing = 3;
constexpr std::size_t kChunk = 4096;  // of kitty's protocol

enum class Shows { nothing, kitty, iterm, sixel };

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

/// What a terminal says of itself in its environment; asking it would need an answer in time.
Shows terminal() {
  const std::string said = variable("PARIBUS_IMAGES");
  if (said == "kitty") return Shows::kitty;
  if (said == "iterm") return Shows::iterm;
  if (said == "sixel") return Shows::sixel;
  if (!said.empty()) return Shows::nothing;
  if (!variable("TMUX").empty()) return Shows::nothing;  // it lets no images through
  const std::string program = variable("TERM_PROGRAM"), term = variable("TERM");
  if (program == "iTerm.app") return Shows::iterm;
  const bool takes_kitty = term == "xterm-kitty" || term == "xterm-ghostty" ||
                           program == "ghostty" || program == "WezTerm" ||
                           !variable("KITTY_WINDOW_ID").empty();
  if (takes_kitty) return Shows::kitty;
  // Konsole since 22.04.
  const bool is_konsole = std::atoi(variable("KONSOLE_VERSION").c_str()) >= 220400;
  const bool takes_sixels = is_konsole || term.starts_with("foot") || term.starts_with("mlterm") ||
                            term.starts_with("contour");
  return takes_sixels ? Shows::sixel : Shows::nothing;
}

std::string form_of(const fs::path& file) {
  std::string form = file.extension().string();
  std::transform(form.begin(), form.end(), form.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return form.empty() ? form : form.substr(1);
}

bool can_be_drawn(const std::string& form) {
  return form == "png" || form == "svg" || form == "pdf";
}

/// A file of our own that goes away with us.
class Scratch {
 public:
  Scratch(const fs::path& folder, const std::string& stem)
      : path_((folder / (stem + "XXXXXX")).string()) {
    const int file = ::mkstemp(path_.data());
    if (file < 0) throw Error(fmt::format("{}: can't be made: {}", path_, std::strerror(errno)));
    ::close(file);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() {
    std::error_code gone;
    fs::remove(path_, gone);
  }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

std::string content_of(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string last_line(const std::string& text) {
  const std::size_t end = text.find_last_not_of("\n ");
  if (end == std::string::npos) return "it says nothing of why";
  const std::size_t begin = text.rfind('\n', end);
  return text.substr(begin == std::string::npos ? 0 : begin + 1,
                     end - (begin == std::string::npos ? 0 : begin + 1) + 1);
}

/// Whether it is there; a Python that can't be asked has none.
bool has_matplotlib(const std::string& python) {
  return run_program({python, "-P", "-c", kFind}).status == 0;
}

/// Without complaint: nobody asked for it by name.
bool finds_matplotlib() {
  try {
    return has_matplotlib(driver::PythonDescriber::python().string());
  } catch (const Error&) {
    return false;
  }
}

void run_python(const std::string& kind, const nlohmann::json& numbers, const std::string& file,
                const std::string& form) {
  const Scratch told(fs::temp_directory_path(), "paribus-");
  {
    std::ofstream out(told.path(), std::ios::binary);
    out << numbers.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    if (!out.flush()) throw Error(told.path() + ": can't be written; is the disk full?");
  }
  const Ended ended =
      run_program({driver::PythonDescriber::python().string(), "-P", "-c", kDraw,
                   driver::PythonDescriber::package().string(), kind, told.path(), file, form},
                  {{"PYTHONDONTWRITEBYTECODE", "1"}});
  if (!ended.fine()) throw Error("Matplotlib can't draw this: " + last_line(ended.output));
}

/// mkstemp's files are their owner's alone; others are as the umask has them.
void allow_reading(const std::string& file) {
  const mode_t mask = ::umask(0);
  ::umask(mask);
  ::chmod(file.c_str(), 0666 & ~mask);
}

}  // namespace

void Picture::add_option(CLI::App& command) {
  command.add_option("--picture", file_, "draw it into a file: .png, .svg or .pdf")
      ->type_name("FILE");
}

fs::path Picture::target() const {
  if (!file_.empty()) return file_;
  return on_terminal() ? fs::path() : otherwise_;
}

bool Picture::on_terminal() const {
  if (!file_.empty() || ::isatty(STDOUT_FILENO) == 0 || terminal() == Shows::nothing) return false;
  if (!on_terminal_) on_terminal_ = finds_matplotlib();
  return *on_terminal_;
}

bool Picture::wanted() const { return !target().empty() || on_terminal(); }

void Picture::check() const {
  const fs::path file = target();
  if (file.empty()) return;
  if (!can_be_drawn(form_of(file)))
    throw Error(fmt::format("--picture {}: expected a name that ends in .png, .svg or .pdf",
                            file.string()));
  const fs::path folder = file.has_parent_path() ? file.parent_path() : fs::path(".");
  if (!fs::is_directory(folder))
    throw Error(fmt::format("--picture {}: there is no folder {}", file.string(), folder.string()));
  if (::access(folder.c_str(), W_OK) != 0)
    throw Error(
        fmt::format("--picture {}: {} can't be written to", file.string(), folder.string()));
  const std::string python = driver::PythonDescriber::python().string();
  if (!has_matplotlib(python))
    throw Error(fmt::format("--picture {}: {} has no Matplotlib; {} -m pip install matplotlib",
                            file.string(), python, python));
}

void Picture::draw(const std::string& kind, const nlohmann::json& numbers) const {
  const fs::path file = target();
  if (file.empty()) {
    const Scratch png(fs::temp_directory_path(), "paribus-");
    run_python(kind, numbers, png.path(), "png");
    fmt::print("{}\n", image_orders(content_of(png.path())));
    return;
  }
  const fs::path folder = file.has_parent_path() ? file.parent_path() : fs::path(".");
  const Scratch drawn(folder, ".paribus-");
  run_python(kind, numbers, drawn.path(), form_of(file));
  allow_reading(drawn.path());
  fs::rename(drawn.path(), file);
  fmt::print(stderr, "{}\n", file.string());
}

std::string image_orders(const std::string& png) {
  const Shows shows = terminal();
  if (shows == Shows::nothing) return "";
  if (shows == Shows::sixel) return sixels(png);
  const std::string text = registry::base64(png);
  if (shows == Shows::iterm)
    return fmt::format("\x1b]1337;File=inline=1;size={}:{}\x07", png.size(), text);
  std::string orders;
  for (std::size_t at = 0; at < text.size(); at += kChunk) {
    const bool more = at + kChunk < text.size();
    orders += fmt::format("\x1b_G{}m={};{}\x1b\\", at == 0 ? "f=100,a=T," : "", more ? 1 : 0,
                          std::string_view(text).substr(at, kChunk));
  }
  return orders;
}

}  // namespace paribus
