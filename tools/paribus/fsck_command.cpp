// SPDX-License-Identifier: Apache-2.0
#include "fsck_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>

#include "disk/check.h"
#include "disk/no_space.h"
#include "journal/journal.h"
#include "paribus/error.h"
#include "study_reader.h"
#include "table.h"

namespace paribus {
namespace {

namespace fs = std::filesystem;
using journal::Tail;
using Align = TextTable::Align;

struct Options {
  std::string dir;
  bool repair = false, as_json = false;
};

/// One journal, checked.
struct Finding {
  std::string file, state = "whole", problem;
  std::size_t bytes = 0, events = 0, points = 0, torn_bytes = 0;
  bool is_bad = false;
};

std::vector<fs::path> journals(const fs::path& dir) {
  if (!fs::is_regular_file(dir / "journal" / "study.log")) {
    throw Error(fmt::format(
        "{}: is not a study's directory: it has no journal/study.log; give the directory that "
        "`paribus run` wrote",
        dir.string()));
  }
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(dir / "journal")) {
    if (entry.path().extension() == ".log") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

void repair(const fs::path& file, Finding& finding) {
  journal::repair(file);
  finding.is_bad = false;
  finding.state = "repaired";
}

void judge(const fs::path& file, const Options& options, Finding& finding) {
  const bool is_written = journal::has_writer(file);
  const auto record = journal::read(file);
  finding.bytes = record.valid_bytes + record.torn_bytes;
  finding.events = record.events.size();
  finding.points = record.points_written;
  finding.torn_bytes = record.torn_bytes;
  if (is_written && record.tail != Tail::damaged) {
    finding.state = "being written";
    return;
  }
  if (record.tail == Tail::whole) return;
  finding.is_bad = true;
  finding.state = record.tail == Tail::torn ? "torn" : "damaged";
  finding.problem = fmt::format("{} at byte {}; {} bytes from there on are lost", record.problem,
                                record.valid_bytes, record.torn_bytes);
  if (options.repair) repair(file, finding);
}

Finding check(const fs::path& file, const Options& options) {
  Finding finding{.file = file.filename().string(), .problem = {}};
  try {
    judge(file, options, finding);
  } catch (const Error& error) {
    finding.is_bad = true;
    finding.state = "unreadable";
    finding.problem = error.what();
  }
  return finding;
}

nlohmann::json to_json(const std::vector<Finding>& findings,
                       const std::vector<disk::Finding>& checkpoints) {
  nlohmann::json all = nlohmann::json::array(), files = nlohmann::json::array();
  for (const Finding& one : findings) {
    all.push_back({{"file", one.file},
                   {"state", one.state},
                   {"bytes", one.bytes},
                   {"events", one.events},
                   {"points", one.points},
                   {"torn_bytes", one.torn_bytes},
                   {"problem", one.problem}});
  }
  for (const disk::Finding& one : checkpoints) {
    files.push_back(
        {{"file", one.file}, {"state", one.state}, {"bytes", one.bytes}, {"problem", one.problem}});
  }
  return {{"journals", all}, {"checkpoints", files}};
}

void print(const std::vector<Finding>& findings) {
  TextTable table;
  table.add_column("journal");
  for (const char* title : {"bytes", "events", "points"}) table.add_column(title, Align::right);
  table.add_column("state");
  table.add_column("problem");
  for (const Finding& one : findings) {
    table.add_row({one.file, fmt::format("{}", one.bytes), fmt::format("{}", one.events),
                   fmt::format("{}", one.points), one.state, one.problem});
  }
  table.print(stdout);
}

/// One line for what is well, a table of the rest.
void print(const std::vector<disk::Finding>& checkpoints) {
  TextTable table;
  for (const char* title : {"file", "state", "problem"}) table.add_column(title);
  std::size_t whole = 0;
  std::int64_t bytes = 0;
  for (const disk::Finding& one : checkpoints) {
    if (one.state == "whole")
      ++whole, bytes += one.bytes;
    else
      table.add_row({one.file, one.state, one.problem});
  }
  if (whole > 0)
    fmt::print("\n{} files of checkpoints and weights are whole, {}\n", whole,
               disk::bytes_text(bytes));
  if (table.empty()) return;
  fmt::print("\n");
  table.print(stdout);
}

int check_all(const Options& options) {
  std::vector<Finding> findings;
  for (const fs::path& file : journals(options.dir)) findings.push_back(check(file, options));
  const auto checkpoints = disk::check_checkpoints(options.dir, options.repair);
  if (options.as_json)
    print_json(to_json(findings, checkpoints));
  else
    print(findings), print(checkpoints);
  const auto bad = std::count_if(findings.begin(), findings.end(),
                                 [](const Finding& one) { return one.is_bad; });
  const auto bad_files = std::count_if(checkpoints.begin(), checkpoints.end(),
                                       [](const disk::Finding& one) { return one.is_bad; });
  const char* advice =
      options.repair ? "" : "; --repair removes what is lost, and a resume makes it again";
  if (bad > 0) {
    fmt::print(stderr, "{} of {} journals {} not whole{}\n", bad, findings.size(),
               bad == 1 ? "is" : "are", advice);
  }
  if (bad_files > 0) {
    fmt::print(stderr, "{} of {} files of checkpoints and weights {} not whole{}\n", bad_files,
               checkpoints.size(), bad_files == 1 ? "is" : "are", advice);
  }
  return bad + bad_files > 0 ? 1 : 0;
}

}  // namespace

void add_fsck_command(CLI::App& app, int& exit_status) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("fsck", "check every journal and checkpoint of a study");
  command->footer(
      "Exit status: 0 all is whole; 1 something is torn, damaged or missing; 2 the request was "
      "wrong.");
  command->add_option("DIR", options->dir, "a study's directory")->required()->type_name("");
  command->add_flag(
      "--repair", options->repair,
      "cut journals where they are torn or damaged, remove checkpoints that are damaged or "
      "that nobody needs");
  command->add_flag("--json", options->as_json, "for programs");
  command->callback(
      [options, &exit_status] { exit_status = guarded([&] { return check_all(*options); }); });
}

}  // namespace paribus
