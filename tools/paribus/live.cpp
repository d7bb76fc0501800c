// SPDX-License-Identifier: Apache-2.0
#include "live.h"

#include <fmt/core.h>
#include <langinfo.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <vector>

#include "driver/meter.h"

namespace paribus {

namespace {

using driver::Outcome;
using driver::ProgressSlot;
using driver::Trial;
using Clock = std::chrono::steady_clock;

constexpr double kRedraw = 0.15;    // s between pictures
constexpr double kPlainPause = 10;  // s between plain lines of a trial
constexpr int kLongestLine = 2000;

void put(const std::string& text) {
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t n = ::write(STDERR_FILENO, text.data() + done, text.size() - done);
    if (n <= 0 && errno != EINTR) return;  // nobody reads any more: the run goes on
    if (n > 0) done += static_cast<std::size_t>(n);
  }
}

/// Messages come from plugins: nothing in them may move the cursor.
std::string printable(std::string_view text) {
  std::string lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    if (!lines.empty()) lines += '\n';
    lines += driver::clip(text.substr(0, end), kLongestLine);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

/// A trial's progress at one moment.
struct Reading {
  std::uint64_t step = 0, steps = 0, fresh = 0, epoch = 0, epochs = 0;
  double loss = 0;
  std::optional<double> metric;

  explicit Reading(const Trial& trial, const ProgressSlot& slot)
      : step(slot.step),
        steps(slot.steps),
        epoch(slot.epoch),
        epochs(slot.epochs),
        loss(slot.loss) {
    if (steps == 0) steps = static_cast<std::uint64_t>(std::max<std::int64_t>(trial.steps, 0));
    if (epochs == 0) epochs = static_cast<std::uint64_t>(std::max<std::int64_t>(trial.epochs, 0));
    const std::uint64_t resumed = slot.resumed_at;
    fresh = step > resumed ? step - resumed : 0;
    if (slot.has_metric) metric = slot.metric.load();
  }
  [[nodiscard]] double fraction() const {
    return steps > 0 ? std::min(1.0, static_cast<double>(step) / static_cast<double>(steps)) : 0;
  }
  [[nodiscard]] std::uint64_t epoch_shown() const {
    return std::min(epoch + 1, std::max<std::uint64_t>(epochs, 1));
  }
};

class Display : public driver::Observer {
 public:
  void begin(const driver::RunStart& start) override {
    start_ = start;
    began_ = Clock::now();
    const std::size_t done = start.done_before;
    if (done == 0) return;
    if (start.trials == 0 && !start.grows)
      return note(fmt::format("all {} trials are done already (--fresh runs them again)", done));
    note(fmt::format("{} of {} trials {} done already", done, done + start.trials,
                     done == 1 ? "is" : "are"));
  }
  void planned(const driver::Work& work) override {
    ++planned_;
    steps_planned_ += work.steps();
  }
  void started(const Trial& trial, const ProgressSlot& slot) override {
    running_.push_back({&trial, &slot, Clock::now()});
  }
  void ended(const Trial& trial, const Outcome& outcome) override {
    std::erase_if(running_, [&](const Row& row) {
      if (row.trial != &trial) return false;
      const Reading reading(trial, *row.slot);
      steps_made_ += reading.fresh;
      steps_gone_ += reading.step;
      return true;
    });
    ++(outcome.done()      ? done_
       : outcome.paused()  ? paused_
       : outcome.stopped() ? stopped_
                           : failed_);
  }

 protected:
  struct Row {
    const Trial* trial;
    const ProgressSlot* slot;
    Clock::time_point since;
    Clock::time_point said{};
    std::uint64_t epoch_said = 0;

    [[nodiscard]] double seconds() const {
      return std::chrono::duration<double>(Clock::now() - since).count();
    }
    [[nodiscard]] Reading reading() const { return Reading(*trial, *slot); }
  };

  [[nodiscard]] std::string measured(const Reading& reading) const {
    return reading.metric ? fmt::format("{} {:.4g}", start_.metric, *reading.metric)
                          : fmt::format("loss {:.4g}", reading.loss);
  }
  static std::string pace(const Row& row, const Reading& reading) {
    const double rate = static_cast<double>(reading.fresh) / std::max(row.seconds(), 1e-3);
    if (reading.fresh == 0) return "starting";
    return pace_text(rate,
                     static_cast<double>(reading.steps - std::min(reading.step, reading.steps)));
  }
  [[nodiscard]] std::string summary() const {
    const std::size_t ended = done_ + paused_ + failed_ + stopped_;
    const std::size_t waiting = planned_ - std::min(planned_, ended + running_.size());
    std::string text = start_.grows ? fmt::format("{} done, {} paused", done_, paused_)
                                    : fmt::format("{} of {} done", start_.done_before + done_,
                                                  start_.done_before + planned_);
    if (failed_ > 0) text += fmt::format(", {} failed", failed_);
    if (stopped_ > 0) text += fmt::format(", {} stopped", stopped_);
    text += fmt::format(", {} running, {} waiting", running_.size(), waiting);
    const double rest = seconds_left();
    return rest > 0 ? text + fmt::format("; about {} left", driver::duration(rest)) : text;
  }

  driver::RunStart start_;
  std::vector<Row> running_;
  std::size_t planned_ = 0, done_ = 0, paused_ = 0, failed_ = 0, stopped_ = 0;
  std::int64_t steps_planned_ = 0;

 private:
  [[nodiscard]] double seconds_left() const {
    std::uint64_t made = steps_made_, gone = steps_gone_;
    for (const Row& row : running_) {
      const Reading reading = row.reading();
      made += reading.fresh;
      gone += reading.step;
    }
    const double elapsed = std::chrono::duration<double>(Clock::now() - began_).count();
    if (made == 0 || elapsed < 0.5) return 0;
    return static_cast<double>(steps_planned_ - static_cast<std::int64_t>(gone)) * elapsed /
           static_cast<double>(made);
  }

  std::uint64_t steps_made_ = 0, steps_gone_ = 0;  // by trials that ended: in this run; in all
  Clock::time_point began_{};
};

std::string verdict_on(const Outcome& outcome, double seconds) {
  if (outcome.done()) return fmt::format("done in {}", driver::duration(seconds));
  if (outcome.stopped()) return "stopped, can be resumed";
  if (outcome.paused()) return "paused by the search";
  if (outcome.message.empty()) return fmt::format("failed: exit status {}", outcome.code);
  return fmt::format("failed: {}", outcome.message);
}

/// Lines that make sense in a file.
class Plain final : public Display {
 public:
  void note(std::string_view line) override { put(fmt::format("{}\n", printable(line))); }
  void fetching(const std::string& file, std::int64_t got, std::int64_t total) override {
    const auto now = Clock::now();
    const bool ended = total > 0 && got == total;
    if (!ended && now - fetch_said_ < std::chrono::seconds(5)) return;
    fetch_said_ = now;
    put(fmt::format("fetching {}: {}{}\n", file, driver::byte_count(static_cast<double>(got)),
                    total > 0
                        ? fmt::format(" of {}", driver::byte_count(static_cast<double>(total)))
                        : std::string()));
  }
  void started(const Trial& trial, const ProgressSlot& slot) override {
    Display::started(trial, slot);
    running_.back().said = Clock::now();
    put(fmt::format("{} {}: {}\n", trial.id, printable(trial.label()),
                    trial.resumes ? "resumes" : "starts"));
  }
  void ended(const Trial& trial, const Outcome& outcome) override {
    std::string last;
    double seconds = 0;
    for (const Row& row : running_) {
      if (row.trial != &trial) continue;
      seconds = row.seconds();
      if (outcome.done()) last = fmt::format(", {}", measured(row.reading()));
    }
    Display::ended(trial, outcome);
    put(printable(fmt::format("{} {}: {}{} ({})", trial.id, trial.label(),
                              verdict_on(outcome, seconds), last, summary())) +
        "\n");
  }
  void tick() override {
    const auto now = Clock::now();
    for (Row& row : running_) {
      const Reading reading = row.reading();
      const bool waited = now - row.said >= std::chrono::duration<double>(kPlainPause);
      const bool new_epoch =
          reading.epoch > row.epoch_said && now - row.said >= std::chrono::seconds(1);
      if (!waited && !new_epoch) continue;
      row.said = now;
      row.epoch_said = reading.epoch;
      put(fmt::format("{} {}: epoch {}/{}  {}  {}\n", row.trial->id, printable(row.trial->label()),
                      reading.epoch_shown(), reading.epochs, pace(row, reading),
                      measured(reading)));
    }
  }

 private:
  Clock::time_point fetch_said_{};
};

/// Pictures drawn in place: the cursor goes back to the first line and each line is written over,
/// so nothing flickers.
class Live final : public Display {
 public:
  explicit Live(bool colour)
      : colour_(colour), ascii_(std::strcmp(nl_langinfo(CODESET), "UTF-8") != 0) {}
  ~Live() override { erase(); }

  void note(std::string_view line) override { above(printable(line)); }
  void fetching(const std::string& file, std::int64_t got, std::int64_t total) override {
    if (file != fetched_) fetched_ = file, fetch_began_ = Clock::now();
    const double seconds = std::chrono::duration<double>(Clock::now() - fetch_began_).count();
    if (total > 0 && got == total) {
      fetched_.clear();
      return above(
          fmt::format("fetched {} ({})", file, driver::byte_count(static_cast<double>(total))));
    }
    if (!due()) return;
    const double rate = static_cast<double>(got) / std::max(seconds, 1e-3);
    const double fraction = total > 0 ? static_cast<double>(got) / static_cast<double>(total) : 0;
    std::string line =
        fmt::format("fetching {}  {}  {}  {}/s", file, driver::bar(fraction, 20, ascii_),
                    driver::byte_count(static_cast<double>(got)), driver::byte_count(rate));
    if (total > 0 && got > 0)
      line += fmt::format("  {} left", driver::duration(static_cast<double>(total - got) / rate));
    draw({line});
  }
  void ended(const Trial& trial, const Outcome& outcome) override {
    double seconds = 0;
    for (const Row& row : running_) {
      if (row.trial == &trial) seconds = row.seconds();
    }
    Display::ended(trial, outcome);
    if (outcome.failed()) {
      above(paint(printable(fmt::format("{} {}: {}", trial.id, trial.label(),
                                        verdict_on(outcome, seconds))),
                  "31"));
    }
  }
  void tick() override {
    if (due()) draw(picture());
  }
  void finish() override { erase(); }

 private:
  struct Size {
    int columns = 80, rows = 24;
  };

  static Size size() {
    winsize window{};
    if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &window) != 0 || window.ws_col == 0) return {};
    return {window.ws_col, std::max<int>(window.ws_row, 3)};
  }
  bool due() {
    const auto now = Clock::now();
    if (now - drawn_ < std::chrono::duration<double>(kRedraw)) return false;
    drawn_ = now;
    return true;
  }
  [[nodiscard]] std::string paint(const std::string& text, const char* code) const {
    return colour_ ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : text;
  }

