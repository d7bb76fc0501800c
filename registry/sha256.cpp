// SPDX-License-Identifier: Apache-2.0
#include "registry/sha256.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <unistd.h>
#include <zlib.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <vector>

#include "paribus/error.h"

namespace paribus::registry {
namespace {

constexpr std::size_t kChunk = 1 << 18;

class Digest {
 public:
  Digest() : context_(EVP_MD_CTX_new()) {
    if (!context_ || EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) != 1) fail();
  }
  void add(const void* bytes, std::size_t size) {
    if (EVP_DigestUpdate(context_.get(), bytes, size) != 1) fail();
  }
  std::string hex() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
    unsigned int size = 0;
    if (EVP_DigestFinal_ex(context_.get(), bytes.data(), &size) != 1) fail();
    std::string text;
    for (unsigned int i = 0; i < size; ++i) text += fmt::format("{:02x}", bytes[i]);
    return text;
  }

 private:
  [[noreturn]] static void fail() {
    throw Error("SHA-256: OpenSSL refuses to work; check its configuration");
  }
  struct Free {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  std::unique_ptr<EVP_MD_CTX, Free> context_;
};

[[noreturn]] void cannot_read(const std::filesystem::path& file, int error) {
  throw Error(fmt::format("{}: cannot be read: {}; check that it exists and its permissions",
                          file.string(), std::strerror(error)));
}

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
struct CloseGzip {
  void operator()(gzFile_s* file) const { gzclose_r(file); }
};

}  // namespace

std::string sha256(std::string_view bytes) {
  Digest digest;
  digest.add(bytes.data(), bytes.size());
  return digest.hex();
}

std::string sha256_of_file(const std::filesystem::path& file) {
  const std::unique_ptr<std::FILE, CloseFile> stream(std::fopen(file.c_str(), "rbe"));
  if (!stream) cannot_read(file, errno);
  Digest digest;
  std::vector<char> chunk(kChunk);
  while (const std::size_t got = std::fread(chunk.data(), 1, chunk.size(), stream.get()))
    digest.add(chunk.data(), got);
  if (std::ferror(stream.get()) != 0) cannot_read(file, errno);
  return digest.hex();
}

std::string sha256_of_descriptor(int descriptor) {
  Digest digest;
  std::vector<char> chunk(kChunk);
  for (off_t at = 0;;) {
    const ssize_t got = ::pread(descriptor, chunk.data(), chunk.size(), at);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) cannot_read(fmt::format("descriptor {}", descriptor), errno);
    if (got == 0) return digest.hex();
    digest.add(chunk.data(), static_cast<std::size_t>(got));
    at += got;
  }
}

std::string sha256_of_content(const std::filesystem::path& file) {
  errno = 0;
  const std::unique_ptr<gzFile_s, CloseGzip> stream(gzopen(file.c_str(), "rbe"));
  if (!stream) cannot_read(file, errno != 0 ? errno : ENOMEM);
  gzbuffer(stream.get(), kChunk);
  Digest digest;
  std::vector<char> chunk(kChunk);
  while (true) {
    const int got = gzread(stream.get(), chunk.data(), static_cast<unsigned>(chunk.size()));
    int status = Z_OK;  // a file cut short is reported here only, with all that could be read
    const char* text = gzerror(stream.get(), &status);
    if (status == Z_ERRNO) cannot_read(file, errno);
    if (got < 0 || (status != Z_OK && status != Z_STREAM_END)) {
      throw Error(fmt::format("{}: is damaged: {}; fetch it again", file.string(), text));
    }
    if (got == 0) return digest.hex();
    digest.add(chunk.data(), static_cast<std::size_t>(got));
  }
}

}  // namespace paribus::registry
