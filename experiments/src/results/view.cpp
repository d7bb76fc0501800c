// SPDX-License-Identifier: Apache-2.0
#include "results/view.h"

#include <algorithm>
#include <map>
#include <optional>
#include <unordered_set>

#include "journal/crc32c.h"
#include "journal/events.h"
#include "paribus/error.h"
#include "results/cache.h"
#include "results/plan.h"

namespace paribus::results {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kSmallStudy = 1000;     // trials; fewer are read in no time
constexpr std::size_t kMuchText = 1 << 18;    // bytes of study.log
constexpr std::size_t kManyJournals = 500;    // looked at
constexpr std::size_t kManyUnstarted = 1000;  // trials: from here on the folder is listed

/// A view, and what it took to get it.
struct Reading {
  Cached cached;
  std::size_t bytes = 0, journals = 0;
  bool is_new = true;  // says more than the cache does

  [[nodiscard]] bool was_much_work() const { return bytes > kMuchText || journals > kManyJournals; }
};

fs::path log_path(const fs::path& dir) { return dir / "journal" / "study.log"; }

Reading read_everything(const fs::path& dir) {
  Reading reading;
  Origin& origin = reading.cached.origin;
  origin.folder = mark_of(dir / "journal");  // before reading: what changes then is seen later
  origin.log_file = mark_of(log_path(dir));
  StudyLog log;
  const StudyRecord study = read_study(dir, &log);
  origin.log = {{log.offset, log.sum}};
  reading.cached.view = view_of(study);
  reading.bytes = log.offset;
  for (const Trial& trial : study.trials) reading.journals += trial.learned != Trial::kFromLog;
  return reading;
}

/// Whether study.log begins with what the cache was made from.
bool begins_with(const fs::path& log, const std::vector<Stretch>& stretches) {
  const journal::EventReader reader(log);  // holds its bytes; nothing is parsed
  std::uint64_t start = 0;
  for (const Stretch& stretch : stretches) {
    if (stretch.end < start || stretch.end > reader.bytes().size()) return false;
    const auto bytes = reader.bytes().substr(start, stretch.end - start);
    if (journal::crc32c(bytes) != stretch.sum) return false;
    start = stretch.end;
  }
  return true;
}

/// Brings a cached view up to the journals.
class Updater {
 public:
  explicit Updater(Reading& reading) : reading_(reading), view_(reading.cached.view) {}

  /// False where only reading everything can tell.
  bool update() {
    reading_.is_new = false;
    if (!read_log()) return false;
    find_unknown();
    find_started();
    for (const std::size_t row : rows_) {
      if (!look(row)) return false;
    }
    return true;
  }

 private:
  /// What the log says of a trial since: its exit, or, with none, that it was begun.
  using News = std::map<std::string, std::optional<Exit>, std::less<>>;

  bool read_log() {
    Origin& origin = reading_.cached.origin;
    const fs::path log = log_path(view_.dir);
    const FileMark now = mark_of(log);
    if (now.size < origin.offset()) return false;
    if (!is_unchanged(origin.log_file, now)) {
      if (!begins_with(log, origin.log)) return false;
      reading_.bytes += origin.offset();
      reading_.is_new = now.changed != 0;
      origin.log_file = now;
    }
    if (now.size == origin.offset()) return true;
    journal::EventReader reader(log, origin.offset());
    for (nlohmann::json event; reader.next(event);) {
      const std::string name = event.value("event", "");
      if (name == "plan" || name == "planned") return false;
      const auto trial = event.find("trial");
      if (trial == event.end() || !trial->is_string()) continue;
      if (name == "exit") news_[trial->get<std::string>()] = read_exit(event);
      if (name == "begin") news_[trial->get<std::string>()] = std::nullopt;
    }
    view_.log_problem = problem_of(reader);
    if (reader.taken().empty()) return true;
    origin.log.push_back({reader.offset(), journal::crc32c(reader.taken())});
    reading_.bytes += reader.taken().size();
    reading_.is_new = true;
    return true;
  }

  /// Whether a trial's journal may have changed since its outcome was learned from it.
  [[nodiscard]] bool is_stale(std::int64_t learned, std::string_view id) const {
    if (learned == Trial::kFromLog) return false;
    return learned == Trial::kBeingWritten || learned != journal_mark(journal_path(view_.dir, id));
  }

  /// Trials whose journals may say something else by now.
  void find_unknown() {
    const auto learned = view_.learned.integers.view();
    const Column& id = view_.trials.columns.front();
    for (std::size_t row = 0; row < learned.size(); ++row) {
      const bool is_told = !news_.empty() && news_.find(id.text_at(row)) != news_.end();
      if (!is_told && learned[row] == Trial::kNoJournal)
        unstarted_.push_back(row);
      else if (is_told || is_stale(learned[row], id.text_at(row)))
        rows_.push_back(row);
    }
  }

