// SPDX-License-Identifier: Apache-2.0
#include "watch_frame.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "driver/meter.h"
#include "live.h"
#include "watch_curve.h"
#include "watch_log.h"

namespace paribus {
namespace {

using driver::padded;
using results::Status;
using results::Trial;

constexpr int kMostUnbounded = 40;      // trials in a frame that may be as long as it likes
constexpr int kCurveRows = 14;          // of such a frame
constexpr int kNumber = 10;             // columns of a value
constexpr int kPace = 27;               // of "120 steps/s  1 min 05 s left"
constexpr std::size_t kLongest = 4096;  // bytes of a text that are looked at

std::string number(const std::optional<double>& value) {
  return value ? fmt::format("{:.5g}", *value) : "-";
}

std::string right(const std::string& text, int width) {
  const int blank = width - driver::columns(text);
  return blank < 0 ? driver::clip(text, width)
                   : std::string(static_cast<std::size_t>(blank), ' ') + text;
}

/// At most so wide; a name that is too long is cut, never the seed.
std::string label_of(const Trial& trial, int most) {
  const std::string seed = fmt::format(", seed {}", trial.seed);
  return driver::clip(trial.arm.substr(0, kLongest), most - static_cast<int>(seed.size())) + seed;
}

std::string first_line(const std::string& text) {
  return text.substr(0, std::min(text.find('\n'), kLongest));
}

/// Draws one frame.
class Painter {
 public:
  Painter(const WatchedStudy& study, const WatchState& state, const FrameStyle& style)
      : study_(study),
        state_(state),
        style_(style),
        listed_(listed_rows(study)),
        place_(selected_place(listed_, study, state)) {}

  std::vector<std::string> draw(const MachineReading& machine) {
    draw_head(machine);
    if (state_.page == WatchState::Page::help) {
      draw_help();
    } else if (state_.page == WatchState::Page::log && !listed_.empty()) {
      draw_log();
    } else {
      draw_trials();
    }
    if (style_.rows > 0) draw_keys();
    return std::move(lines_);
  }

 private:
  void add(std::string_view text, const char* code = nullptr) {
    const std::string cut = driver::clip(text.substr(0, 4 * kLongest), style_.columns);
    lines_.push_back(code && style_.colour ? fmt::format("\x1b[{}m{}\x1b[0m", code, cut) : cut);
  }
  [[nodiscard]] int room() const { return style_.rows - static_cast<int>(lines_.size()) - 1; }

  void draw_head(const MachineReading& machine) {
    const results::StudyRecord& record = study_.record();
    add(record.question.empty() ? record.name : record.question, "1");
    add(fmt::format("{}{}{}  {}", record.name, record.metric.empty() ? "" : "  ",
                    record.metric.empty() ? "" : fmt::format("{} {}", record.goal, record.metric),
                    study_.is_driven() ? "running" : "not running"));
    add(fmt::format("{}  {:3.0f} %  {}", driver::bar(study_.fraction(), bar_width(), style_.ascii),
                    std::floor(study_.fraction() * 100), counts()));
    add(resources(machine));
    for (const uplink::Status& one : study_.trackers())
      add(fmt::format("tracker {}: {}", one.name, uplink::in_words(one)),
          one.problem.empty() ? nullptr : "33");
    const std::vector<std::string> problems = study_.problems();
    if (!problems.empty())
      add(problems.size() == 1
              ? problems.front()
              : fmt::format("{} (and {} more)", problems.front(), problems.size() - 1),
          "31");
    if (!state_.problem.empty()) add(state_.problem, "31");
    add("");
  }
  [[nodiscard]] int bar_width() const { return std::clamp(style_.columns / 4, 8, 40); }
  [[nodiscard]] std::string counts() const {
    const auto count = [&](Status status) { return study_.count(status); };
    std::string text =
        fmt::format("{} of {} done", count(Status::done), study_.record().trials.size());
    for (const Status one : {Status::failed, Status::stopped, Status::pruned, Status::running}) {
      if (count(one) > 0) text += fmt::format(", {} {}", count(one), results::to_text(one));
    }
    if (count(Status::planned) > 0) text += fmt::format(", {} waiting", count(Status::planned));
    const double left = study_.seconds_left();
    return left > 0 ? text + fmt::format("; about {} left", driver::duration(left)) : text;
  }
  static std::string resources(const MachineReading& machine) {
    std::string text = fmt::format(
        "cpu {} of {} {}", machine.busy ? fmt::format("{:.0f} %", *machine.busy * 100) : "-",
        machine.cores, machine.cores == 1 ? "core" : "cores");
    if (machine.memory && machine.memory_used)
      text += fmt::format("  memory {} of {}", driver::byte_count(*machine.memory_used),
                          driver::byte_count(*machine.memory));
    return text;
  }

