// SPDX-License-Identifier: Apache-2.0
#include "parts.h"

#include <dlfcn.h>

#include <cstdlib>

#include "registry/sha256.h"
#include "study/resolve.h"

namespace paribus::python {
namespace {

std::string plugins_named() {
  const char* path = std::getenv("PARIBUS_PLUGINS");
  return path == nullptr ? "" : path;
}

Config table_of(const py::dict& dict) {
  Config table;
  for (const auto& [key, value] : dict)
    table.set(py::str(key).cast<std::string>(), {}, config_of(value));
  return table;
}

/// This library is the bridge, too.
void make_python_part(registry::Loader& loader, registry::PartSchema part) {
  Dl_info about{};
  ::dladdr(reinterpret_cast<void*>(&make_python_part), &about);
  part.plugin = about.dli_fname;
  loader.load_file(part.plugin, registry::sha256_of_file(part.plugin), /*sealed=*/false);
  loader.make(part, part.made_from.dump());
}

}  // namespace

Config config_of(const py::handle& value) {
  if (py::isinstance<py::bool_>(value)) return {value.cast<bool>(), {}};
  if (py::isinstance<py::int_>(value)) return {value.cast<std::int64_t>(), {}};
  if (py::isinstance<py::float_>(value)) return {value.cast<double>(), {}};
  if (py::isinstance<py::str>(value)) return {value.cast<std::string>(), {}};
  if (py::isinstance<py::dict>(value)) return table_of(value.cast<py::dict>());
  if (py::isinstance<py::list>(value) || py::isinstance<py::tuple>(value)) {
    Config::List list;
    for (const auto& element : value.cast<py::sequence>()) list.push_back(config_of(element));
    return {std::move(list), {}};
  }
  throw py::type_error(std::string("a parameter is ") + Py_TYPE(value.ptr())->tp_name +
                       ", expected a number, a text, a list or a part");
}

Parts& Parts::here() {
  static auto* parts = new Parts;  // never destroyed: what it made may outlive the interpreter
  return *parts;
}

const registry::Catalog& Parts::catalog() {
  const std::string path = plugins_named();
  if (catalog_ && path == path_) return *catalog_;
  catalog_ = std::make_unique<registry::Catalog>(
      registry::Catalog::scan(registry::Catalog::search_path({})));
  path_ = path;
  return *catalog_;
}

PartSpec Parts::resolved(const std::string& kind, const std::string& address,
                         const py::handle& table) {
  Problems problems("");
  Resolver resolver(catalog(), problems);
  const Config config = config_of(table);
  auto part = resolver.part(kind, address, &config, "", {});
  problems.raise();
  return std::move(*part);
}

void Parts::load(const registry::PartSchema& part) {
  if (part.made_from.is_null())
    loader_.load(part);
  else
    make_python_part(loader_, part);  // anew: a notebook may have written its class once more
}

void Parts::load(const PartSpec& part, const registry::Catalog& catalog) {
  if (const registry::PartSchema* schema = catalog.find(part.kind, part.use)) load(*schema);
  for (const auto& [name, inner] : part.slots) load(inner, catalog);
}

std::unique_ptr<Instance> Parts::made(const std::string& kind, const std::string& address,
                                      const py::handle& table) {
  const PartSpec spec = resolved(kind, address, table);
  load(spec, catalog());
  return std::make_unique<Instance>(spec, loader_);
}

}  // namespace paribus::python