  void find_started() {
    const fs::path folder = view_.dir / "journal";
    const FileMark now = mark_of(folder);
    const bool is_same = is_unchanged(reading_.cached.origin.folder, now);
    reading_.cached.origin.folder = now;
    if (unstarted_.empty() || is_same) return;
    std::unordered_set<std::string> names;
    const bool listed = unstarted_.size() > kManyUnstarted;
    if (listed) {
      for (const auto& entry : fs::directory_iterator(folder))
        names.insert(entry.path().filename());
    }
    const Column& id = view_.trials.columns.front();
    for (const std::size_t row : unstarted_) {
      const fs::path path = journal_path(view_.dir, id.text_at(row));
      if (listed ? names.contains(path.filename()) : fs::exists(path)) rows_.push_back(row);
    }
  }

  bool look(std::size_t row) {
    Trial trial = known(row);
    const auto news = news_.find(trial.id);
    const bool has_news = news != news_.end();
    const Status before = view_.status(row);
    // How the driver saw it end isn't kept here.
    if (!has_news && (before == Status::failed || before == Status::pruned)) return false;
    const Exit* exit = has_news && news->second ? &*news->second : nullptr;
    std::map<std::string, std::string> units;
    read_trial_or_say_why(view_.dir, exit, trial, units);
    reading_.journals += trial.learned != Trial::kFromLog;
    for (const auto& [name, value] : trial.last) {
      if (!shows({Shows::last, name})) return false;
    }
    for (const auto& [name, value] : trial.best) {
      if (!shows({Shows::best, name})) return false;
    }
    put(row, trial);
    return true;
  }

  [[nodiscard]] Trial known(std::size_t row) const {
    Trial trial;
    trial.id = view_.trials.columns[0].text_at(row);
    trial.arm = view_.trials.columns[1].text_at(row);
    trial.seed = view_.trials.columns[2].integers[row];
    auto variant = std::make_shared<Variant>();
    if (const Cell steps = view_.steps_per_epoch.cell(row); std::holds_alternative<double>(steps))
      variant->steps_per_epoch = std::get<double>(steps);
    trial.variant = std::move(variant);
    return trial;
  }

  [[nodiscard]] bool shows(const Source& source) const {
    return std::find(view_.sources.begin(), view_.sources.end(), source) != view_.sources.end();
  }

  void put(std::size_t row, const Trial& trial) {
    for (std::size_t i = 0; i < view_.sources.size(); ++i) {
      const Shows shows = view_.sources[i].shows;
      if (shows == Shows::id || shows == Shows::arm || shows == Shows::seed || shows == Shows::axis)
        continue;  // the plan's
      Column& column = view_.trials.columns[i];
      const Cell cell = cell_of(trial, view_.sources[i], column.type);
      if (cell != column.cell(row)) column.set(row, cell);
    }
    view_.learned.set(row, trial.learned);
    view_.problem.set(row, trial.problem);
  }

  Reading& reading_;
  StudyView& view_;
  News news_;
  std::vector<std::size_t> rows_, unstarted_;
};

Reading read_now(const fs::path& dir) {
  if (auto cached = read_cache(dir)) {
    Reading reading{std::move(*cached)};
    if (Updater(reading).update()) return reading;
  }
  return read_everything(dir);
}

void keep(const Reading& reading) {
  try {
    write_cache(reading.cached);
  } catch (const Error&) {
    // A directory that can't be written: the next reader has the same work.
  }
}

}  // namespace

std::vector<std::string> StudyView::all_problems() const {
  std::vector<std::string> all;
  if (!log_problem.empty()) all.push_back(log_problem);
  for (std::size_t row = 0; row < problem.size(); ++row) {
    if (!problem.text_at(row).empty()) all.emplace_back(problem.text_at(row));
  }
  return all;
}

Status StudyView::status(std::size_t row) const {
  const std::string_view text = trials.columns[3].text_at(row);
  for (const Status status : kStatuses) {
    if (to_text(status) == text) return status;
  }
  return Status::planned;
}

StudyView view_of(const StudyRecord& study) {
  StudyView view;
  static_cast<StudyHead&>(view) = study;
  view.trials = trial_table(study, &view.sources);
  const auto known = [](const std::optional<double>& value) {
    return value ? Cell(*value) : Cell();
  };
  for (const Trial& trial : study.trials) {
    view.planned_epochs.add(trial.variant ? known(trial.variant->epochs) : Cell());
    view.steps_per_epoch.add(trial.variant ? known(trial.variant->steps_per_epoch) : Cell());
    view.learned.add(trial.learned);
    view.problem.add(trial.problem);
  }
  return view;
}

StudyView read_view(const fs::path& dir) {
  Reading reading = read_now(dir);
  if (reading.cached.view.trials.rows >= kSmallStudy && reading.is_new && reading.was_much_work())
    keep(reading);
  return std::move(reading.cached.view);
}

void refresh_cache(const fs::path& dir) {
  const Reading reading = read_now(dir);
  if (reading.cached.view.trials.rows >= kSmallStudy && reading.is_new) keep(reading);
}

}  // namespace paribus::results
