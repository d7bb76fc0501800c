// SPDX-License-Identifier: Apache-2.0
#include "registry/schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <string_view>

#include "paribus/error.h"
#include "registry/catalog.h"
#include "registry/nearest.h"

namespace paribus::registry {
namespace {

using nlohmann::json;

// A manifest made by the kernel's macro has at most 16 KiB; these bounds only keep a hostile one
// from growing.
constexpr std::size_t kMaxName = 64;
constexpr std::size_t kMaxWord = 256;
constexpr std::size_t kMaxText = 4096;
constexpr std::size_t kMaxItems = 256;

constexpr std::array<std::pair<std::string_view, FieldType>, 6> kTypes{
    {{"bool", FieldType::boolean},
     {"int", FieldType::integer},
     {"float", FieldType::real},
     {"string", FieldType::text},
     {"list", FieldType::list},
     {"part", FieldType::part}}};

/// One object of a manifest and where it stands, so that each complaint names the key.
struct Reader {
  const json& object;
  std::string where;

  [[noreturn]] void fail(std::string_view key, const std::string& what) const {
    throw Error(fmt::format("manifest: {}'{}' {}", where, key, what));
  }
  [[nodiscard]] const json* find(std::string_view key) const {
    const auto found = object.find(key);
    return found == object.end() ? nullptr : &*found;
  }
  [[nodiscard]] const json& at(std::string_view key) const {
    const json* found = find(key);
    if (found == nullptr) fail(key, "is missing");
    return *found;
  }
  [[nodiscard]] const json& list(std::string_view key, std::size_t most = kMaxItems) const {
    const json& found = at(key);
    if (!found.is_array())
      fail(key, fmt::format("is not a list but of type {}", found.type_name()));
    if (found.size() > most)
      fail(key, fmt::format("has {} entries, expected at most {}", found.size(), most));
    return found;
  }
};

/// Manifests are shown on terminals: a control character could rewrite what stands there.
bool has_control(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if ((c < 0x20 && c != '\n') || c == 0x7F) return true;
    const bool c1 =
        c == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0;
    if (c1) return true;
  }
  return false;
}

std::string text_of(const Reader& reader, std::string_view key, const json& value,
                    std::size_t most) {
  if (!value.is_string())
    reader.fail(key, fmt::format("is not a text but of type {}", value.type_name()));
  const auto& text = value.get_ref<const std::string&>();
  if (text.size() > most)
    reader.fail(key, fmt::format("has {} bytes, expected at most {}", text.size(), most));
  if (has_control(text)) reader.fail(key, "holds a control character");
  return text;
}

std::string text(const Reader& reader, std::string_view key, std::size_t most) {
  return text_of(reader, key, reader.at(key), most);
}

std::string text_if_any(const Reader& reader, std::string_view key, std::size_t most) {
  return reader.find(key) == nullptr ? "" : text(reader, key, most);
}

std::vector<std::string> texts(const Reader& reader, std::string_view key) {
  std::vector<std::string> result;
  if (reader.find(key) == nullptr) return result;
  for (const json& entry : reader.list(key))
    result.push_back(text_of(reader, key, entry, kMaxWord));
  return result;
}

bool flag(const Reader& reader, std::string_view key) {
  const json* found = reader.find(key);
  if (found == nullptr) return false;
  if (!found->is_boolean()) reader.fail(key, "is neither true nor false");
  return found->get<bool>();
}

bool is_name(std::string_view name) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  };
  return !name.empty() && name.front() >= 'a' && name.front() <= 'z' &&
         std::all_of(name.begin(), name.end(), fits);
}

bool is_symbol(std::string_view symbol) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  return symbol.starts_with("paribus_part_") && std::all_of(symbol.begin(), symbol.end(), fits);
}

std::string name_of(const Reader& reader, std::string_view key) {
  std::string name = text(reader, key, kMaxName);
  if (!is_name(name))
    reader.fail(key, fmt::format("is '{}', expected lower-case letters, digits and _", name));
  return name;
}

double number_of(const Reader& reader, std::string_view key, const json& value) {
  if (value.is_number()) return value.get<double>();
  if (value == "nan") return std::numeric_limits<double>::quiet_NaN();
  if (value == "inf") return std::numeric_limits<double>::infinity();
  if (value == "-inf") return -std::numeric_limits<double>::infinity();
  reader.fail(key, "is neither a number nor \"nan\", \"inf\" or \"-inf\"");
}

