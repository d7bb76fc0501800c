// SPDX-License-Identifier: Apache-2.0
#include "plugins_keys.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "registry/keyring.h"
#include "study_reader.h"

namespace paribus {

namespace {

using registry::Keyring;

struct Request {
  std::string name, key;
  bool as_json = false;
};

void list(bool as_json) {
  const Keyring known;
  if (as_json) {
    nlohmann::json keys = nlohmann::json::array();
    for (const auto& [name, key] : known.keys())
      keys.push_back({{"name", name}, {"id", key.id()}, {"key", key.text()}});
    return print_json({{"keys", keys}, {"folder", Keyring::default_folder().string()}});
  }
  std::size_t width = 0;
  for (const auto& [name, key] : known.keys()) width = std::max(width, name.size());
  for (const auto& [name, key] : known.keys())
    fmt::print("{:<{}}  {}  {}\n", name, width, key.id(), key.text());
  if (known.keys().empty())
    fmt::print(stderr, "no keys yet; add one with: paribus plugins keys add NAME KEY\n");
}

void add(const Request& request) {
  const registry::PublicKey key = registry::public_key_from(request.key);
  Keyring().add(request.name, key);
  fmt::print(
      "{} is the key {}; plugins signed with it can be installed, and a study can ask for "
      "them: trust = [\"{}\"]\n",
      request.name, key.id(), request.name);
}

}  // namespace

void add_plugins_keys_command(CLI::App& plugins, int& exit_status) {
  CLI::App* keys = plugins.add_subcommand("keys", "whose signatures are taken: add, list, remove");
  keys->require_subcommand(1);
  const auto request = std::make_shared<Request>();

  CLI::App* adds = keys->add_subcommand("add", "take what is signed with a key");
  adds->add_option("NAME", request->name, "what you call it")->required()->type_name("");
  adds->add_option("KEY", request->key, "a public key of minisign, RW..., or a file with one")
      ->required()
      ->type_name("");
  adds->callback([request, &exit_status] {
    add(*request);
    exit_status = 0;
  });

  CLI::App* lists = keys->add_subcommand("list", "names, numbers and the keys themselves");
  lists->add_flag("--json", request->as_json, "print JSON");
  lists->callback([request, &exit_status] {
    list(request->as_json);
    exit_status = 0;
  });

  CLI::App* removes = keys->add_subcommand("remove", "take nothing more that is signed with it");
  removes->add_option("NAME", request->name, "what you called it")->required()->type_name("");
  removes->callback([request, &exit_status] {
    Keyring().remove(request->name);
    exit_status = 0;
  });
}

}  // namespace paribus
