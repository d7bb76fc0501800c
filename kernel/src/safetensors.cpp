// SPDX-License-Identifier: Apache-2.0
// The safetensors format: u64 length, JSON header, data. https://github.com/huggingface/safetensors
#include "safetensors.h"

#include <ATen/Functions.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <set>

#include "atomic_file.h"
#include "paribus/error.h"

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

std::string safetensors_type(const at::Tensor& tensor, const std::string& name) {
  for (const TypeName& known : kTypes) {
    if (known.type == tensor.scalar_type()) return std::string(known.name);
  }
  throw Error("safetensors: tensor '" + name + "' has the type " +
              c10::toString(tensor.scalar_type()) + ", which the format lacks");
}

std::string safetensors_shape(const at::Tensor& tensor) {
  std::string text = "[";
  for (const std::int64_t size : tensor.sizes()) text += std::to_string(size) + ",";
  if (tensor.dim() > 0) text.pop_back();
  return text + "]";
}

/// Strides overflow even where a dimension of size 0 makes the tensor empty.
at::Tensor empty_tensor(const SafetensorsEntry& entry, const std::string& file) {
  const auto* known = std::find_if(kTypes.begin(), kTypes.end(),
                                   [&](const TypeName& type) { return type.name == entry.type; });
  if (known == kTypes.end()) {
    throw Error(file + ": tensor '" + entry.name + "' has the type '" + entry.type +
                "', expected one of F64 F32 F16 BF16 I64 I32 I16 I8 U8 BOOL C64");
  }
  auto stride = static_cast<std::int64_t>(c10::elementSize(known->type));
  bool empty = false;
  for (const std::int64_t size : entry.shape) {
    empty = empty || size == 0;
    if (__builtin_mul_overflow(stride, std::max<std::int64_t>(size, 1), &stride)) {
      throw Error(file + ": tensor '" + entry.name + "' is larger than memory can be");
    }
  }
  if ((empty ? 0 : static_cast<std::uint64_t>(stride)) != entry.end - entry.begin)
    throw Error(file + ": tensor '" + entry.name + "': shape and number of bytes disagree");
  return at::empty(entry.shape, known->type);
}

SafetensorsImage safetensors_image(const std::filesystem::path& file, NamedTensors tensors,
                                   const SafetensorsMetadata& metadata) {
  check_names(tensors, file);
  std::string header = "{";
  if (!metadata.empty()) {
    header += "\"__metadata__\":{";
    for (const auto& [key, value] : metadata)
      header += json_string(key) + ":" + json_string(value) + ",";
    header.back() = '}';
    header += ',';
  }
  SafetensorsImage image;
  std::uint64_t offset = 0;
  // Like the reference: larger elements first, so that each is aligned.
  std::stable_sort(tensors.begin(), tensors.end(), [](const NamedTensor& a, const NamedTensor& b) {
    return a.second.element_size() > b.second.element_size();
  });
  for (const auto& [name, tensor] : tensors) {
    image.data.push_back(tensor.detach().to(at::kCPU).contiguous());
    const auto end = offset + static_cast<std::uint64_t>(image.data.back().nbytes());
    header += json_string(name) + ":{\"dtype\":\"" + safetensors_type(tensor, name) +
              "\",\"shape\":" + safetensors_shape(tensor) + ",\"data_offsets\":[" +
              std::to_string(offset) + "," + std::to_string(end) + "]},";
    offset = end;
  }
  if (header.back() == ',') header.pop_back();
  header += '}';
  header.resize((header.size() + 7) / 8 * 8, ' ');
  image.header = std::move(header);
  return image;
}

void SafetensorsImage::write(const std::filesystem::path& file) const {
  AtomicFile out(file);
  const std::uint64_t size = header.size();
  out.write(&size, sizeof size);
  out.write(header.data(), header.size());
  for (const at::Tensor& tensor : data) out.write(tensor.const_data_ptr(), tensor.nbytes());
  out.commit();
}

std::int64_t SafetensorsImage::bytes() const {
  std::size_t size = 8 + header.size();
  for (const at::Tensor& tensor : data) size += tensor.nbytes();
  return static_cast<std::int64_t>(size);
}

void write_safetensors(const std::filesystem::path& file, const NamedTensors& tensors,
                       const std::map<std::string, std::string>& metadata) {
  safetensors_image(file, tensors, {metadata.begin(), metadata.end()}).write(file);
}

TensorMap read_safetensors(const std::filesystem::path& path) {
  SafetensorsMetadata metadata;
  return read_safetensors(path, metadata);
}

TensorMap read_safetensors(const std::filesystem::path& path, SafetensorsMetadata& metadata) {
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
  const std::vector<Entry> entries = read_safetensors_header(header, file, metadata);
  check_cover(entries, size - 8 - header_size, file);
  TensorMap tensors;
  for (const Entry& entry : entries) {
    at::Tensor tensor = empty_tensor(entry, file);
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