std::int64_t integer_of(const Reader& reader, std::string_view key, const json& value) {
  if (!value.is_number_integer()) reader.fail(key, "is not an integer");
  const bool fits = !value.is_number_unsigned() ||
                    value.get<std::uint64_t>() <= std::numeric_limits<std::int64_t>::max();
  if (!fits) reader.fail(key, "is greater than a 64-bit integer can be");
  return value.get<std::int64_t>();
}

std::optional<double> bound(const Reader& reader, std::string_view key) {
  const json* found = reader.find(key);
  if (found == nullptr) return std::nullopt;
  return number_of(reader, key, *found);
}

Value list_default(const Reader& reader, const FieldSchema& field) {
  const json& list = reader.list("default");
  if (field.of == "int") {
    std::vector<std::int64_t> result;
    for (const json& entry : list) result.push_back(integer_of(reader, "default", entry));
    return result;
  }
  if (field.of == "float") {
    std::vector<double> result;
    for (const json& entry : list) result.push_back(number_of(reader, "default", entry));
    return result;
  }
  std::vector<std::string> result;
  for (const json& entry : list) result.push_back(text_of(reader, "default", entry, kMaxWord));
  return result;
}

Value default_of(const Reader& reader, const FieldSchema& field) {
  const json& value = reader.at("default");
  if (value.is_null()) return {};
  switch (field.type) {
    case FieldType::boolean:
      if (!value.is_boolean()) reader.fail("default", "is neither true nor false");
      return value.get<bool>();
    case FieldType::integer:
      return integer_of(reader, "default", value);
    case FieldType::real:
      return number_of(reader, "default", value);
    case FieldType::list:
      return list_default(reader, field);
    case FieldType::text:
    case FieldType::part:
      return text_of(reader, "default", value, kMaxText);
  }
  return {};
}

FieldType type_of(const Reader& reader) {
  const std::string word = text(reader, "type", kMaxName);
  for (const auto& [name, type] : kTypes) {
    if (name == word) return type;
  }
  reader.fail("type",
              fmt::format("is '{}', expected bool, int, float, string, list or part", word));
}

void check_of(const Reader& reader, const FieldSchema& field) {
  const bool known_element = field.of == "int" || field.of == "float" || field.of == "string";
  if (field.type == FieldType::list && !known_element) {
    reader.fail("of", fmt::format("is '{}', expected int, float or string", field.of));
  }
  const bool known_kind = std::find(kinds().begin(), kinds().end(), field.of) != kinds().end();
  if (field.type == FieldType::part && !known_kind) {
    reader.fail("of", fmt::format("is '{}', which is no kind of part{}", field.of,
                                  did_you_mean(field.of, kinds())));
  }
}

FieldSchema field_from_json(const json& object, std::size_t index) {
  if (!object.is_object())
    throw Error(fmt::format("manifest: entry {} of 'params' is not a table", index));
  FieldSchema field;
  Reader reader{object, fmt::format("in entry {} of 'params', ", index)};
  field.name = name_of(reader, "name");
  reader.where = fmt::format("of parameter '{}', ", field.name);
  field.type = type_of(reader);
  field.of = text_if_any(reader, "of", kMaxName);
  check_of(reader, field);
  field.optional = flag(reader, "optional");
  field.live = flag(reader, "live");
  field.min = bound(reader, "min");
  field.above = bound(reader, "above");
  field.max = bound(reader, "max");
  field.below = bound(reader, "below");
  field.choices = texts(reader, "choices");
  field.unit = text_if_any(reader, "unit", kMaxName);
  field.doc = text(reader, "doc", kMaxText);
  field.default_value = default_of(reader, field);
  try {
    static_cast<void>(checked(field, field.default_value));
  } catch (const Error& problem) {
    reader.fail("default", fmt::format("breaks the parameter's own rule: {}", problem.what()));
  }
  return field;
}

std::string sha256_word(const Reader& reader, std::string_view key) {
  std::string word = text_if_any(reader, key, kMaxName);
  const auto hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  const bool good =
      word.empty() || (word.size() == 64 && std::all_of(word.begin(), word.end(), hex));
  if (!good) reader.fail(key, "is not a SHA-256: expected 64 lower-case hexadecimal digits");
  return word;
}

/// What a manifest names must stay below the data folder.
bool stays_below(std::string_view path) {
  return !path.starts_with('/') && path != ".." && !path.starts_with("../") &&
         !path.ends_with("/..") && path.find("/../") == std::string_view::npos &&
         path.find('\\') == std::string_view::npos;
}

