// SPDX-License-Identifier: Apache-2.0
#include "registry/keyring.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <optional>
#include <system_error>

#include "paribus/error.h"
#include "registry/nearest.h"
#include "registry/trust.h"

namespace paribus::registry {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostText = 8 << 10;

/// The beginning of a file; nothing where it can't be read.
std::optional<std::string> read_text(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return std::nullopt;
  std::string text(kMostText, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  return text;
}

void must_be_ones_own(std::optional<std::string> objection, const fs::path& path) {
  if (objection) throw Error(fmt::format("{}: {}", path.string(), *objection));
}

bool is_name(std::string_view name) {
  const auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
  };
  return !name.empty() && name.size() <= 64 && name.front() != '.' &&
         std::all_of(name.begin(), name.end(), good);
}

std::optional<PublicKey> as_key(std::string_view text) {
  try {
    return parse_public_key(text);
  } catch (const Error&) {
    return std::nullopt;
  }
}

std::string printable(std::string text) {
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 127; };
  std::replace_if(text.begin(), text.end(), is_control, '?');
  return text;
}

std::string names_of(const std::vector<NamedKey>& keys) {
  std::string text;
  for (const NamedKey& key : keys) text += (text.empty() ? "" : ", ") + key.name;
  return text;
}

}  // namespace

fs::path Keyring::default_folder() {
  const char* config = std::getenv("XDG_CONFIG_HOME");
  if (config != nullptr && *config == '/') return fs::path(config) / "paribus" / "keys";
  const char* home = std::getenv("HOME");
  if (home != nullptr && *home == '/') return fs::path(home) / ".config" / "paribus" / "keys";
  throw Error("there is no folder for keys: neither HOME nor XDG_CONFIG_HOME is set");
}

Keyring::Keyring(fs::path folder) : folder_(std::move(folder)) {
  std::error_code problem;
  if (!fs::is_directory(folder_, problem)) return;
  Trust trust;
  must_be_ones_own(trust.objection_to_folder(folder_), folder_);
  for (const auto& entry : fs::directory_iterator(folder_)) {
    if (entry.path().extension() != ".pub") continue;
    must_be_ones_own(trust.objection_to_file(entry.path()), entry.path());
    try {
      keys_.push_back(
          {entry.path().stem().string(), parse_public_key(read_text(entry.path()).value_or(""))});
    } catch (const Error& wrong) {
      throw Error(fmt::format("{}: {}; or remove the file", entry.path().string(), wrong.what()));
    }
  }
  std::sort(keys_.begin(), keys_.end(),
            [](const NamedKey& a, const NamedKey& b) { return a.name < b.name; });
}

fs::path Keyring::file_of(const std::string& name) const { return folder_ / (name + ".pub"); }

const NamedKey* Keyring::named(std::string_view name) const {
  const auto found = std::find_if(keys_.begin(), keys_.end(),
                                  [&](const NamedKey& key) { return key.name == name; });
  return found == keys_.end() ? nullptr : &*found;
}

NamedKey Keyring::find(std::string_view name_or_text) const {
  if (const NamedKey* key = named(name_or_text)) return *key;
  if (const auto key = as_key(name_or_text)) {
    const auto same = std::find_if(keys_.begin(), keys_.end(),
                                   [&](const NamedKey& known) { return known.key == *key; });
    return same == keys_.end() ? NamedKey{std::string(name_or_text), *key} : *same;
  }
  std::vector<std::string> names;
  for (const NamedKey& key : keys_) names.push_back(key.name);
  throw Error(fmt::format("no key is named '{}'{}; add it with: paribus plugins keys add NAME KEY",
                          printable(std::string(name_or_text.substr(0, 80))),
                          did_you_mean(name_or_text, names)));
}

void Keyring::add(const std::string& name, const PublicKey& key) {
  if (!is_name(name)) {
    throw Error(fmt::format("'{}' is no name for a key; use letters, digits, '_', '-' and '.'",
                            printable(name.substr(0, 80))));
  }
  const NamedKey* known = named(name);
  if (known != nullptr && known->key == key) return;
  if (known != nullptr) {
    throw Error(
        fmt::format("the name '{}' is that of the key {}; remove it first, or take another "
                    "name",
                    name, known->key.id()));
  }
  fs::create_directories(folder_);
  fs::permissions(folder_, fs::perms::owner_all);
  must_be_ones_own(Trust().objection_to_folder(folder_), folder_);
  const fs::path draft = fmt::format("{}.{}", file_of(name).string(), ::getpid());
  std::ofstream out(draft, std::ios::binary);
  out << fmt::format("untrusted comment: minisign public key {}\n{}\n", key.id(), key.text());
  out.close();
  std::error_code problem;
  if (out) fs::permissions(draft, fs::perms::owner_read | fs::perms::owner_write, problem);
  if (out && !problem) fs::rename(draft, file_of(name), problem);
  if (!out || problem) {
    fs::remove(draft, problem);
    throw Error(fmt::format("{}: can't be written", file_of(name).string()));
  }
  keys_.push_back({name, key});
}

void Keyring::remove(const std::string& name) {
  const NamedKey* known = named(name);
  if (known == nullptr) static_cast<void>(find(name));  // says what there is, where it is no key
  if (known == nullptr || !fs::remove(file_of(name)))
    throw Error(fmt::format("no key is named '{}'", printable(name)));
  std::erase_if(keys_, [&](const NamedKey& key) { return key.name == name; });
}

PublicKey public_key_from(const std::string& text_or_file) {
  try {
    return parse_public_key(read_text(text_or_file).value_or(text_or_file));
  } catch (const Error& problem) {
    throw Error(fmt::format("{}: {}", printable(text_or_file.substr(0, 200)), problem.what()));
  }
}

std::string read_plugin(const fs::path& file) {
  constexpr std::uintmax_t kMost = std::uintmax_t{1} << 30;
  std::error_code problem;
  const std::uintmax_t size = fs::file_size(file, problem);
  if (!problem && size > kMost)
    throw Error(
        fmt::format("{}: has {} bytes, no plugin has more than 1 GiB", file.string(), size));
  std::ifstream in(file, std::ios::binary);
  std::string bytes(problem ? 0 : static_cast<std::size_t>(size), '\0');
  in.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (problem || !in) throw Error(fmt::format("{}: can't be read", file.string()));
  return bytes;
}

Signed signed_by(std::string_view bytes, std::string_view signature,
                 const std::vector<NamedKey>& keys) {
  const Signature parsed = parse_signature(signature);
  for (const NamedKey& key : keys) {
    if (key.key.number != parsed.key) continue;
    verify(parsed, bytes, key.key);
    return {key.name, printable(parsed.comment)};
  }
  throw Error(fmt::format("was signed with the key {}, which is none of those asked for: {}",
                          parsed.key_id(), keys.empty() ? "there are none" : names_of(keys)));
}

Signed signed_beside(const fs::path& file, std::string_view bytes,
                     const std::vector<NamedKey>& keys) {
  const auto signature = read_text(signature_of(file));
  if (!signature) {
    throw Error(fmt::format("isn't signed: there is no {}; get it from whoever made the plugin",
                            signature_of(file).filename().string()));
  }
  return signed_by(bytes, *signature, keys);
}

}  // namespace paribus::registry
