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
#include "safetensors_header.h"

namespace paribus {
namespace {

using Entry = SafetensorsEntry;

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

at::ScalarType type_of(const Entry& entry, const std::string& file) {
  for (const TypeName& known : kTypes) {
    if (known.name == entry.type) return known.type;
  }
  throw Error(file + ": tensor '" + entry.name + "' has the type '" + entry.type +
              "', expected one of F64 F32 F16 BF16 I64 I32 I16 I8 U8 BOOL C64");
}

/// Bytes that the shape needs. Strides overflow even where a dimension of size 0 makes the tensor
/// empty.
std::uint64_t bytes_of(const Entry& entry, at::ScalarType type, const std::string& file) {
  auto stride = static_cast<std::int64_t>(c10::elementSize(type));
  bool empty = false;
  for (const std::int64_t size : entry.shape) {
    empty = empty || size == 0;
    if (__builtin_mul_overflow(stride, std::max<std::int64_t>(size, 1), &stride)) {
      throw Error(file + ": tensor '" + entry.name + "' is larger than memory can be");
    }
  }
  return empty ? 0 : static_cast<std::uint64_t>(stride);
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

/// What no reader would take must not replace a file that can be read.
void check_names(const NamedTensors& tensors, const std::filesystem::path& file) {
  std::set<std::string_view> names;
  for (const auto& [name, tensor] : tensors) {
    if (!names.insert(name).second || name == "__metadata__") {
      throw Error(file.string() + ": can't write it: two tensors are named '" + name + "'");
    }
    if (!is_utf8(name))
      throw Error(file.string() + ": can't write it: a tensor's name isn't UTF-8");
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
  check_names(tensors, file);
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
  std::error_code problem;
  const std::uint64_t size = std::filesystem::file_size(path, problem);
  if (problem) throw Error(file + ": can't read it: " + problem.message());
  std::uint64_t header_size = 0;
  if (size < 8 || !in.read(reinterpret_cast<char*>(&header_size), 8) || header_size > kMaxHeader ||
      header_size > size - 8) {
    throw Error(file + ": not a safetensors file: it has " + std::to_string(size) +
                " bytes, expected 8 and a header of " + std::to_string(header_size));
  }
  std::string header(header_size, '\0');
  in.read(header.data(), static_cast<std::streamsize>(header_size));
  const std::vector<Entry> entries = read_safetensors_header(header, file);
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
