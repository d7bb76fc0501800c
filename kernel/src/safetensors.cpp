// SPDX-License-Identifier: Apache-2.0
// The safetensors format: u64 length, JSON header, data. https://github.com/huggingface/safetensors
#include <ATen/Functions.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <set>

#include "paribus/checkpoint.h"
#include "paribus/error.h"

namespace paribus {
namespace {

struct TypeName {
  at::ScalarType type;
  std::string_view name;
};
constexpr std::array kTypes{TypeName{at::kDouble, "F64"},       TypeName{at::kLong, "I64"},
                            TypeName{at::kComplexFloat, "C64"}, TypeName{at::kFloat, "F32"},
                            TypeName{at::kInt, "I32"},          TypeName{at::kHalf, "F16"},
                            TypeName{at::kBFloat16, "BF16"},    TypeName{at::kShort, "I16"},
                            TypeName{at::kByte, "U8"},          TypeName{at::kChar, "I8"},
                            TypeName{at::kBool, "BOOL"}};

constexpr std::uint64_t kMaxHeader = 100'000'000;

std::string_view name_of(at::ScalarType type, const std::string& tensor) {
  for (const TypeName& known : kTypes) {
    if (known.type == type) return known.name;
  }
  throw Error("safetensors: tensor '" + tensor + "' has the type " + c10::toString(type) +
              ", which the format lacks");
}

std::string json_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\', out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      std::array<char, 8> escape{};
      std::snprintf(escape.data(), escape.size(), "\\u%04x", static_cast<unsigned>(c));
      out += escape.data();
    } else {
      out += c;
    }
  }
  return out + '"';
}

/// A file that only becomes visible, whole, at `commit`.
class AtomicFile {
 public:
  explicit AtomicFile(const std::filesystem::path& file)
      : file_(file), temporary_(file.string() + ".partial") {
    fd_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd_ < 0) fail("create");
  }
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile() {
    if (fd_ >= 0) ::close(fd_);
    if (!committed_) ::unlink(temporary_.c_str());
  }

  void write(const void* data, std::size_t size) {
    const auto* bytes = static_cast<const char*>(data);
    while (size > 0) {
      const ssize_t written = ::write(fd_, bytes, std::min(size, std::size_t{1} << 30));
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) fail("write");
      bytes += written;
      size -= static_cast<std::size_t>(written);
    }
  }

  void commit() {
    if (::fsync(fd_) != 0) fail("fsync");
    if (::rename(temporary_.c_str(), file_.c_str()) != 0) fail("rename");
    committed_ = true;
    const std::string folder = file_.has_parent_path() ? file_.parent_path().string() : ".";
    const int folder_fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder_fd >= 0) {
      ::fsync(folder_fd);
      ::close(folder_fd);
    }
  }

 private:
  [[noreturn]] void fail(const char* what) const {
    throw Error(file_.string() + ": can't " + what + " it: " + std::strerror(errno));
  }

  std::filesystem::path file_;
  std::string temporary_;
  int fd_ = -1;
  bool committed_ = false;
};

/// One entry of the header.
struct Entry {
  std::string name, type;
  std::vector<std::int64_t> shape;
  std::uint64_t begin = 0, end = 0;
};

/// Reads the header's JSON, strictly and only in the form that the format allows.
class HeaderReader {
 public:
  HeaderReader(std::string_view text, const std::string& file) : text_(text), file_(file) {}

