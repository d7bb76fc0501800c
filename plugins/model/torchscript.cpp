// SPDX-License-Identifier: Apache-2.0
#include <paribus/error.h>
#include <paribus/model_base.h>
#include <paribus/part.h>
#include <torch/csrc/jit/python/update_graph_executor_opt.h>
#include <torch/csrc/jit/runtime/graph_executor.h>
#include <torch/script.h>

#include <filesystem>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr std::uintmax_t kMaxBytes = std::uintmax_t{8} << 30;

/// The first line of what went wrong, of LibTorch without its stack.
std::string first_line(const std::exception& problem) {
  const auto* torchs = dynamic_cast<const c10::Error*>(&problem);
  const std::string text = torchs != nullptr ? torchs->what_without_backtrace() : problem.what();
  return text.substr(0, text.find('\n'));
}

}  // namespace

/// A network as torch.jit.script or trace saved it. It begins with the weights in the file, which
/// are alike for every seed; those that want no gradient stay as they are. The interpreter runs it
/// without fusing or profiling: the same bits in the first step and the last.
struct TorchScript : paribus::Model {
  struct Params {
    std::string_view file;
    static constexpr auto fields() {
      return std::tuple{paribus::field("file", &Params::file, "what torch.jit.save wrote")};
    }
  } params;

  void build(const paribus::DataSpec& data) override {
    const std::string file(params.file);
    if (file.empty()) throw paribus::Error("model/torchscript: no file is given; set file");
    std::error_code none;
    const auto size = std::filesystem::file_size(file, none);
    if (none) fail("can't be read (" + none.message() + ")");
    if (size > kMaxBytes) fail("is larger than " + std::to_string(kMaxBytes >> 30) + " GiB");
    torch::jit::setGraphExecutorOptimize(false);
    torch::jit::getProfilingMode() = false;
    torch::jit::getExecutorMode() = false;
    try {
      module_ = torch::jit::load(file, at::kCPU);
    } catch (const std::exception& problem) {
      fail("is no TorchScript archive: " + first_line(problem));
    }
    if (weights().empty())
      fail("has no weight that wants a gradient; save it before torch.jit.freeze");
    try_on(data);
  }

  [[nodiscard]] paribus::Outputs outputs(const paribus::Batch& batch) override {
    std::vector<c10::IValue> inputs;
    for (const paribus::Typed& input : batch.inputs) inputs.emplace_back(input.data);
    return results(module_.forward(std::move(inputs)));
  }

  [[nodiscard]] paribus::NamedTensors weights() override { return parameters(true); }
  [[nodiscard]] paribus::NamedTensors buffers_by_name() override {
    paribus::NamedTensors all = parameters(false);
    for (const auto& buffer : module_.named_buffers()) all.emplace_back(buffer.name, buffer.value);
    return all;
  }

  void set_training(bool on) override { module_.train(on); }
  void move_to(const at::Device& device, bool channels_last) override {
    module_.to(device);
    if (!channels_last) return;
    for (at::Tensor weight : module_.parameters()) {
      if (weight.dim() == 4) weight.set_data(weight.contiguous(at::MemoryFormat::ChannelsLast));
    }
  }
  /// As far as weights tell: those of four dimensions.
  [[nodiscard]] bool has_convolutions() const override {
    for (const at::Tensor& one : module_.parameters()) {
      if (one.dim() == 4) return true;
    }
    return false;
  }

 private:
  [[noreturn]] void fail(const std::string& problem) const {
    throw paribus::Error("model/torchscript: " + std::string(params.file) + " " + problem);
  }

  [[nodiscard]] paribus::NamedTensors parameters(bool with_gradient) const {
    paribus::NamedTensors some;
    for (const auto& one : module_.named_parameters()) {
      if (one.value.requires_grad() == with_gradient) some.emplace_back(one.name, one.value);
    }
    return some;
  }

  [[nodiscard]] paribus::Outputs results(const c10::IValue& value) const {
    if (value.isTensor()) return value.toTensor();
    if (!value.isTuple()) fail("returns " + value.type()->str() + ", expected tensors");
    paribus::NamedTensors all;
    for (const c10::IValue& one : value.toTupleRef().elements()) {
      if (!one.isTensor()) fail("returns " + value.type()->str() + ", expected tensors");
      all.emplace_back(all.empty() ? "main" : std::to_string(all.size()), one.toTensor());
    }
    if (all.empty()) fail("returns an empty tuple, expected tensors");
    return paribus::Outputs(std::move(all));
  }

  /// That it takes what the data give, before any step: two items of zeros, in evaluation.
  void try_on(const paribus::DataSpec& data) {
    std::vector<c10::IValue> inputs;
    std::ostringstream shapes;
    for (const paribus::Spec& input : data.inputs) {
      std::vector<std::int64_t> shape{2};
      shape.insert(shape.end(), input.shape.begin(), input.shape.end());
      inputs.emplace_back(at::zeros(shape));
      shapes << at::IntArrayRef(shape);
    }
    const at::NoGradGuard no_gradient;
    try {
      module_.eval();
      static_cast<void>(results(module_.forward(std::move(inputs))));
      module_.train();
    } catch (const std::exception& problem) {
      fail("doesn't take what the data give, floats of " + shapes.str() + ": " +
           first_line(problem));
    }
  }

  torch::jit::Module module_;
};

PARIBUS_PART(TorchScript, "torchscript", "a network saved by torch.jit")
