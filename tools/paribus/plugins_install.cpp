// SPDX-License-Identifier: Apache-2.0
#include "plugins_install.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "driver/download.h"
#include "driver/interrupt.h"
#include "paribus/error.h"
#include "registry/catalog.h"
#include "registry/elf.h"
#include "registry/keyring.h"
#include "registry/manifest.h"
#include "registry/sha256.h"
#include "registry/trust.h"
#include "registry/verify.h"
#include "study_reader.h"

namespace paribus {

namespace {

namespace fs = std::filesystem;
using registry::PartSchema;

constexpr std::int64_t kMostPlugin = std::int64_t{256} << 20;
constexpr std::int64_t kMostSignature = 8 << 10;

struct Request {
  std::string from, key, sha256;
  bool without_signature = false, as_json = false;
};

bool is_url(const std::string& from) { return from.find("://") != std::string::npos; }

/// The last word of a path, or of a URL without what stands behind `?` or `#`.
std::string name_of(const std::string& from) {
  const std::string path = is_url(from) ? from.substr(0, from.find_first_of("?#")) : from;
  const std::string name = fs::path(path).filename();
  const auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
  };
  const bool plain = name.size() > 3 && name.ends_with(".so") && name.front() != '.' &&
                     std::all_of(name.begin(), name.end(), good);
  if (!plain) {
    throw Error(
        fmt::format("{}: a plugin is a file NAME.so, of letters, digits, '_', '-' and '.'", from));
  }
  return name;
}

std::string signature_url(const std::string& url) {
  const std::size_t end = std::min(url.find_first_of("?#"), url.size());
  return url.substr(0, end) + ".minisig" + url.substr(end);
}

std::string text_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// Where it is to lie: nobody but the user may write there.
fs::path target_folder() {
  const auto folder = registry::users_folder();
  if (!folder) throw Error("there is no folder for plugins: neither HOME nor XDG_DATA_HOME is set");
  fs::create_directories(*folder);
  if (const auto objection = registry::Trust().objection_to_folder(*folder))
    throw Error(fmt::format("{}: {}", folder->string(), *objection));
  return *folder;
}

/// Fetches, verifies and puts in place.
class Installation {
 public:
  explicit Installation(const Request& request)
      : request_(request), target_(target_folder() / name_of(request.from)) {}

  void run() {
    replaced_ = fs::exists(target_);
    const std::string signature = fetch_signature();
    const auto check = [&](const fs::path& draft) { verify_all(draft, signature); };
    fetch(request_.from, target_, kMostPlugin, check);
    fs::remove(registry::signature_of(target_));  // that of an earlier one
    if (!signature.empty()) keep_signature(signature);
  }

  void tell() const {
    if (request_.as_json) {
      nlohmann::json by = nullptr;
      if (signed_) by = {{"key", signed_->by}, {"comment", signed_->comment}};
      return print_json({{"file", target_.string()},
                         {"parts", parts_},
                         {"sha256", sha256_},
                         {"signed_by", by},
                         {"replaced", replaced_}});
    }
    const std::string by = signed_ ? fmt::format("signed by {} ({})", signed_->by, signed_->comment)
                           : request_.sha256.empty() ? "unsigned"
                                                     : "unsigned, with the sum asked for";
    fmt::print("{} {}: {}, {}\n", replaced_ ? "replaced" : "installed", target_.string(),
               fmt::join(parts_, ", "), by);
  }

 private:
  void fetch(const std::string& from, const fs::path& target, std::int64_t most,
             const std::function<void(const fs::path&)>& check) const {
    if (is_url(from)) {
      driver::download(from, target, {.at_most = most, .only_https = true, .redirects = 4}, check);
    } else {
      driver::copy_checked(from, target, most, check);
    }
  }

  /// "" where there is none; then `unsigned_because_` says how that is known.
  std::string fetch_signature() {
    const std::string from =
        is_url(request_.from) ? signature_url(request_.from) : request_.from + ".minisig";
    const fs::path draft =
        registry::signature_of(target_).string() + fmt::format(".{}", ::getpid());
    std::string text;
    try {
      fetch(from, draft, kMostSignature, [&](const fs::path& file) { text = text_of(file); });
    } catch (const driver::Interrupted&) {
      throw;
    } catch (const Error& problem) {
      unsigned_because_ = fmt::format("it isn't signed: {}", problem.what());
    }
    std::error_code ignored;
    fs::remove(draft, ignored);
    return text;
  }

