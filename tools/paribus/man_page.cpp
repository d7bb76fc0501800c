// SPDX-License-Identifier: Apache-2.0
#include "man_page.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <utility>

#include "command_table.h"

namespace paribus {
namespace {

constexpr std::size_t kWidth = 78;  // of the source: mandoc wants no line above 80

constexpr std::pair<const char*, const char*> kStatuses[] = {
    {"0", "fine"},
    {"1", "a trial failed, or a check found what it looks for"},
    {"2", "the request was wrong: nothing was started, nothing written"},
    {"130", "interrupted; `paribus resume` goes on"}};

// docs/command_line.md has the same.
constexpr std::pair<const char*, const char*> kVariables[] = {
    {"PARIBUS_DATA",
     "folders with data files, colon-separated, searched before anything is fetched"},
    {"PARIBUS_PLUGINS", "folders with plugins, colon-separated"},
    {"PARIBUS_TRUSTED_FOLDERS", "folders that you vouch for, whoever may write them"},
    {"PARIBUS_PYTHON", "the Python that search/optuna runs"},
    {"PARIBUS_WORKER", "another worker program"},
    {"PARIBUS_UPLINK", "another program for trackers"},
    {"PARIBUS_SYSTEM", "another program for system metrics"},
    {"XDG_DATA_HOME", "where the user's plugins lie"},
    {"XDG_CACHE_HOME", "where fetched files and the index of plugins are kept"},
    {"XDG_CONFIG_HOME", "where the keys are that you trust"},
    {"SSL_CERT_FILE", "which certificates are believed when something is fetched or sent"},
    {"NETRC", "where keys of trackers are looked for; else ~/.netrc"},
    {"NO_COLOR", "no colour"}};

constexpr std::pair<const char*, const char*> kFiles[] = {
    {"runs/NAME/",
     "the directory of a study, unless --dir says another: its record, results.h5 and "
     "report.html"},
    {"~/.local/share/paribus/plugins/", "your plugins"},
    {"~/.cache/paribus/", "fetched data, and the index of plugins"}};

/// So that nothing in a text is a request.
std::string escaped(const std::string& text) {
  std::string result;
  for (const char c : text) {
    if (c == '\\') {
      result += "\\e";
    } else if (c == '-') {
      result += "\\-";
    } else if (c == '`') {
      result += "\\(ga";
    } else if (c == '\'') {
      result += "\\(aq";
    } else if (c == '~') {
      result += "\\(ti";
    } else if (c == '^') {
      result += "\\(ha";
    } else {
      result += c == '\n' ? ' ' : c;
    }
  }
  return result;
}

/// Text in lines of its own.
std::string paragraph(const std::string& text) {
  std::string result, line;
  const std::string whole = escaped(text);
  for (std::size_t at = 0; at < whole.size();) {
    const std::size_t end = std::min(whole.find(' ', at), whole.size());
    const std::string word = whole.substr(at, end - at);
    at = end + 1;
    if (word.empty()) continue;
    if (!line.empty() && line.size() + 1 + word.size() > kWidth)
      result += std::exchange(line, "") + "\n";
    if (line.empty() && (word.front() == '.')) line = "\\&";
    line += (line.empty() || line == "\\&" ? "" : " ") + word;
  }
  return result + line + "\n";
}

std::string in_bold(const std::string& text) { return "\\fB" + escaped(text) + "\\fR"; }
std::string in_italic(const std::string& text) { return "\\fI" + escaped(text) + "\\fR"; }

std::string entry(const std::string& tag, const std::string& about) {
  return ".TP\n" + tag + "\n" + paragraph(about);
}

template <class Table>
std::string entries(const char* title, const Table& table) {
  std::string text = fmt::format(".SH {}\n", title);
  for (const auto& [name, about] : table) text += entry(in_bold(name), about);
  return text;
}

std::string tag_of(const CLI::Option& option) {
  if (option.get_positional()) return in_italic(value_name(option));
  std::string text;
  for (const std::string& name : names_of(option))
    text += (text.empty() ? "" : ", ") + in_bold(name);
  return takes_value(option) ? text + " " + in_italic(value_name(option)) : text;
}

std::string about_of(const CLI::Option& option) {
  std::string text = option.get_description();
  const auto choices = choices_of(option);
  if (!choices.empty()) text += fmt::format(" ({})", fmt::join(choices, ", "));
  const std::string given = option.get_default_str();
  return given.empty() || given == "false" ? text : text + fmt::format(" (default: {})", given);
}

std::string command_text(const CLI::App& command) {
  std::string text = fmt::format(".SS {}\n", escaped(path_of(command)));
  text += fmt::format("{} {}\n.PP\n", in_bold(path_of(command)), escaped(usage_of(command)));
  text += paragraph(command.get_description() + ".");
  for (const CLI::Option* option : positionals_of(command))
    text += entry(tag_of(*option), about_of(*option));
  for (const CLI::Option* option : options_of(command)) {
    if (option != command.get_help_ptr()) text += entry(tag_of(*option), about_of(*option));
  }
  for (const CLI::App* inner : commands_of(command)) text += command_text(*inner);
  return text;
}

}  // namespace

std::string man_page(const CLI::App& app, const std::string& version, const std::string& date) {
  std::string text = fmt::format(
      ".\\\" made by `paribus man-page` of its own commands\n"
      ".TH PARIBUS 1 {} \"Paribus {}\" \"User Commands\"\n"
      ".SH NAME\nparibus \\- machine\\-learning ablations in which all else is equal\n"
      ".SH SYNOPSIS\n\\fBparibus\\fR \\fICOMMAND\\fR [\\fIOPTIONS\\fR] [\\fIARGUMENTS\\fR]\n"
      ".SH DESCRIPTION\n",
      date, escaped(version));
  text += paragraph(
      "A study is a TOML file: a configuration, its arms or its sweep, and its seeds. Each part of "
      "the training is a plugin. Paribus trains every arm with every seed and says how they "
      "differ, "
      "with the uncertainty of that.");
  text += ".PP\n" + paragraph(
                        "Every command takes --help. `paribus help KIND/NAME` describes a part "
                        "with a study that uses it; `paribus plugins` lists parts. Results go "
                        "to stdout, messages to stderr.");
  text += ".SH OPTIONS\n";
  for (const CLI::Option* option : options_of(app))
    text += entry(tag_of(*option), about_of(*option));
  text += ".SH COMMANDS\n";
  for (const CLI::App* command : commands_of(app)) text += command_text(*command);
  text += entries("EXIT STATUS", kStatuses);
  text += entries("ENVIRONMENT", kVariables);
  text += entries("FILES", kFiles);
  return text + ".SH EXAMPLES\n.TP\nCheck a study, run it, and read the verdict:\n.nf\n" +
         in_bold("paribus check study.toml") + "\n" +
         in_bold("paribus run study.toml -s train.epochs=2") + "\n" +
         in_bold("paribus compare runs/study") + "\n.fi\n";
}

}  // namespace paribus
