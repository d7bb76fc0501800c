// SPDX-License-Identifier: Apache-2.0
#include "paribus/files.h"

#include <ATen/ops/empty.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <vector>

namespace paribus {
namespace {

constexpr std::size_t kMaxIdxBytes = std::size_t{1} << 30;
constexpr std::size_t kBlock = 512;  // of a tar archive

gzFile handle(void* file) { return static_cast<gzFile>(file); }

std::uint32_t big_endian(const unsigned char* bytes) {
  return (std::uint32_t{bytes[0]} << 24) | (std::uint32_t{bytes[1]} << 16) |
         (std::uint32_t{bytes[2]} << 8) | bytes[3];
}

}  // namespace

InputFile::InputFile(std::string who, std::string path)
    : who_(std::move(who)), path_(std::move(path)) {
  std::error_code problem;
  const auto size = std::filesystem::file_size(path_, problem);
  if (problem) throw Error(where("can't be read (" + problem.message() + ")"));
  most_bytes_ =
      static_cast<std::size_t>(std::min<std::uintmax_t>(size, std::size_t{1} << 50)) * 1032 + 64;
  file_ = gzopen(path_.c_str(), "rb");
  if (file_ == nullptr)
    throw Error(where(std::string("can't be opened (") + std::strerror(errno) + ")"));
  gzbuffer(handle(file_), 1U << 17);
}

InputFile::~InputFile() { gzclose_r(handle(file_)); }

std::size_t InputFile::read_some(void* to, std::size_t bytes) {
  auto* next = static_cast<char*>(to);
  std::size_t done = 0;
  if (peeked_ >= 0 && bytes > 0) {
    *next = static_cast<char>(peeked_);
    peeked_ = -1;
    done = 1;
  }
  while (done < bytes) {
    const auto part = static_cast<unsigned>(std::min<std::size_t>(bytes - done, 1U << 30));
    const int got = gzread(handle(file_), next + done, part);
    if (got > 0) done += static_cast<std::size_t>(got);
    if (got == static_cast<int>(part)) continue;
    int code = Z_OK;
    const char* reason = gzerror(handle(file_), &code);
    if (got < 0 || code == Z_BUF_ERROR) {
      throw Error(where("broken gzip data after byte " + std::to_string(position_ + done) +
                        " of its content (" + (code == Z_BUF_ERROR ? "it ends too early" : reason) +
                        "); fetch the file again"));
    }
    break;
  }
  position_ += done;
  return done;
}

void InputFile::read(void* to, std::size_t bytes, std::string_view what) {
  const std::size_t got = read_some(to, bytes);
  if (got == bytes) return;
  throw Error(where("ends within " + std::string(what) + ", got " + std::to_string(got) +
                    " bytes, expected " + std::to_string(bytes) + "; fetch the file again"));
}

void InputFile::skip(std::size_t bytes, std::string_view what) {
  std::array<char, 4096> sink{};
  for (std::size_t left = bytes; left > 0;) {
    const std::size_t part = std::min(left, sink.size());
    read(sink.data(), part, what);
    left -= part;
  }
}

bool InputFile::at_end() {
  if (peeked_ >= 0) return false;
  unsigned char byte = 0;
  if (read_some(&byte, 1) == 0) return true;
  --position_;
  peeked_ = byte;
  return false;
}

const std::string& path_of(const Files& files, std::string_view who, std::string_view name) {
  const auto found = files.find(name);
  if (found != files.end()) return found->second;
  throw Error(std::string(who) + ": the file '" + std::string(name) +
              "' was not handed over; put it into a data folder");
}

at::Tensor read_idx(const std::string& who, const std::string& path, std::int64_t dims) {
  InputFile file(who, path);
  std::array<unsigned char, 4> word{};
  file.read(word.data(), word.size(), "the magic number");
  const std::uint32_t expected = 0x0800U | static_cast<std::uint32_t>(dims);
  if (big_endian(word.data()) != expected) {
    throw Error(file.where("not an idx file of bytes with " + std::to_string(dims) +
                           " dimensions, got the magic number " +
                           std::to_string(big_endian(word.data())) + ", expected " +
                           std::to_string(expected)));
  }
  std::vector<std::int64_t> shape;
  std::size_t bytes = 1;
  for (std::int64_t i = 0; i < dims; ++i) {
    file.read(word.data(), word.size(), "the header");
    const std::size_t size = big_endian(word.data());
    if (size == 0)
      throw Error(file.where("dimension " + std::to_string(i) +
                             " of its header is 0, expected at least 1"));
    if (size > kMaxIdxBytes / bytes) {
      throw Error(
          file.where("its header promises more than " + std::to_string(kMaxIdxBytes) + " bytes"));
    }
    bytes *= size;
    shape.push_back(static_cast<std::int64_t>(size));
  }
  if (bytes > file.most_bytes()) {
    throw Error(file.where("its header promises " + std::to_string(bytes) +
                           " bytes, more than a file of this size holds"));
  }
  at::Tensor data = at::empty(shape, at::kByte);
  file.read(data.data_ptr(), bytes, "the data");
  if (!file.at_end())
    throw Error(
        file.where("longer than the " + std::to_string(bytes) + " bytes its header promises"));
  return data;
}

TensorDataset::Columns read_idx_split(const std::string& who, const std::string& images,
                                      const std::string& labels, std::int64_t classes) {
  const at::Tensor pixels = read_idx(who, images, 3);
  const at::Tensor numbers = read_idx(who, labels, 1);
  if (numbers.size(0) != pixels.size(0)) {
    throw Error(who + ": " + labels + ": got " + std::to_string(numbers.size(0)) +
                " labels, expected " + std::to_string(pixels.size(0)) + ", one for each image of " +
                images);
  }
  const auto* label = numbers.const_data_ptr<std::uint8_t>();
  for (std::int64_t i = 0; i < numbers.size(0); ++i) {
    if (label[i] < classes) continue;
    throw Error(who + ": " + labels + ": label of item " + std::to_string(i) +
                " is out of range, got " + std::to_string(label[i]) + ", expected 0 to " +
                std::to_string(classes - 1));
  }
  return {pixels.unsqueeze(1), numbers.to(at::kLong)};
}

namespace {

using Header = std::array<char, kBlock>;

/// A number in a tar header: octal text, or base 256 where its first bit is set.
std::size_t tar_number(const InputFile& file, const char* text, std::size_t size) {
  std::size_t value = 0;
  std::size_t i = 0;
  while (i < size && text[i] == ' ') ++i;
  for (; i < size && text[i] != ' ' && text[i] != '\0'; ++i) {
    if (text[i] < '0' || text[i] > '7')
      throw Error(file.where("not a tar archive (a size in it isn't an octal number)"));
    value = value * 8 + static_cast<std::size_t>(text[i] - '0');  // at most 12 digits: no overflow
  }
  return value;
}

void check_header(const InputFile& file, const Header& header) {
  unsigned sum = 0;
  for (std::size_t i = 0; i < kBlock; ++i)
    sum += i >= 148 && i < 156 ? ' ' : static_cast<unsigned char>(header[i]);
  if (tar_number(file, &header[148], 8) != sum)
    throw Error(file.where("not a tar archive (wrong header checksum)"));
}

std::string quoted(const std::string& name) {
  return std::string(1, '\'').append(name).append(1, '\'');
}

std::string tar_text(const char* text, std::size_t most) { return {text, strnlen(text, most)}; }

std::string tar_name(const Header& header) {
  const std::string name = tar_text(header.data(), 100);
  const bool ustar = std::memcmp(&header[257], "ustar\0", 6) == 0;
  const std::string prefix = ustar ? tar_text(&header[345], 155) : "";
  return prefix.empty() ? name : prefix + "/" + name;
}

/// `path` of a pax header: records "LENGTH key=value\n".
std::string pax_path(const std::string& records) {
  std::string path;
  for (std::size_t at = 0; at < records.size();) {
    std::size_t length = 0;
    std::size_t digit = at;
    while (digit < records.size() && digit - at < 8 && records[digit] >= '0' &&
           records[digit] <= '9') {
      length = length * 10 + static_cast<std::size_t>(records[digit++] - '0');
    }
    if (length <= digit - at + 1 || length > records.size() - at) return path;
    const std::string record = records.substr(digit + 1, length - (digit - at) - 2);
    if (record.starts_with("path=")) path = record.substr(5);
    at += length;
  }
  return path;
}

}  // namespace

void read_tar(const std::string& who, const std::string& path, const TarLimits& limits,
              const std::function<void(const std::string& name, std::string bytes)>& visit) {
  InputFile file(who, path);
  std::string long_name;
  std::size_t total = 0;
  for (std::size_t count = 0;; ++count) {
    Header header{};
    file.read(header.data(), kBlock, "a tar header");
    if (std::all_of(header.begin(), header.end(), [](char c) { return c == 0; })) return;
    check_header(file, header);
    const std::size_t bytes = tar_number(file, &header[124], 12);
    total += bytes;
    if (count >= limits.files || bytes > limits.file_bytes || total > limits.total_bytes) {
      throw Error(file.where("larger than allowed at " + quoted(tar_name(header)) + " of " +
                             std::to_string(bytes) + " bytes; at most " +
                             std::to_string(limits.files) + " files of " +
                             std::to_string(limits.file_bytes) + " bytes, " +
                             std::to_string(limits.total_bytes) + " together"));
    }
    if (bytes > file.most_bytes())
      throw Error(file.where(quoted(tar_name(header)) + " is said to be larger than the archive"));
    std::string content(bytes, '\0');
    file.read(content.data(), bytes, quoted(tar_name(header)));
    file.skip((kBlock - bytes % kBlock) % kBlock, "padding");
    const char type = header[156];
    if (type == 'L') long_name = tar_text(content.data(), content.size());
    if (type == 'x') long_name = pax_path(content);
    if (type == 'L' || type == 'x') continue;
    if (type == '0' || type == '\0')
      visit(long_name.empty() ? tar_name(header) : long_name, std::move(content));
    long_name.clear();
  }
}

}  // namespace paribus
