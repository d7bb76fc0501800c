// SPDX-License-Identifier: Apache-2.0
#include "report_command.h"

#include <fmt/format.h>

#include <filesystem>
#include <memory>

#include "paribus/error.h"
#include "stats/across.h"
#include "study/settings.h"
#include "study_reader.h"
#include "tools/report/report.h"

namespace paribus {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::vector<std::string> dirs;
  std::string out, format = "html", price;
};

nlohmann::json data_of(const std::vector<results::StudyRecord>& studies) {
  if (studies.size() == 1) return report::data_of(studies.front());
  return report::data_of(stats::across(studies, ""), studies);
}

int write_report(const Options& options) {
  if (options.dirs.size() > 1 && options.format == "html" && options.out.empty())
    throw Error(
        "a report of several studies is in none of their directories: give it a file, "
        "e.g. --out report.html");
  std::vector<results::StudyRecord> studies;
  for (const std::string& dir : options.dirs) studies.push_back(read_study_aloud(dir));
  for (results::StudyRecord& study : studies)
    if (!options.price.empty()) study.price = options.price;
  const results::StudyRecord& study = studies.front();
  const nlohmann::json data = data_of(studies);
  const bool is_page = options.format == "html";
  if (is_page && options.out == "-") {
    fmt::print("{}", report::page_of(data));
    return 0;
  }
  if (is_page) {
    const fs::path file = options.out.empty() ? report::file_of(study) : fs::path(options.out);
    report::write(file, report::page_of(data), study);
    fmt::print("{}\n", file.string());
    return 0;
  }
  const std::string text =
      options.format == "json"
          ? data.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n"
          : report::table_of(data, options.format);
  if (options.out.empty() || options.out == "-")
    fmt::print("{}", text);
  else
    report::write(options.out, text, study);
  return 0;
}

}  // namespace

void add_report_command(CLI::App& app, int& exit_status) {
  auto options = std::make_shared<Options>();
  auto* command =
      app.add_subcommand("report", "the results as one page, or as a table for a paper");
  command
      ->add_option("DIR", options->dirs,
                   "a study's directory; of several, each arm against its namesake in the first")
      ->required()
      ->type_name("")
      ->expected(1, 64);
  command
      ->add_option("--out", options->out,
                   "the file to write, - for stdout (default: report.html in DIR; a table: stdout)")
      ->type_name("FILE");
  command
      ->add_option("--price", options->price,
                   "of an hour of the machine, e.g. \"0.90 USD\" (default: [study] price)")
      ->type_name("PRICE")
      ->check([](const std::string& text) -> std::string {
        try {
          price_of(text);
          return "";
        } catch (const Error& problem) {
          return problem.what();
        }
      });
  command
      ->add_option("--format", options->format,
                   "html: the page (default); latex, markdown: its main table; json: all of it")
      ->check(CLI::IsMember({"html", "latex", "markdown", "json"}))
      ->type_name("FORMAT");
  command->callback(
      [options, &exit_status] { exit_status = guarded([&] { return write_report(*options); }); });
}

}  // namespace paribus
