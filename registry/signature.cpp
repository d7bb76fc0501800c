// SPDX-License-Identifier: Apache-2.0
#include "registry/signature.h"

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <vector>

#include "paribus/error.h"
#include "registry/base64.h"

namespace paribus::registry {
namespace {

constexpr std::size_t kMostText = 8 << 10;  // of a key or a signature; minisign's own limit
constexpr std::string_view kUntrusted = "untrusted comment: ";
constexpr std::string_view kTrusted = "trusted comment: ";

using Bytes = std::vector<unsigned char>;

void start() {
  static const bool kStarted = ::sodium_init() >= 0;
  if (!kStarted) throw Error("libsodium can't be started, so no signature can be checked");
}

std::string id_of(const std::array<unsigned char, 8>& number) {
  std::string text;
  for (auto byte = number.rbegin(); byte != number.rend(); ++byte)
    text += fmt::format("{:02X}", *byte);
  return text;
}

Bytes from_base64(std::string_view text) {
  if (text.empty()) return {};  // libsodium wants a place to write to
  Bytes bytes(text.size());
  std::size_t size = 0;
  const char* end = nullptr;
  const int failed = ::sodium_base642bin(bytes.data(), bytes.size(), text.data(), text.size(),
                                         nullptr, &size, &end, sodium_base64_VARIANT_ORIGINAL);
  if (failed != 0 || end != text.data() + text.size()) return {};
  bytes.resize(size);
  return bytes;
}

/// Without their ends; a last empty one doesn't count.
std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    lines.push_back(line);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

template <std::size_t kSize>
void take(const Bytes& bytes, std::size_t at, std::array<unsigned char, kSize>& into) {
  std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), kSize, into.begin());
}

bool is_signed(const unsigned char* signature, const unsigned char* bytes, std::size_t size,
               const PublicKey& key) {
  return ::crypto_sign_verify_detached(signature, bytes, size, key.point.data()) == 0;
}

const unsigned char* unsigned_bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

std::string PublicKey::text() const {
  Bytes bytes{'E', 'd'};
  bytes.insert(bytes.end(), number.begin(), number.end());
  bytes.insert(bytes.end(), point.begin(), point.end());
  return base64({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

std::string PublicKey::id() const { return id_of(number); }
std::string Signature::key_id() const { return id_of(key); }

PublicKey parse_public_key(std::string_view text) {
  start();
  const auto lines = lines_of(text.substr(0, kMostText));
  const bool has_comment = lines.size() == 2 && lines[0].starts_with(kUntrusted);
  const Bytes bytes = lines.size() == 1 || has_comment ? from_base64(lines.back()) : Bytes();
  if (bytes.size() != 42 || bytes[0] != 'E' || bytes[1] != 'd') {
    throw Error(
        "is no public key of minisign, expected 56 letters and digits that begin with RW, or the "
        "file that `minisign -G` wrote");
  }
  PublicKey key;
  take(bytes, 2, key.number);
  take(bytes, 10, key.point);
  return key;
}

Signature parse_signature(std::string_view text) {
  start();
  const auto lines = lines_of(text.substr(0, kMostText));
  const Bytes first = lines.size() == 4 ? from_base64(lines[1]) : Bytes();
  const Bytes second = lines.size() == 4 ? from_base64(lines[3]) : Bytes();
  const bool sound = first.size() == 74 && second.size() == 64 && first[0] == 'E' &&
                     (first[1] == 'd' || first[1] == 'D') && lines[0].starts_with(kUntrusted) &&
                     lines[2].starts_with(kTrusted);
  if (!sound)
    throw Error("is no signature of minisign; fetch it anew, or sign with: minisign -Sm FILE");
  Signature signature;
  signature.prehashed = first[1] == 'D';
  take(first, 2, signature.key);
  take(first, 10, signature.of_file);
  take(second, 0, signature.of_comment);
  signature.comment = lines[2].substr(kTrusted.size());
  return signature;
}

void verify(const Signature& signature, std::string_view bytes, const PublicKey& key) {
  start();
  if (signature.key != key.number)
    throw Error(
        fmt::format("was signed with the key {}, not with {}", signature.key_id(), key.id()));
  Bytes hash(crypto_generichash_BYTES_MAX);
  const unsigned char* data = unsigned_bytes(bytes);
  std::size_t size = bytes.size();
  if (signature.prehashed) {
    ::crypto_generichash(hash.data(), hash.size(), data, size, nullptr, 0);
    data = hash.data();
    size = hash.size();
  }
  if (!is_signed(signature.of_file.data(), data, size, key)) {
    throw Error(
        fmt::format("is not what was signed with the key {}: it or its signature was "
                    "changed; fetch both anew",
                    key.id()));
  }
  Bytes both(signature.of_file.begin(), signature.of_file.end());
  both.insert(both.end(), signature.comment.begin(), signature.comment.end());
  if (!is_signed(signature.of_comment.data(), both.data(), both.size(), key)) {
    throw Error(
        fmt::format("has a signature whose trusted comment was changed since the key {} "
                    "signed it; fetch both anew",
                    key.id()));
  }
}

std::filesystem::path signature_of(const std::filesystem::path& file) {
  return file.string() + ".minisig";
}

}  // namespace paribus::registry