  [[nodiscard]] std::vector<std::string> picture() const {
    const Size window = size();
    const std::size_t room = static_cast<std::size_t>(std::max(window.rows - 3, 1));
    const std::size_t shown = running_.size() > room ? room - 1 : running_.size();
    int label = 0;
    for (std::size_t i = 0; i < shown; ++i)
      label = std::max(label, driver::columns(running_[i].trial->label()));
    label = std::min(label, std::max(12, window.columns / 3));
    std::vector<std::string> lines;
    for (std::size_t i = 0; i < shown; ++i)
      lines.push_back(line_of(running_[i], label, window.columns));
    if (shown < running_.size())
      lines.push_back(fmt::format("and {} more", running_.size() - shown));
    lines.push_back(summary());
    return lines;
  }
  [[nodiscard]] std::string line_of(const Row& row, int label, int width) const {
    const Reading reading = row.reading();
    const int cells = std::clamp(width - label - 62, 0, 24);
    return fmt::format("{}  {}{}epoch {}/{}  {}  {}", driver::padded(row.trial->label(), label),
                       driver::bar(reading.fraction(), cells, ascii_), cells > 0 ? "  " : "",
                       reading.epoch_shown(), reading.epochs, measured(reading),
                       pace(row, reading));
  }

  /// A line that stays, above the picture.
  void above(const std::string& line) {
    put(fmt::format("{}{}\x1b[K\n\x1b[J", to_first_line(), line));
    rows_ = 0;
    drawn_ = {};
  }
  void draw(const std::vector<std::string>& lines) {
    const int width = size().columns - 1;  // a full line would wrap
    std::string text = to_first_line();
    for (const std::string& line : lines)
      text += fmt::format("{}\x1b[K\n", driver::clip(line, width));
    text += "\x1b[J";
    put(text);
    rows_ = lines.size();
  }
  void erase() {
    if (rows_ > 0) put(fmt::format("{}\x1b[J", to_first_line()));
    rows_ = 0;
  }
  [[nodiscard]] std::string to_first_line() const {
    return rows_ > 0 ? fmt::format("\x1b[{}A\r", rows_) : "";
  }

