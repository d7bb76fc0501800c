// SPDX-License-Identifier: Apache-2.0
#include "watch_command.h"

#include <fmt/format.h>
#include <langinfo.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <memory>
#include <thread>
#include <utility>

#include "live.h"
#include "paribus/error.h"
#include "picture.h"
#include "results/study_record.h"
#include "study_reader.h"
#include "tools/report/curves.h"
#include "watch_frame.h"
#include "watch_stop.h"
#include "watch_terminal.h"
#include "watch_web.h"

namespace paribus {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double kPause = 0.5;      // s between two looks: trials write once a second
constexpr double kShare = 10;       // a look takes at most this part of the time, one in ...
constexpr double kCpuSample = 0.1;  // s over which one frame takes the processors' load
constexpr int kPage = 10;           // trials
constexpr int kInterrupted = 130;
constexpr int kColumns = 100;  // where there is no terminal

struct Options {
  std::string dir;
  bool once = false, as_json = false, web = false, control = false;
  unsigned port = 0;
  Picture picture;
};

bool is_ascii() { return std::strcmp(::nl_langinfo(CODESET), "UTF-8") != 0; }

/// Has the selected trial followed; true if that is news.
bool follow_selected(WatchedStudy& study, const WatchState& state) {
  const std::vector<std::size_t> listed = listed_rows(study);
  const std::size_t place = selected_place(listed, study, state);
  return study.follow(listed.empty() ? WatchedStudy::kNone : listed[place]);
}

/// The learning curves of all arms in the study's metric, or in the first that there is.
nlohmann::json curves_of(const WatchedStudy& study) {
  const results::StudyRecord record = results::read_study(study.record().dir);
  nlohmann::json curves = report::curves_of(record), counts = nlohmann::json::object();
  for (const results::Trial& trial : record.trials) {
    auto& count = counts[std::string(results::to_text(trial.status))];
    count = count.is_null() ? 1 : count.get<int>() + 1;
  }
  nlohmann::json told = {
      {"metric", record.metric}, {"unit", record.unit}, {"arms", nlohmann::json::array()}};
  if (!curves.at("metrics").empty()) {
    const nlohmann::json& first = curves.at("metrics").front();
    told = {{"metric", first.at("name")}, {"unit", first.at("unit")}, {"arms", first.at("arms")}};
  }
  told["label"] = record.question.empty() ? record.name : record.question;
  told["counts"] = std::move(counts);
  return told;
}

int print_frame(const Options& options) {
  options.picture.check();
  WatchedStudy study(options.dir);
  Machine machine;
  machine.read();
  const auto began = Clock::now();
  const WatchState state;
  study.refresh();
  follow_selected(study, state);
  while (!study.refresh()) {
  }
  std::this_thread::sleep_until(began + std::chrono::duration<double>(kCpuSample));
  if (options.as_json) {
    print_json(json_frame_of(study, machine.read(), state));
    if (options.picture.is_asked_for()) options.picture.draw("curves", curves_of(study));
    return 0;
  }
  FrameStyle style;
  style.columns = std::max(terminal_columns(STDOUT_FILENO) - 1, 0);
  if (style.columns == 0) style.columns = kColumns;
  style.ascii = is_ascii();
  style.colour = wants_colour(STDOUT_FILENO);
  for (const std::string& line : frame_of(study, machine.read(), state, style))
    fmt::print("{}\n", line);
  if (options.picture.wanted()) options.picture.draw("curves", curves_of(study));
  return 0;
}

/// The view at a terminal.
class View {
 public:
  explicit View(const std::string& dir) : study_(dir) {}

  int run() {
    look();  // before the screen is taken: what is wrong with the directory is said on it
    Terminal terminal;
    draw(terminal);
    while (true) {
      const Press press = terminal.wait(due_ - seconds());
      if (press.key == Key::end) return kInterrupted;
      if (press.key == Key::character && press.letter == 'q' && state_.stopping.empty()) return 0;
      const bool was_pressed = press.key != Key::none;
      if (was_pressed) take(press);
      if (was_pressed || seconds() >= due_) {
        if (is_new_choice_ || seconds() >= due_) look_again();
        draw(terminal);
      }
    }
  }

 private:
  static double seconds() {
    return std::chrono::duration<double>(Clock::now().time_since_epoch()).count();
  }

  void look() {
    const double began = seconds();
    bool all = study_.refresh();
    if (follow_selected(study_, state_)) all = study_.refresh();
    is_new_choice_ = false;
    machine_now_ = machine_.read();
    due_ = all ? seconds() + std::max(kPause, kShare * (seconds() - began)) : seconds();
  }

  /// A study that is just being written anew, or whose disk doesn't answer, may come back.
  void look_again() {
    try {
      look();
      state_.problem.clear();
    } catch (const Error& error) {
      state_.problem = error.what();
      due_ = seconds() + kPause;
    }
  }

