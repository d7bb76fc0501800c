// SPDX-License-Identifier: Apache-2.0
#include "help_example.h"

#include <fmt/core.h>

#include <map>
#include <string_view>

#include "plugins_command.h"

namespace paribus {
namespace {

using registry::PartSchema;

/// What stands around a part.
struct Company {
  const char* data = "use = \"glyphs\"\n";
  const char* model = "use = \"convnet\"\n";
  const char* more = "";   // before all tables
  ExampleValues values{};  // where the part can't do with its defaults
};

constexpr const char* kPictures =
    "use = \"image_folder\"\ndir = \"pictures\"  # a folder for each class\n";
constexpr const char* kMasks =
    "use = \"mask_folder\"\ndir = \"masks\"  # with images/ and masks/\n";
constexpr const char* kPixels = "metric = \"iou\"\n\n";
constexpr const char* kFound = "loss = \"mse\"\nmetric = \"distance\"\n\n";
constexpr const char* kReal = "use = \"yours\"  # a data set with real-valued targets\n";
constexpr const char* kLarger =
    "use = \"glyphs\"\ntransforms = [{ use = \"resize\", size = 32 }]\n";

/// Manifests don't say what a part takes: these parts take something else than most.
Company company_of(const PartSchema& part) {
  static const Company kColours{.data = kPictures};
  static const Company kLarge{.data = kLarger};
  static const Company kRealLoss{
      .data = kReal, .model = "use = \"mlp\"\n", .more = "metric = \"mae\"\n\n"};
  static const Company kPointMetric{
      .data = "use = \"dots\"\n", .model = "use = \"convnet\"\n", .more = "loss = \"mse\"\n\n"};
  static const Company kRealMetric{
      .data = kReal, .model = "use = \"mlp\"\n", .more = "loss = \"mse\"\n\n"};
  static const std::map<std::string_view, Company> kOthers{
      {"dataset/image_folder", {.values = {{"dir", "\"pictures\""}}}},
      {"dataset/mask_folder",
       {.model = "use = \"unet\"\n", .more = kPixels, .values = {{"dir", "\"masks\""}}}},
      {"dataset/box_folder",
       {.more = kFound, .values = {{"dir", "\"boxes\""}, {"point_of", "\"cat\""}}}},
      {"dataset/dots", {.more = kFound}},
      {"loss/huber", kRealLoss},
      {"loss/l1", kRealLoss},
      {"loss/mse", kRealLoss},
      {"metric/distance", kPointMetric},
      {"metric/mae", kRealMetric},
      {"metric/pck", kPointMetric},
      {"metric/r2", kRealMetric},
      {"metric/rmse", kRealMetric},
      {"model/resnet18", kLarge},
      {"model/resnet34", kLarge},
      {"model/resnet50", kLarge},
      {"model/torchscript", {.values = {{"file", "\"net.pt\""}}}},
      {"model/unet", {.data = kMasks, .more = kPixels}},
      {"schedule/pieces", {.values = {{"at", "[2.0]"}, {"values", "[0.1, 0.01]"}}}},
      {"schedule/step", {.values = {{"every", "2.0"}}}},
      {"transform/hue", kColours},
      {"transform/saturation", kColours}};
  const std::string name = part.kind + "/" + part.name;
  const auto found = kOthers.find(name);
  return found == kOthers.end() ? Company{} : found->second;
}

}  // namespace

std::string study_example(const PartSchema& part) {
  const Company company = company_of(part);
  const std::string own = toml_example(part, company.values);
  std::string text = company.more;
  const auto add = [&](const std::string& block) {
    text += (text.empty() || text.ends_with("\n\n") ? "" : "\n") + block;
  };
  if (part.kind == "transform") {  // it has a line in [data]
    const std::string line = own.substr(own.find('\n') + 1);
    add(fmt::format("[data]\n{}{}", company.data, line));
  } else if (part.kind != "dataset") {
    add(fmt::format("[data]\n{}", company.data));
  }
  if (part.kind == "dataset") add(own);
  if (part.kind != "model") add(fmt::format("[model]\n{}", company.model));
  if (part.kind != "transform" && part.kind != "dataset") add(own);
  return text;
}

}  // namespace paribus