  void draw_trials() {
    if (listed_.empty()) return add("no trial has begun");
    const int total = static_cast<int>(listed_.size());
    int rows = std::min(total, kMostUnbounded), curve = kCurveRows;
    if (style_.rows > 0) {
      const int space = std::max(room() - 1, 1);  // below the titles
      curve = space >= 12 ? std::clamp(space / 2, 8, 20) : 0;
      rows = std::min(total, std::max(space - curve, 1));
      if (curve > 0) curve = std::max(space - rows, curve);
    }
    const int first = std::clamp(static_cast<int>(place_) - rows / 2, 0, total - rows);
    draw_table(first, rows);
    if (style_.rows == 0 && rows < total) add(fmt::format("and {} more", total - rows));
    if (curve > 0) draw_curve(curve);
  }

  void draw_table(int first, int rows) {
    label_ = 5;
    for (int i = first; i < first + rows; ++i)
      label_ = std::max(label_, driver::columns(label_of(trial_at(i), style_.columns)));
    label_ = std::min(label_, std::max(14, style_.columns / 4));
    const bool is_wide = style_.columns >= 100;
    metric_ = is_wide ? std::clamp(driver::columns(study_.record().metric), kNumber, 16) : kNumber;
    loss_ = is_wide ? kNumber + 2 : 0;
    step_ = is_wide ? 13 : kNumber;
    cells_ = std::clamp(style_.columns - label_ - step_ - loss_ - metric_ - kPace - 10, 7, 24);
    add(fmt::format("  {}  {}  {}{}  {}  {}", padded("trial", label_), padded("", cells_),
                    right("step", step_), right("loss", loss_),
                    right(study_.record().metric, metric_), "pace"),
        "2");
    for (int i = first; i < first + rows; ++i) {
      const bool is_chosen = i == static_cast<int>(place_);
      const Status status = trial_at(i).status;
      add((is_chosen ? "> " : "  ") + line_of(listed_[static_cast<std::size_t>(i)]),
          is_chosen                   ? "7"
          : status == Status::failed  ? "31"
          : status == Status::running ? nullptr
                                      : "2");
    }
  }
  [[nodiscard]] const Trial& trial_at(int place) const {
    return study_.record().trials[listed_[static_cast<std::size_t>(place)]];
  }
  [[nodiscard]] std::string line_of(std::size_t row) const {
    const Trial& trial = study_.record().trials[row];
    const std::string label = padded(label_of(trial, label_), label_);
    if (trial.status == Status::running) return fmt::format("{}  {}", label, running(row));
    const std::string state = padded(std::string(results::to_text(trial.status)), cells_);
    const std::string reason = first_line(trial.message);
    if (trial.status == Status::failed) return fmt::format("{}  {}  {}", label, state, reason);
    const auto& values = study_.record().at == "best" ? trial.best : trial.last;
    const auto metric = values.find(study_.record().metric);
    std::string text = fmt::format(
        "{}  {}  {}{}  {}", label, state,
        right(trial.steps ? fmt::format("{}", *trial.steps) : "-", step_), right("", loss_),
        right(metric == values.end() ? "-" : number(metric->second), metric_));
    if (!reason.empty()) return text + "  " + reason;
    return trial.seconds ? text + "  in " + driver::duration(*trial.seconds) : text;
  }
  [[nodiscard]] std::string running(std::size_t row) const {
    const WatchedTrial* one = study_.followed(row);
    if (!one) return padded("running", cells_);
    const double steps = study_.steps_of(row), step = static_cast<double>(one->step());
    const WatchedSeries* metric = one->find(study_.record().metric);
    const WatchedSeries* loss = one->find("train.batch_loss");
    const std::string place =
        steps > 0 ? fmt::format("{}/{:.0f}", one->step(), steps) : fmt::format("{}", one->step());
    const double rate = one->rate();
    return fmt::format(
        "{}  {}{}  {}  {}",
        padded(driver::bar(steps > 0 ? step / steps : 0, cells_, style_.ascii), cells_),
        right(place, step_), right(number(loss ? loss->last : std::nullopt), loss_),
        right(number(metric ? metric->last : std::nullopt), metric_),
        rate > 0 ? pace_text(rate, std::max(steps - step, 0.0)) : "starting");
  }

