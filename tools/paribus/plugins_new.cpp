// SPDX-License-Identifier: Apache-2.0
#include "plugins_new.h"

#include <fcntl.h>
#include <fmt/ranges.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>

#include "paribus/error.h"
#include "registry/catalog.h"
#include "registry/nearest.h"
#include "templates.h"

namespace paribus {
namespace {

namespace fs = std::filesystem;

struct NewRequest {
  std::string kind, name;
  fs::path folder;
};

constexpr std::size_t kLongestName = 40;

bool is_snake_case(const std::string& name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  };
  return !name.empty() && name.size() <= kLongestName && name.front() >= 'a' &&
         name.front() <= 'z' && name.back() != '_' && name.find("__") == std::string::npos &&
         std::all_of(name.begin(), name.end(), allowed);
}

/// "Sign momentum" as it has to be written.
std::string snake_case(const std::string& name) {
  std::string result;
  for (const char c : name) {
    const auto letter = static_cast<unsigned char>(c);
    const bool wide = std::isupper(letter) != 0;
    const bool fits = std::isalnum(letter) != 0 && letter < 0x80;
    const bool gap = !result.empty() && result.back() != '_';
    if ((wide || !fits) && gap) result += '_';
    if (fits) result += static_cast<char>(std::tolower(letter));
  }
  while (!result.empty() && (result.front() == '_' || std::isdigit(result.front()) != 0))
    result.erase(0, 1);
  while (!result.empty() && result.back() == '_') result.pop_back();
  return result.substr(0, kLongestName);
}

std::string camel_case(const std::string& name) {
  std::string result;
  bool up = true;
  for (const char c : name) {
    if (c != '_') result += up ? static_cast<char>(std::toupper(c)) : c;
    up = c == '_';
  }
  return result == "Params" ? "ParamsPart" : result;  // the struct within has that name
}

void check_kind(const std::string& kind) {
  if (kind != "project" && templates().contains(kind)) return;
  std::vector<std::string> kinds;
  for (const std::string& one : registry::kinds()) {
    if (templates().contains(one)) kinds.push_back(one);
  }
  throw Error(fmt::format("plugins new: got the kind '{}', expected {}{}", kind,
                          fmt::join(kinds, ", "), registry::did_you_mean(kind, kinds)));
}

void check_name(const NewRequest& request) {
  if (!is_snake_case(request.name)) {
    const std::string better = snake_case(request.name);
    throw Error(fmt::format(
        "plugins new: got the name '{}', expected lower-case letters, digits and single '_', a "
        "letter first, at most {}{}",
        request.name, kLongestName, better.empty() ? "" : fmt::format("; take '{}'", better)));
  }
  const auto catalog = registry::Catalog::scan(registry::Catalog::search_path({}));
  if (const registry::PartSchema* part = catalog.find(request.kind, request.name)) {
    throw Error(fmt::format("plugins new: {}/{} is there already, in {}; take another name",
                            request.kind, request.name, part->plugin.string()));
  }
}

void replace_all(std::string& text, const std::string& word, const std::string& by) {
  for (std::size_t at = 0; (at = text.find(word, at)) != std::string::npos; at += by.size())
    text.replace(at, word.size(), by);
}

/// With the part's own names, and without our licence: the file is the author's.
std::string filled(std::string text, const NewRequest& request) {
  text.erase(0, text.find('\n') + 1);
  replace_all(text, "MyPart", camel_case(request.name));
  replace_all(text, "my_part", request.name);
  replace_all(text, "my_kind", request.kind);
  return text;
}

void write_files(const fs::path& folder, const NewRequest& request) {
  for (const std::string& source : {std::string("project"), request.kind}) {
    for (const auto& [name, text] : templates().at(source)) {
      std::string own = name;
      replace_all(own, "my_part", request.name);
      std::ofstream out(folder / own, std::ios::binary);
      out << filled(text, request);
      if (!out.flush()) {
        throw Error(fmt::format("plugins new: can't write {}: {}", (folder / own).string(),
                                std::strerror(errno)));
      }
    }
  }
}

/// The folder appears whole or not at all.
void make_folder(const NewRequest& request) {
  const fs::path target = fs::absolute(request.folder).lexically_normal();
  if (fs::exists(fs::symlink_status(target)))
    throw Error(fmt::format("plugins new: {} is there already; name another folder with --dir",
                            request.folder.string()));
  const fs::path parent = target.parent_path();
  std::string made = (parent / ".paribus-new-XXXXXX").string();
  if (::mkdtemp(made.data()) == nullptr) {
    throw Error(fmt::format("plugins new: can't make a folder in {}: {}", parent.string(),
                            std::strerror(errno)));
  }
  try {
    write_files(made, request);
    fs::permissions(made, fs::perms::owner_all | fs::perms::group_read | fs::perms::group_exec |
                              fs::perms::others_read | fs::perms::others_exec);
    if (::renameat2(AT_FDCWD, made.c_str(), AT_FDCWD, target.c_str(), RENAME_NOREPLACE) != 0) {
      throw Error(fmt::format("plugins new: can't make {}: {}", request.folder.string(),
                              std::strerror(errno)));
    }
  } catch (...) {
    std::error_code ignored;
    fs::remove_all(made, ignored);
    throw;
  }
}

int make(NewRequest request) {
  try {
    check_kind(request.kind);
    check_name(request);
    if (request.folder.empty()) request.folder = request.name;
    if (!request.folder.has_filename()) request.folder = request.folder.parent_path();
    make_folder(request);
  } catch (const Error& problem) {
    fmt::print(stderr, "paribus: {}\n", problem.what());
    return 2;
  }
  const std::string folder = request.folder.string();
  fmt::print("{0}/{1}.cpp: {2}/{1} to begin with; it works as it stands\n", folder, request.name,
             request.kind);
  fmt::print(stderr, "next: paribus plugins build {0}   compile, test, hold to the laws\n", folder);
  fmt::print(stderr, "      paribus run {}/study.toml   a study that uses it\n", folder);
  return 0;
}

}  // namespace

void add_plugins_new_command(CLI::App& plugins, int& exit_status) {
  CLI::App* command = plugins.add_subcommand("new", "a folder with a part to begin with");
  const auto request = std::make_shared<NewRequest>();
  command->add_option("KIND", request->kind, "dataset, model, optimizer, callback, ...")
      ->required()
      ->type_name("");
  command->add_option("NAME", request->name, "as studies will name it, in lower snake_case")
      ->required()
      ->type_name("");
  command->add_option("--dir", request->folder, "the folder to make (default: ./NAME)")
      ->type_name("DIR");
  command->callback([request, &exit_status] { exit_status = make(*request); });
}

}  // namespace paribus
