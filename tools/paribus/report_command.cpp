// SPDX-License-Identifier: Apache-2.0
#include "report_command.h"

#include <fmt/format.h>

#include <filesystem>
#include <memory>

#include "study_reader.h"
#include "tools/report/report.h"

namespace paribus {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::string dir, out, format = "html";
};

int write_report(const Options& options) {
  const results::StudyRecord study = read_study_aloud(options.dir);
  const nlohmann::json data = report::data_of(study);
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
  command->add_option("DIR", options->dir, "a study's directory")->required()->type_name("");
  command
      ->add_option("--out", options->out,
                   "the file to write, - for stdout (default: report.html in DIR; a table: stdout)")
      ->type_name("FILE");
  command
      ->add_option("--format", options->format,
                   "html: the page (default); latex, markdown: its main table; json: all of it")
      ->check(CLI::IsMember({"html", "latex", "markdown", "json"}))
      ->type_name("FORMAT");
  command->callback(
      [options, &exit_status] { exit_status = guarded([&] { return write_report(*options); }); });
}

}  // namespace paribus