  std::vector<Entry> read() {
    std::vector<Entry> entries;
    expect('{');
    if (!take('}')) {
      do {
        const std::string name = string();
        expect(':');
        if (name == "__metadata__") {
          metadata();
        } else {
          entries.push_back(entry(name));
        }
      } while (take(','));
      expect('}');
    }
    skip_space();
    if (at_ != text_.size()) fail("text after the header's end");
    return entries;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw Error(file_ + ": not a safetensors file: " + what + " at header byte " +
                std::to_string(at_));
  }
  void skip_space() {
    while (at_ < text_.size() && std::strchr(" \t\r\n", text_[at_]) != nullptr) ++at_;
  }
  bool take(char c) {
    skip_space();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (!take(c)) fail(std::string("expected '") + c + "'");
  }
  std::string string() {
    expect('"');
    std::string out;
    while (at_ < text_.size() && text_[at_] != '"') {
      if (text_[at_] != '\\') {
        out += text_[at_++];
        continue;
      }
      if (++at_ >= text_.size()) break;
      escape(out);
    }
    expect('"');
    return out;
  }
  void escape(std::string& out) {
    static constexpr std::string_view kShort = "\"\\/bfnrt";
    static constexpr std::string_view kMeaning = "\"\\/\b\f\n\r\t";
    const char c = text_[at_++];
    if (const auto i = kShort.find(c); i != std::string_view::npos) {
      out += kMeaning[i];
      return;
    }
    if (c != 'u' || at_ + 4 > text_.size()) fail("a bad escape");
    unsigned code = 0;
    for (int i = 0; i < 4; ++i) {
      const char h = text_[at_++];
      if (std::isxdigit(static_cast<unsigned char>(h)) == 0) fail("a bad escape");
      code = code * 16 + static_cast<unsigned>(h <= '9' ? h - '0' : (h | 0x20) - 'a' + 10);
    }
    if (code < 0x80) {
      out += static_cast<char>(code);
    } else if (code < 0x800) {
      out += static_cast<char>(0xC0 | (code >> 6)), out += static_cast<char>(0x80 | (code & 0x3F));
    } else {
      out += static_cast<char>(0xE0 | (code >> 12)),
          out += static_cast<char>(0x80 | ((code >> 6) & 0x3F));
      out += static_cast<char>(0x80 | (code & 0x3F));
    }
  }
  std::uint64_t integer() {
    skip_space();
    const std::size_t start = at_;
    std::uint64_t value = 0;
    while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9') {
      const auto digit = static_cast<std::uint64_t>(text_[at_++] - '0');
      if (value > (std::uint64_t{1} << 62) / 10) fail("a number too large");
      value = value * 10 + digit;
    }
    if (at_ == start) fail("expected a number");
    return value;
  }
  std::vector<std::uint64_t> integers() {
    std::vector<std::uint64_t> list;
    expect('[');
    if (take(']')) return list;
    do list.push_back(integer());
    while (take(','));
    expect(']');
    if (list.size() > 64) fail("a shape of more than 64 dimensions");
    return list;
  }
  void metadata() {
    expect('{');
    if (take('}')) return;
    do string(), expect(':'), string();
    while (take(','));
    expect('}');
  }
  Entry entry(const std::string& name) {
    Entry entry{name, "", {}, 0, 0};
    unsigned seen = 0;
    expect('{');
    do {
      const std::string key = string();
      expect(':');
      if (key == "dtype") {
        entry.type = string(), seen |= 1U;
      } else if (key == "shape") {
        for (const std::uint64_t size : integers())
          entry.shape.push_back(static_cast<std::int64_t>(size));
        seen |= 2U;
      } else if (key == "data_offsets") {
        const auto offsets = integers();
        if (offsets.size() != 2) fail("data_offsets without two numbers");
        entry.begin = offsets[0], entry.end = offsets[1], seen |= 4U;
      } else {
        fail("unknown key '" + key + "'");
      }
    } while (take(','));
    expect('}');
    if (seen != 7U) fail("tensor '" + name + "' lacks dtype, shape or data_offsets");
    return entry;
  }

  std::string_view text_;
  const std::string& file_;
  std::size_t at_ = 0;
};

at::ScalarType type_of(const Entry& entry, const std::string& file) {
  for (const TypeName& known : kTypes) {
    if (known.name == entry.type) return known.type;
  }
  throw Error(file + ": tensor '" + entry.name + "' has the type '" + entry.type +
              "', which LibTorch lacks");
}

std::uint64_t bytes_of(const Entry& entry, at::ScalarType type, const std::string& file) {
  std::uint64_t bytes = c10::elementSize(type);
  for (const std::int64_t size : entry.shape) {
    if (__builtin_mul_overflow(bytes, static_cast<std::uint64_t>(size), &bytes)) {
      throw Error(file + ": tensor '" + entry.name + "' is larger than memory can be");
    }
  }
  return bytes;
}

