// SPDX-License-Identifier: Apache-2.0
#include "secrets.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "registry/base64.h"

namespace paribus::uplink {

namespace {

constexpr std::size_t kShortest = 4;  // a shorter one would blot out half of every text

std::string read(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return in ? std::move(text).str() : "";
}

std::filesystem::path netrc() {
  if (const char* given = std::getenv("NETRC"); given != nullptr && *given != '\0') return given;
  const char* home = std::getenv("HOME");
  return home == nullptr ? "" : std::filesystem::path(home) / ".netrc";
}

}  // namespace

std::string netrc_password(std::string_view text, std::string_view host) {
  std::istringstream words{std::string(text)};
  bool ours = false;
  for (std::string word; words >> word;) {
    if (word == "machine" && words >> word) ours = word == host;
    if (word == "default") ours = true;
    if (word == "password" && words >> word && ours) return word;
  }
  return "";
}

std::string Secrets::find(std::string_view variable, std::string_view host) {
  const char* given = variable.empty() ? nullptr : std::getenv(std::string(variable).c_str());
  std::string secret = given == nullptr ? "" : given;
  if (secret.empty() && !host.empty()) secret = netrc_password(read(netrc()), host);
  add(secret);
  return secret;
}

void Secrets::add(const std::string& secret) {
  if (secret.size() < kShortest) return;
  const std::lock_guard lock(mutex_);
  known_.insert(secret);
}

void Secrets::add_basic(const std::string& user, const std::string& password) {
  add(password);
  add(registry::base64(user + ":" + password));
}

std::string Secrets::masked(std::string text) const {
  const std::lock_guard lock(mutex_);
  for (const std::string& secret : known_) {
    for (auto at = text.find(secret); at != std::string::npos; at = text.find(secret, at))
      text.replace(at, secret.size(), "***");
  }
  return text;
}

}  // namespace paribus::uplink
