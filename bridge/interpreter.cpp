// SPDX-License-Identifier: Apache-2.0
#include "interpreter.h"

#include <ATen/Parallel.h>
#include <dlfcn.h>
#include <pthread.h>
#include <torch/csrc/autograd/python_variable.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>

#include "stacks.h"
#include "views.h"

namespace paribus::python {
namespace {

Setting setting;
bool started = false, joined = false;
std::atomic<bool> forked{false};
PyThreadState* resting = nullptr;   // that of the thread that started it, between locks
py::module_* our_module = nullptr;  // never destroyed: the interpreter isn't, either

/// Modules of Python look up its symbols where all libraries do.
void share_symbols() {
  Dl_info about{};
  if (::dladdr(reinterpret_cast<void*>(&Py_IsInitialized), &about) != 0)
    ::dlopen(about.dli_fname, RTLD_NOW | RTLD_GLOBAL | RTLD_NOLOAD);
}

void check(const PyStatus& status, const char* what) {
  if (PyStatus_Exception(status) == 0) return;
  throw Error(std::string("Python can't be started: ") + what + ": " +
              (status.err_msg == nullptr ? "no reason given" : status.err_msg));
}

/// Signals, the environment's threads and the order of sets are the trial's, not Python's.
void initialize() {
  ::setenv("OPENBLAS_NUM_THREADS", "1", 1);  // a pool would be started by `import numpy`
  PyConfig config;
  PyConfig_InitPythonConfig(&config);
  config.install_signal_handlers = 0;
  config.write_bytecode = 0;
  config.parse_argv = 0;
  config.safe_path = 1;
  config.use_hash_seed = 1;
  config.hash_seed = 0;
  check(PyConfig_SetBytesString(&config, &config.program_name, setting.program.c_str()),
        "its name");
  const PyStatus status = Py_InitializeFromConfig(&config);
  PyConfig_Clear(&config);
  check(status, setting.program.c_str());
}

/// Two LibTorches in a process would not know each other's tensors.
void check_torch(const py::module_& torch) {
  namespace fs = std::filesystem;
  Dl_info about{};
  ::dladdr(reinterpret_cast<void*>(&at::get_num_threads), &about);
  const fs::path ours = fs::weakly_canonical(about.dli_fname).parent_path();
  const fs::path file = torch.attr("__file__").cast<std::string>();
  const fs::path theirs = fs::weakly_canonical(file.parent_path() / "lib");
  if (ours == theirs) return;
  throw Error("Python's torch is at " + theirs.string() + ", this Paribus runs with " +
              ours.string() +
              ": one process can't hold both; name the interpreter that Paribus "
              "was built with in $PARIBUS_PYTHON, or build Paribus against this torch");
}

void register_views() {
  static PyModuleDef definition;
  py::module_ module = py::module_::create_extension_module("_paribus", nullptr, &definition);
  add_views(module);
  py::module_::import("sys").attr("modules")["_paribus"] = module;
}

void import_ours() {
  py::list path = py::module_::import("sys").attr("path");
  path.insert(0, setting.package);
  check_torch(py::module_::import("torch"));
  register_views();
  our_module = new py::module_(py::module_::import("paribus.bridge"));
  py::list full;
  for (const std::string& entry : setting.path) full.append(entry);
  py::module_::import("sys").attr("path") = full;
  const auto gc = py::module_::import("gc");
  gc.attr("collect")();
  gc.attr("freeze")();  // forks share its pages as long as nobody walks over them
}

/// After a fork the interpreter's locks and thread are those of the parent.
void adopt() {
  forked = false;
  PyEval_RestoreThread(resting);
  PyOS_AfterFork_Child();
  resting = PyEval_SaveThread();
  tell_stacks();
}

}  // namespace

void use(const Setting& wanted) {
  if (!started) setting = wanted;
}

void start() {
  if (started) return;
  share_symbols();
  const bool is_ours = Py_IsInitialized() == 0;
  if (is_ours) initialize();
  try {
    const py::gil_scoped_acquire lock;
    import_ours();
  } catch (py::error_already_set& raised) {
    throw Error(std::string("Python can't be used: ") + raised.what());
  }
  if (is_ours) resting = PyEval_SaveThread();
  ::pthread_atfork(nullptr, nullptr, [] { forked = true; });
  started = true;
  tell_stacks();
}

void join(py::module_& module) {
  if (started) return;
  check_torch(py::module_::import("torch"));
  add_views(module);
  our_module = new py::module_(py::module_::import("paribus.bridge"));
  started = joined = true;
}

bool is_guest() { return joined; }

Lock::Lock() {
  start();
  if (forked && resting != nullptr) adopt();
  state_ = PyGILState_Ensure();
}

Lock::~Lock() { PyGILState_Release(state_); }

py::module_& ours() { return *our_module; }

void rethrow(const std::string& who, py::error_already_set& raised) {
  std::string text;
  try {
    text = ours().attr("told")(raised.value(), raised.trace()).cast<std::string>();
  } catch (const std::exception&) {
    text = raised.what();
  }
  throw Error(who + ": " + text);
}

py::object wrap(const at::Tensor& tensor) {
  return py::reinterpret_steal<py::object>(THPVariable_Wrap(tensor));
}

at::Tensor unwrap(const py::handle& object, const char* what) {
  if (THPVariable_Check(object.ptr())) return THPVariable_Unpack(object.ptr());
  throw py::type_error(std::string(what) + " is " + Py_TYPE(object.ptr())->tp_name +
                       ", expected a tensor");
}

}  // namespace paribus::python