/// The tensors must cover the data exactly, without holes, overlaps or a tail.
void check_cover(std::vector<Entry> entries, std::uint64_t data_size, const std::string& file) {
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  std::uint64_t at = 0;
  std::set<std::string_view> names;
  for (const Entry& entry : entries) {
    if (!names.insert(entry.name).second)
      throw Error(file + ": tensor '" + entry.name + "' is there twice");
    if (entry.begin != at || entry.end < entry.begin) {
      throw Error(file + ": tensor '" + entry.name + "' starts at data byte " +
                  std::to_string(entry.begin) + ", expected " + std::to_string(at) +
                  "; the file is damaged");
    }
    at = entry.end;
  }
  if (at != data_size) {
    throw Error(file + ": the tensors need " + std::to_string(at) +
                " bytes of data, the file has " + std::to_string(data_size) +
                "; it is cut off or damaged");
  }
}

}  // namespace

void write_safetensors(const std::filesystem::path& file, const NamedTensors& tensors,
                       const std::map<std::string, std::string>& metadata) {
  std::string header = "{";
  if (!metadata.empty()) {
    header += "\"__metadata__\":{";
    for (const auto& [key, value] : metadata)
      header += json_string(key) + ":" + json_string(value) + ",";
    header.back() = '}';
    header += ',';
  }
  std::vector<at::Tensor> flat;
  std::uint64_t offset = 0;
  auto order = tensors;  // like the reference: larger elements first, so that each is aligned
  std::stable_sort(order.begin(), order.end(), [](const NamedTensor& a, const NamedTensor& b) {
    return a.second.element_size() > b.second.element_size();
  });
  for (const auto& [name, tensor] : order) {
    flat.push_back(tensor.detach().to(at::kCPU).contiguous());
    const auto end = offset + static_cast<std::uint64_t>(flat.back().nbytes());
    header += json_string(name) + ":{\"dtype\":\"" +
              std::string(name_of(tensor.scalar_type(), name)) + "\",\"shape\":[";
    for (const std::int64_t size : tensor.sizes()) header += std::to_string(size) + ",";
    if (tensor.dim() > 0) header.pop_back();
    header += "],\"data_offsets\":[" + std::to_string(offset) + "," + std::to_string(end) + "]},";
    offset = end;
  }
  if (header.back() == ',') header.pop_back();
  header += '}';
  header.resize((header.size() + 7) / 8 * 8, ' ');
  AtomicFile out(file);
  const std::uint64_t size = header.size();
  out.write(&size, sizeof size);
  out.write(header.data(), header.size());
  for (const at::Tensor& tensor : flat) out.write(tensor.const_data_ptr(), tensor.nbytes());
  out.commit();
}

TensorMap read_safetensors(const std::filesystem::path& path) {
  const std::string file = path.string();
  std::ifstream in(path, std::ios::binary);
  if (!in) throw Error(file + ": can't open it: " + std::strerror(errno));
  const std::uint64_t size = std::filesystem::file_size(path);
  std::uint64_t header_size = 0;
  if (size < 8 || !in.read(reinterpret_cast<char*>(&header_size), 8) || header_size > kMaxHeader ||
      header_size > size - 8) {
    throw Error(file + ": not a safetensors file: " + std::to_string(size) + " bytes, header of " +
                std::to_string(header_size));
  }
  std::string header(header_size, '\0');
  in.read(header.data(), static_cast<std::streamsize>(header_size));
  const std::vector<Entry> entries = HeaderReader(header, file).read();
  check_cover(entries, size - 8 - header_size, file);
  TensorMap tensors;
  for (const Entry& entry : entries) {
    const at::ScalarType type = type_of(entry, file);
    if (bytes_of(entry, type, file) != entry.end - entry.begin) {
      throw Error(file + ": tensor '" + entry.name + "': shape and number of bytes disagree");
    }
    at::Tensor tensor = at::empty(entry.shape, type);
    in.seekg(static_cast<std::streamoff>(8 + header_size + entry.begin));
    if (!in.read(static_cast<char*>(tensor.mutable_data_ptr()),
                 static_cast<std::streamsize>(tensor.nbytes()))) {
      throw Error(file + ": can't read tensor '" + entry.name + "'");
    }
    tensors.emplace(entry.name, std::move(tensor));
  }
  return tensors;
}

}  // namespace paribus
