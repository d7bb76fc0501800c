// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <paribus/checkpoint.h>
#include <paribus/model.h>

#include <iostream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace paribus::models {

/// The number of outputs that the data ask for.
inline std::int64_t outputs_for(const DataSpec& data) {
  return data.classes > 0 ? data.classes : elements(data.targets.front().shape);
}

/// The input's channels, height and width. Throws Error unless it is an image of at least `least`
/// pixels each way.
inline const std::vector<std::int64_t>& image_shape(const std::string& who, const DataSpec& data,
                                                    std::int64_t least) {
  const Spec& input = data.inputs.front();
  if (input.type->is(kImage) && input.shape.size() == 3 && input.shape[1] >= least &&
      input.shape[2] >= least)
    return input.shape;
  std::string got;
  for (const std::int64_t size : input.shape)
    got += (got.empty() ? "" : " x ") + std::to_string(size);
  const std::string side = std::to_string(least);
  throw Error("model/" + who + ": the input is " + std::string(input.type->name) + " of " + got +
              ", expected an image C H W of at least " + side + " x " + side +
              "; for smaller ones take convnet");
}

/// What came of the tensors of a file.
struct Taken {
  std::vector<std::string> matched, fresh, unused;
};

namespace detail {

inline std::string shape_text(const at::Tensor& tensor) {
  std::ostringstream text;
  text << tensor.sizes();
  return text.str();
}

/// Weights of a first convolution of colours, for one channel of grey: their sum.
inline at::Tensor fitted(const at::Tensor& given, const at::Tensor& own) {
  const bool grey = given.dim() == 4 && own.dim() == 4 && given.size(1) == 3 && own.size(1) == 1 &&
                    given.size(0) == own.size(0) && given.sizes().slice(2) == own.sizes().slice(2);
  return grey ? given.sum(1, /*keepdim=*/true) : given;
}

inline std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < names.size() && i < 5; ++i) text += (i == 0 ? "" : ", ") + names[i];
  if (names.size() > 5) text += " and " + std::to_string(names.size() - 5) + " more";
  return text;
}

}  // namespace detail

/// Fills a network's weights and running statistics by name from a safetensors file. Those below
/// `head` keep what they were made with where the file has none of their shape (other classes); all
/// others must be there. What the file has beside that is not used. Throws Error naming the file
/// and the tensors that are missing, of another shape or not finite.
inline Taken load_pretrained(const std::string& who, const std::string& file,
                             torch::nn::Module& net, std::string_view head) {
  const torch::NoGradGuard no_grad;
  TensorMap given = read_safetensors(file);
  Taken taken;
  std::vector<std::string> missing, other, sick;
  const auto take = [&](const std::string& name, at::Tensor& own) {
    const bool in_head = name.starts_with(head);
    const auto found = given.find(name);
    if (found == given.end()) {
      // PyTorch's own count of batches, which many files lack and nothing here reads.
      if (!in_head && !name.ends_with("num_batches_tracked")) missing.push_back(name);
      if (in_head) taken.fresh.push_back(name);
      return;
    }
    const at::Tensor value = detail::fitted(found->second, own);
    const bool fits = value.sizes() == own.sizes();
    if (fits && value.is_floating_point() && !value.isfinite().all().item<bool>()) {
      sick.push_back(name);
    } else if (fits) {
      own.copy_(value);
      taken.matched.push_back(name);
    } else if (in_head) {
      taken.fresh.push_back(name);
    } else {
      other.push_back(name + " (" + detail::shape_text(value) + " there, " +
                      detail::shape_text(own) + " here)");
    }
    given.erase(found);
  };
  for (auto& entry : net.named_parameters()) take(entry.key(), entry.value());
  for (auto& entry : net.named_buffers()) take(entry.key(), entry.value());
  for (const auto& [name, tensor] : given) taken.unused.push_back(name);
  if (missing.empty() && other.empty() && sick.empty()) return taken;
  std::string problem;
  if (!missing.empty()) problem += "; missing: " + detail::listed(missing);
  if (!other.empty()) problem += "; of another shape: " + detail::listed(other);
  if (!sick.empty()) problem += "; not finite: " + detail::listed(sick);
  throw Error("model/" + who + ": " + file + ": these are not weights of this network" + problem +
              "; " + std::to_string(taken.matched.size()) + " tensors fit");
}

/// The same for the parameter `pretrained`, empty: nothing; what came of it goes to the trial's
/// log.
inline void start_from(const std::string& who, std::string_view file, torch::nn::Module& net,
                       std::string_view head) {
  if (file.empty()) return;
  const Taken taken = load_pretrained(who, std::string(file), net, head);
  std::clog << "model/" << who << ": " << file << ": " << taken.matched.size() << " tensors taken";
  if (!taken.fresh.empty()) std::clog << "; new: " << detail::listed(taken.fresh);
  if (!taken.unused.empty()) std::clog << "; not used: " << detail::listed(taken.unused);
  std::clog << std::endl;
}

}  // namespace paribus::models
