// SPDX-License-Identifier: Apache-2.0
#include "dataset.h"

#include <ATen/ops/from_blob.h>
#include <fcntl.h>
#include <pybind11/stl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <nlohmann/json.hpp>

#include "paribus/error.h"

namespace paribus::python {
namespace {

using nlohmann::json;

constexpr std::array kTypes{&kImage, &kMask, &kCategory, &kRegression, &kPoints, &kBoxes, &kTensor};

const Type* type_of(const std::string& name) {
  for (const Type* type : kTypes) {
    if (type->name == name) return type;
  }
  return &kTensor;
}

at::ScalarType scalar_of(const std::string& name) {
  if (name == "uint8") return at::kByte;
  if (name == "int64") return at::kLong;
  return at::kFloat;
}

void put(int file, const void* data, std::size_t size) {
  const char* from = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t written = ::write(file, from, size);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) throw Error(std::string("no room for its items: ") + ::strerror(errno));
    from += written, size -= static_cast<std::size_t>(written);
  }
}

/// Head and tensors: the length of the head, the head, then each column from a multiple of 64 on.
class Mapped {
 public:
  explicit Mapped(int file) {
    size_ = static_cast<std::size_t>(::lseek(file, 0, SEEK_END));
    void* all = ::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
    if (all == MAP_FAILED) throw Error(std::string("can't map its items: ") + ::strerror(errno));
    data_ = static_cast<char*>(all);  // as long as the process: tensors point into it
    std::uint64_t length = 0;
    std::memcpy(&length, data_, sizeof length);
    if (length > size_ - sizeof length) throw Error("its items have a head that ends nowhere");
    head_ = json::parse(std::string(data_ + sizeof length, length));
  }
  [[nodiscard]] const json& head() const { return head_; }
  [[nodiscard]] at::Tensor tensor(const json& about) const {
    const auto shape = about.at("shape").get<std::vector<std::int64_t>>();
    const auto offset = about.at("offset").get<std::size_t>();
    const at::ScalarType dtype = scalar_of(about.at("dtype"));
    std::size_t bytes = at::elementSize(dtype);
    for (const std::int64_t extent : shape) bytes *= static_cast<std::size_t>(extent);
    if (offset > size_ || bytes > size_ - offset) throw Error("its items end before a column does");
    return at::from_blob(data_ + offset, shape, at::TensorOptions().dtype(dtype));
  }

 private:
  char* data_ = nullptr;
  std::size_t size_ = 0;
  json head_;
};

/// What a pipe gives until its other end is closed.
std::string all_of(int pipe) {
  std::string text;
  std::array<char, 4096> buffer{};
  while (true) {
    const ssize_t count = ::read(pipe, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(count));
  }
}

struct File {
  int number = ::memfd_create("paribus-items", MFD_CLOEXEC);
  ~File() { ::close(number); }
};

}  // namespace

void PythonDataset::write(int file) const {
  on([&](py::object& adapter) {
    const py::tuple all = adapter.attr("columns")();
    const auto head = all[0].cast<std::string>();
    const std::uint64_t length = head.size();
    put(file, &length, sizeof length);
    put(file, head.data(), head.size());
    for (const auto& entry : all[1].cast<py::list>()) {
      const at::Tensor tensor = unwrap(entry, "a column").contiguous();
      const off_t end = ::lseek(file, 0, SEEK_CUR);
      ::lseek(file, (end + 63) / 64 * 64, SEEK_SET);
      put(file, tensor.const_data_ptr(), tensor.nbytes());
    }
  });
}

void PythonDataset::write_apart(int file) const {
  std::array<int, 2> words{};
  if (::pipe2(words.data(), O_CLOEXEC) != 0) throw Error(recipe().who() + ": " + ::strerror(errno));
  start();
  const pid_t child = ::fork();
  if (child < 0) throw Error(recipe().who() + ": can't fork: " + ::strerror(errno));
  if (child == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::close(words[0]);
    try {
      write(file);
      ::_exit(0);
    } catch (const std::exception& problem) {
      const std::string text = problem.what();
      [[maybe_unused]] const ssize_t told = ::write(words[1], text.data(), text.size());
    }
    ::_exit(1);
  }
  ::close(words[1]);
  const std::string told = all_of(words[0]);
  ::close(words[0]);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!told.empty()) throw Error(told);
  if (WIFSIGNALED(status)) {
    throw Error(recipe().who() +
                ": it crashed while its items were read: " + ::strsignal(WTERMSIG(status)));
  }
  if (status != 0) throw Error(recipe().who() + ": it ended the process that read its items");
}

void PythonDataset::open(const Files& /*files*/) {
  const File items;
  if (items.number < 0) throw Error(recipe().who() + ": " + ::strerror(errno));
  if (is_guest())
    write(items.number);  // a program of Python's own can't be forked: it may have threads
  else
    write_apart(items.number);
  const Mapped columns(items.number);
  const json& head = columns.head();
  train = {columns.tensor(head.at("columns").at(0)), columns.tensor(head.at("columns").at(1))};
  valid = {columns.tensor(head.at("columns").at(2)), columns.tensor(head.at("columns").at(3))};
  about.inputs = {{type_of(head.at("types").at(0)), {}}};
  about.targets = {{type_of(head.at("types").at(1)), {}}};
  about.classes = head.at("classes");
  head.at("mean").get_to(about.mean);
  head.at("std").get_to(about.std);
}

}  // namespace paribus::python
