// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the tests of data sets and transforms share.

#include <gtest/gtest.h>
#include <zlib.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <string>

#include "../errors.h"
#include "paribus/dataset.h"
#include "paribus/factory.h"
#include "paribus/transform.h"
#include "registry/elf.h"
#include "registry/loader/loader.h"
#include "registry/manifest.h"

namespace paribus::test {

namespace fs = std::filesystem;

inline registry::PartSchema schema_of(const std::string& kind, const std::string& name) {
  const fs::path file = fs::path(PARIBUS_PLUGIN_DIR) / (kind + "_" + name + ".so");
  registry::PartSchema schema = registry::parse_manifests(registry::read_section(file).text).at(0);
  schema.plugin = file;
  return schema;
}

/// A part as the program would build it, from its plugin.
inline Instance make(const std::string& kind, const std::string& name,
                     std::map<std::string, Value> params = {}) {
  static registry::Loader loader;
  loader.load(schema_of(kind, name));
  PartSpec spec;
  spec.kind = kind;
  spec.use = name;
  spec.address = kind;
  spec.params = std::move(params);
  return Instance(spec, loader);
}

/// A folder of the test's own, removed with it.
class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "paribus-test-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw Error("no temporary folder");
    path_ = name;
  }
  ~Folder() { fs::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  [[nodiscard]] const fs::path& path() const { return path_; }
  std::string write(const std::string& name, const std::string& bytes) const {
    fs::create_directories((path_ / name).parent_path());
    std::ofstream(path_ / name, std::ios::binary) << bytes;
    return (path_ / name).string();
  }

 private:
  fs::path path_;
};

inline std::string gzipped(const std::string& bytes) {
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, bytes.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

/// `bytes` cut, or with some bytes changed, for readers that must take anything.
inline std::string damaged(std::string bytes, std::mt19937& random) {
  if (random() % 2 == 0) bytes.resize(random() % (bytes.size() + 1));
  for (unsigned i = random() % 4; i > 0 && !bytes.empty(); --i)
    bytes[random() % bytes.size()] = static_cast<char>(random());
  return bytes;
}

/// True if `read` succeeds; false if it throws an Error; anything else ends the test.
template <class Read>
bool reads(Read read) {
  try {
    read();
    return true;
  } catch (const Error&) {
    return false;
  }
}

/// A folder of real data: below $PARIBUS_DATA, else beside the repository in shared/data; empty if
/// there is none.
inline fs::path data_folder(const std::string& name) {
  const char* given = std::getenv("PARIBUS_DATA");
  const fs::path root =
      given != nullptr ? fs::path(given) : fs::path(PARIBUS_TEST_DIR) / "../../../shared/data";
  return fs::is_directory(root / name) ? root / name : fs::path();
}

inline bool on_ci() {
  const char* ci = std::getenv("CI");
  return ci != nullptr && std::string(ci) == "true";
}

/// First line of a test on real data: without them it counts as skipped, and as failed where
/// CI=true.
#define REAL_DATA(folder, name)                                            \
  const paribus::test::fs::path folder = paribus::test::data_folder(name); \
  if (folder.empty() && paribus::test::on_ci())                            \
    FAIL() << "no folder " << (name) << "; set PARIBUS_DATA";              \
  if (folder.empty())                                                      \
  GTEST_SKIP() << "no folder " << (name) << " below $PARIBUS_DATA or ../shared/data"

/// A batch of images with given item numbers.
inline Batch batch_of(const at::Tensor& images, std::vector<std::int64_t> items,
                      Split split = Split::train) {
  Batch batch;
  batch.inputs = {{images.clone(), &kImage}};
  batch.items = std::move(items);
  batch.split = split;
  return batch;
}

/// What a data set of images N C H W states.
inline DataSpec spec_of(std::vector<std::int64_t> shape, std::vector<double> mean = {},
                        std::vector<double> std = {}) {
  DataSpec spec;
  spec.inputs = {{&kImage, std::move(shape)}};
  spec.mean = std::move(mean);
  spec.std = std::move(std);
  return spec;
}

}  // namespace paribus::test