  void verify_all(const fs::path& draft, const std::string& signature) {
    try {
      const std::string bytes = registry::read_plugin(draft);
      sha256_ = registry::sha256(bytes);
      verify_sum();
      verify_signature(bytes, signature);
      for (const PartSchema& part : registry::parse_manifests(registry::read_section(draft).text)) {
        registry::verify(part, registry::this_host());
        refuse_twin(part);
        parts_.push_back(part.kind + "/" + part.name);
      }
    } catch (const Error& problem) {
      throw Error(fmt::format("{}: {}; nothing was installed", request_.from, problem.what()));
    }
  }

  void verify_sum() const {
    std::string wanted = request_.sha256;
    std::transform(wanted.begin(), wanted.end(), wanted.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (!wanted.empty() && wanted != sha256_)
      throw Error(fmt::format("its sha256 is {}, --sha256 asks for {}", sha256_, wanted));
  }

  [[nodiscard]] std::vector<registry::NamedKey> keys() const {
    const registry::Keyring known;
    if (request_.key.empty()) return known.keys();
    if (fs::exists(request_.key)) return {{request_.key, registry::public_key_from(request_.key)}};
    return {known.find(request_.key)};
  }

  /// A signature that is there and wrong is never passed over where its key is known.
  void verify_signature(const std::string& bytes, const std::string& signature) {
    if (!signature.empty()) {
      const auto known = keys();
      const registry::Signature parsed = registry::parse_signature(signature);
      const bool knows = std::any_of(known.begin(), known.end(), [&](const auto& named) {
        return named.key.number == parsed.key;
      });
      if (knows || !request_.key.empty()) {
        signed_ = registry::signed_by(bytes, signature, known);
        return;
      }
      unsigned_because_ = fmt::format(
          "it is signed with the key {}, which you don't know: paribus plugins keys add NAME KEY, "
          "with a KEY from a place that you trust",
          parsed.key_id());
    }
    if (!request_.key.empty()) throw Error(unsigned_because_);
    if (!request_.sha256.empty() || request_.without_signature) return;
    throw Error(fmt::format("{}; or give its sum, --sha256 SUM, or take it as it is: --unsigned",
                            unsigned_because_));
  }

  void refuse_twin(const PartSchema& part) const {
    const registry::Catalog catalog = registry::Catalog::scan(registry::Catalog::search_path({}));
    const PartSchema* other = catalog.find(part.kind, part.name);
    std::error_code ignored;
    if (other == nullptr || fs::equivalent(other->plugin, target_, ignored)) return;
    throw Error(
        fmt::format("{}/{} is offered by {} already, and two of one name are refused; "
                    "remove that first",
                    part.kind, part.name, other->plugin.string()));
  }

  void keep_signature(const std::string& text) const {
    const fs::path file = registry::signature_of(target_);
    std::ofstream out(file, std::ios::binary);
    out << text;
    out.close();
    if (!out) throw Error(fmt::format("{}: can't be written", file.string()));
  }

  const Request& request_;
  fs::path target_;
  bool replaced_ = false;
  std::string sha256_, unsigned_because_;
  std::vector<std::string> parts_;
  std::optional<registry::Signed> signed_;
};

void install(const Request& request) {
  if (is_url(request.from) && !request.from.starts_with("https://")) {
    throw Error(
        fmt::format("{}: plugins come by https or from a file: what comes otherwise may "
                    "have been changed on its way",
                    request.from));
  }
  driver::watch_interrupts();
  Installation installation(request);
  installation.run();
  installation.tell();
}

}  // namespace

void add_plugins_install_command(CLI::App& plugins, int& exit_status) {
  const auto request = std::make_shared<Request>();
  CLI::App* command = plugins.add_subcommand(
      "install", "verify a plugin and put it where every study of yours finds it");
  command->add_option("FILE|URL", request->from, "NAME.so, or where it is fetched by https")
      ->required()
      ->type_name("");
  CLI::Option* key = command
                         ->add_option("--key", request->key,
                                      "it must be signed with this one: a name, a key "
                                      "or a file; else any that you know will do")
                         ->type_name("KEY");
  command->add_option("--sha256", request->sha256, "it must have this sum")->type_name("SUM");
  command->add_flag("--unsigned", request->without_signature, "take it without a signature")
      ->excludes(key);
  command->add_flag("--json", request->as_json, "print JSON");
  command->callback([request, &exit_status] {
    install(*request);
    exit_status = 0;
  });
}

}  // namespace paribus