  void draw_curve(int height) {
    const std::size_t row = listed_[place_];
    const Trial& trial = study_.record().trials[row];
    const WatchedTrial* one = study_.followed(row);
    const std::vector<std::string> names = series_of(study_, row);
    add("");
    if (!one || names.empty())
      return add(label_of(trial, style_.columns / 2) + ": nothing was measured yet");
    const bool is_there = std::find(names.begin(), names.end(), state_.series) != names.end();
    const WatchedSeries& series = *one->find(is_there ? state_.series : names.front());
    std::string title = fmt::format("{}{} of {}", series.name.substr(0, kLongest),
                                    series.unit.empty() || series.unit == "1"
                                        ? ""
                                        : fmt::format(" ({})", series.unit.substr(0, kLongest)),
                                    label_of(trial, style_.columns / 2));
    title += fmt::format(": {}", number(series.last));
    if (series.curve.not_finite > 0)
      title += fmt::format("; {} of {} values are not finite", series.curve.not_finite,
                           series.curve.points);
    add(title, "1");
    const double until = trial.status == Status::running ? study_.steps_of(row) : 0;
    for (const std::string& line :
         curve_lines(series.curve, until, style_.columns, height - 2, style_.ascii))
      add(line);
  }

  void draw_log() {
    const Trial& trial = study_.record().trials[listed_[place_]];
    add(fmt::format("{} {}: {}", trial.id, label_of(trial, style_.columns / 2),
                    results::to_text(trial.status)),
        "1");
    const int most = style_.rows > 0 ? std::max(room(), 1) : kMostUnbounded;
    for (const std::string& line :
         log_of(study_.record().dir, trial, static_cast<std::size_t>(most)))
      add(line);
  }

  void draw_help() {
    for (const char* line :
         {"up, down, k, j   another trial", "page up, down    ten further",
          "Enter, l         what the trial has written, and why it failed",
          "m                the curve of another metric",
          "s, then y        stops the trial: it saves, and `paribus resume` goes on with it",
          "Esc              back to the trials", "?                this page",
          "q, Ctrl-C        ends the view; the study goes on"})
      add(line);
  }

  [[nodiscard]] std::string question() const {
    for (const std::size_t row : listed_) {
      const Trial& trial = study_.record().trials[row];
      if (trial.id == state_.stopping) return label_of(trial, style_.columns / 2);
    }
    return state_.stopping;
  }

  void draw_keys() {
    const auto rows = static_cast<std::size_t>(style_.rows);
    lines_.resize(std::min(lines_.size(), rows - 1));
    while (lines_.size() + 1 < rows) lines_.emplace_back();
    if (!state_.stopping.empty())
      return add(fmt::format("stop {}? It can be resumed.  y: yes   n: no", question()), "33");
    if (!state_.note.empty()) return add(state_.note, "33");
    add(state_.page == WatchState::Page::trials
            ? "up/down: trial   Enter: its log   m: metric   s: stop it   ?: help   q: quit"
            : "Esc: back   up/down: trial   q: quit",
        "2");
  }

  const WatchedStudy& study_;
  const WatchState& state_;
  const FrameStyle& style_;
  std::vector<std::size_t> listed_;
  std::size_t place_;
  std::vector<std::string> lines_;
  int label_ = 0, step_ = 0, loss_ = 0, metric_ = 0, cells_ = 0;  // columns of the table
};

}  // namespace

std::vector<std::size_t> listed_rows(const WatchedStudy& study) {
  std::vector<std::size_t> rows;
  const auto& trials = study.record().trials;
  for (const Status status :
       {Status::running, Status::failed, Status::stopped, Status::pruned, Status::done}) {
    for (std::size_t row = 0; row < trials.size(); ++row) {
      if (trials[row].status == status) rows.push_back(row);
    }
  }
  return rows;
}

std::string key_of(const Trial& trial) { return trial.id + ' ' + trial.arm; }

std::size_t selected_place(const std::vector<std::size_t>& listed, const WatchedStudy& study,
                           const WatchState& state) {
  const auto found = std::find_if(listed.begin(), listed.end(), [&](std::size_t row) {
    return key_of(study.record().trials[row]) == state.selected;
  });
  return found == listed.end() ? 0 : static_cast<std::size_t>(found - listed.begin());
}

std::vector<std::string> series_of(const WatchedStudy& study, std::size_t row) {
  const WatchedTrial* one = study.followed(row);
  if (!one) return {};
  std::vector<std::string> names;
  const std::string& metric = study.record().metric;
  for (const std::string& first : {metric, std::string("train.batch_loss")}) {
    if (one->find(first) && std::find(names.begin(), names.end(), first) == names.end())
      names.push_back(first);
  }
  for (const auto& [name, series] : one->series()) {
    if (series.last && std::find(names.begin(), names.end(), name) == names.end())
      names.push_back(name);
  }
  return names;
}

std::vector<std::string> frame_of(const WatchedStudy& study, const MachineReading& machine,
                                  const WatchState& state, const FrameStyle& style) {
  return Painter(study, state, style).draw(machine);
}

}  // namespace paribus