  void draw(Terminal& terminal) {
    FrameStyle style;
    style.columns = terminal.columns();
    style.rows = terminal.rows();
    style.ascii = is_ascii();
    style.colour = wants_colour(STDOUT_FILENO);
    terminal.draw(frame_of(study_, machine_now_, state_, style));
  }

  void take(const Press& press) {
    using Page = WatchState::Page;
    state_.note.clear();
    if (!state_.stopping.empty() && press.key != Key::resized) return answer(press);
    switch (press.key) {
      case Key::up:
        return move(-1);
      case Key::down:
        return move(1);
      case Key::page_up:
        return move(-kPage);
      case Key::page_down:
        return move(kPage);
      case Key::home:
        return move(-static_cast<long>(study_.record().trials.size()));
      case Key::last:
        return move(static_cast<long>(study_.record().trials.size()));
      case Key::escape:
        state_.page = Page::trials;
        return;
      default:
        break;
    }
    if (press.key != Key::character) return;
    switch (press.letter) {
      case 'k':
        return move(-1);
      case 'j':
        return move(1);
      case 'l':
      case '\r':
      case '\n':
        state_.page = state_.page == Page::log ? Page::trials : Page::log;
        return;
      case '?':
        state_.page = state_.page == Page::help ? Page::trials : Page::help;
        return;
      case 'm':
        return other_series();
      case 's':
        return ask_to_stop();
      default:
        return;
    }
  }

  void ask_to_stop() {
    const std::vector<std::size_t> listed = listed_rows(study_);
    if (listed.empty()) return;
    const results::Trial& trial =
        study_.record().trials[listed[selected_place(listed, study_, state_)]];
    if (trial.status == results::Status::running)
      state_.stopping = trial.id;
    else
      state_.note = "only a trial that runs can be stopped";
  }

  void answer(const Press& press) {
    const std::string id = std::exchange(state_.stopping, "");
    if (press.key != Key::character || press.letter != 'y') return;
    const auto& trials = study_.record().trials;
    for (std::size_t row = 0; row < trials.size(); ++row) {
      const WatchedTrial* one = trials[row].id == id ? study_.followed(row) : nullptr;
      if (!one) continue;
      const std::string problem =
          stop_trial(results::journal_path(study_.record().dir, id), one->pid());
      state_.note = problem.empty() ? "asked to stop; it ends the update that it is in"
                                    : "not stopped: " + problem;
      return;
    }
    state_.note = "it doesn't run any more";
  }

  void move(long by) {
    const std::vector<std::size_t> listed = listed_rows(study_);
    if (listed.empty()) return;
    const auto place = static_cast<long>(selected_place(listed, study_, state_));
    const long to = std::clamp(place + by, 0L, static_cast<long>(listed.size()) - 1);
    state_.selected = key_of(study_.record().trials[listed[static_cast<std::size_t>(to)]]);
    is_new_choice_ = true;
  }

  void other_series() {
    const std::vector<std::size_t> listed = listed_rows(study_);
    if (listed.empty()) return;
    const auto names = series_of(study_, listed[selected_place(listed, study_, state_)]);
    if (names.empty()) return;
    const auto now = std::find(names.begin(), names.end(), state_.series);
    const std::size_t at = now == names.end() ? 0 : static_cast<std::size_t>(now - names.begin());
    state_.series = names[(at + 1) % names.size()];
  }

  WatchedStudy study_;
  Machine machine_;
  MachineReading machine_now_;
  WatchState state_;
  bool is_new_choice_ = true;
  double due_ = 0;
};

int watch(const Options& options) {
  if (options.web) return watch_web(options.dir, options.port, options.control);
  if (options.once || options.as_json || options.picture.is_asked_for())
    return print_frame(options);
  if (::isatty(STDIN_FILENO) != 1 || !is_smart_terminal(STDOUT_FILENO))
    throw Error("watch needs a terminal; --once prints one frame anywhere, --json for programs");
  return View(options.dir).run();
}

}  // namespace

void add_watch_command(CLI::App& app, int& exit_status) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("watch", "a study as it runs, in the terminal or on a page");
  command->add_option("DIR", options->dir, "a study's directory")->required()->type_name("");
  auto* once =
      command->add_flag("--once", options->once, "print one frame and end; needs no terminal");
  auto* json = command->add_flag("--json", options->as_json, "one frame, for programs");
  auto* web = command->add_flag("--web", options->web,
                                "the report as a page that grows, for this machine's browsers");
  command
      ->add_option("--port", options->port, "of 127.0.0.1, for --web (default: one that is free)")
      ->check(CLI::Range(0, 65535))
      ->type_name("N")
      ->needs(web);
  command
      ->add_flag("--control", options->control,
                 "for --web: whoever has the address can stop trials, too")
      ->needs(web);
  options->picture.add_option(*command);
  web->excludes(once)->excludes(json)->excludes(command->get_option("--picture"));
  command->callback(
      [options, &exit_status] { exit_status = guarded([&] { return watch(*options); }); });
}

}  // namespace paribus