  bool colour_, ascii_;
  std::size_t rows_ = 0;
  Clock::time_point drawn_{}, fetch_began_{};
  std::string fetched_;
};

/// Only what went wrong.
class Quiet final : public Display {
 public:
  void begin(const driver::RunStart& /*start*/) override {}
  void ended(const Trial& trial, const Outcome& outcome) override {
    Display::ended(trial, outcome);
    if (!outcome.failed()) return;
    put(printable(fmt::format("{} {}: {}", trial.id, trial.label(), verdict_on(outcome, 0))) +
        "\n");
  }
};

}  // namespace

bool is_smart_terminal(int fd) {
  const char* term = std::getenv("TERM");
  return ::isatty(fd) == 1 && term != nullptr && std::strcmp(term, "dumb") != 0;
}

std::string pace_text(double rate, double steps_left) {
  return fmt::format("{:.{}f} steps/s  {} left", rate, rate < 10 ? 1 : 0,
                     driver::duration(steps_left / rate));
}

bool wants_colour(int fd) {
  const char* refused = std::getenv("NO_COLOR");
  return is_smart_terminal(fd) && (refused == nullptr || *refused == '\0');
}

std::unique_ptr<driver::Observer> make_display(bool quiet) {
  if (quiet) return std::make_unique<Quiet>();
  if (is_smart_terminal(STDERR_FILENO)) return std::make_unique<Live>(wants_colour(STDERR_FILENO));
  return std::make_unique<Plain>();
}

}  // namespace paribus
