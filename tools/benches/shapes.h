// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace paribus::bench {

using Shape = std::vector<std::int64_t>;

/// Lists of weights to step: those of ResNet-18 (62 tensors, 11.7 M numbers), of many small layers
/// (200 tensors of 1,000), and of a 784-64-10 MLP. The same as in torch_optimizer.py.
inline const std::map<std::string, std::vector<Shape>>& shape_lists() {
  static const std::map<std::string, std::vector<Shape>> kLists = [] {
    std::vector<Shape> resnet{{64, 3, 7, 7}, {64}, {64}};
    std::int64_t in = 64;
    for (const std::int64_t out : {64, 128, 256, 512}) {
      for (const std::int64_t from : {in, out}) {
        for (const std::int64_t channels : {from, out}) {
          resnet.push_back({out, channels, 3, 3});
          resnet.insert(resnet.end(), {{out}, {out}});
        }
        if (from != out) resnet.insert(resnet.end(), {{out, from, 1, 1}, {out}, {out}});
      }
      in = out;
    }
    resnet.insert(resnet.end(), {{1000, 512}, {1000}});
    return std::map<std::string, std::vector<Shape>>{
        {"resnet18", resnet},
        {"200x1000", std::vector<Shape>(200, Shape{1000})},
        {"mlp", {{64, 784}, {64}, {10, 64}, {10}}}};
  }();
  return kLists;
}

}  // namespace paribus::bench