FileSchema file_from_json(const json& object, std::size_t index) {
  if (!object.is_object())
    throw Error(fmt::format("manifest: entry {} of 'files' is not a table", index));
  const Reader reader{object, fmt::format("in entry {} of 'files', ", index)};
  FileSchema file;
  file.name = text(reader, "name", kMaxWord);
  const bool plain = !file.name.empty() && file.name != "." && stays_below(file.name) &&
                     file.name.find('/') == std::string::npos;
  if (!plain)
    reader.fail("name", fmt::format("is '{}', expected the plain name of a file", file.name));
  file.folder = text(reader, "folder", kMaxWord);
  if (!stays_below(file.folder)) {
    reader.fail("folder",
                fmt::format("is '{}', expected a folder below the data folder", file.folder));
  }
  file.url = text_if_any(reader, "url", kMaxText);
  const bool fetchable = file.url.empty() || file.url.starts_with("https://") ||
                         file.url.starts_with("http://") || file.url.starts_with("file://");
  if (!fetchable)
    reader.fail("url", fmt::format("is '{}', expected https://, http:// or file://", file.url));
  file.sha256 = sha256_word(reader, "sha256");
  file.content = sha256_word(reader, "content");
  file.bytes = integer_of(reader, "bytes", reader.at("bytes"));
  if (file.bytes < 0) reader.fail("bytes", "is negative");
  file.unless = text_if_any(reader, "unless", kMaxName);
  return file;
}

void read_identity(const Reader& reader, PartSchema& part) {
  const json& version = reader.at("paribus");
  if (version != 1)
    reader.fail("paribus",
                fmt::format("(the manifest's version) is {}, expected 1", version.dump()));
  part.kind = name_of(reader, "kind");
  if (std::find(kinds().begin(), kinds().end(), part.kind) == kinds().end()) {
    reader.fail("kind", fmt::format("is '{}', which is no kind of part{}", part.kind,
                                    did_you_mean(part.kind, kinds())));
  }
  part.name = name_of(reader, "name");
  part.doc = text(reader, "doc", kMaxText);
  part.symbol = text(reader, "symbol", kMaxWord);
  if (!is_symbol(part.symbol)) {
    reader.fail("symbol",
                fmt::format("is '{}', expected paribus_part_ and a C++ name", part.symbol));
  }
  part.abi = text(reader, "abi", kMaxName);
  part.libtorch = text(reader, "libtorch", kMaxName);
  part.compiler = text(reader, "compiler", kMaxWord);
  part.cpu = text(reader, "cpu", kMaxName);
}

void read_kind(const Reader& reader, PartSchema& part) {
  part.goal = text_if_any(reader, "goal", kMaxName);
  const bool known = part.goal == "maximize" || part.goal == "minimize";
  if (part.kind == "metric" && !known) {
    reader.fail("goal", fmt::format("is '{}', expected maximize or minimize", part.goal));
  }
  part.unit = text_if_any(reader, "unit", kMaxName);
  part.reads = texts(reader, "reads");
  part.writes = texts(reader, "writes");
  part.adaptive = flag(reader, "adaptive");
  if (reader.find("files") == nullptr) return;
  for (const json& file : reader.list("files"))
    part.files.push_back(file_from_json(file, part.files.size()));
}

}  // namespace

const FieldSchema* PartSchema::field(const std::string& field_name) const {
  for (const FieldSchema& field : fields) {
    if (field.name == field_name) return &field;
  }
  return nullptr;
}

PartSchema schema_from_json(const json& manifest) {
  if (!manifest.is_object()) throw Error("manifest: is not a JSON object");
  const Reader reader{manifest, ""};
  PartSchema part;
  read_identity(reader, part);
  read_kind(reader, part);
  for (const json& object : reader.list("params")) {
    FieldSchema field = field_from_json(object, part.fields.size());
    if (part.field(field.name) != nullptr)
      reader.fail("params", fmt::format("has two of name '{}'", field.name));
    part.fields.push_back(std::move(field));
  }
  for (const FileSchema& file : part.files) {
    const bool known = file.unless.empty() || part.field(file.unless) != nullptr;
    if (!known)
      reader.fail("files", fmt::format("asks for '{}' unless '{}', which is no parameter",
                                       file.name, file.unless));
  }
  return part;
}

}  // namespace paribus::registry
