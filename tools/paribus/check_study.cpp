// SPDX-License-Identifier: Apache-2.0
#include "check_study.h"

#include <fmt/core.h>

#include <algorithm>

namespace paribus::check {
namespace {

namespace fs = std::filesystem;
using registry::FieldSchema;
using registry::FieldType;
using registry::PartSchema;

// Batch norm, for buffers; momentum, for state of the optimizer; draws, to be shifted by who may
// not; a last batch that is smaller.
constexpr const char* kBase = R"(metric = ["accuracy"]

[data]
use = "glyphs"
items = 100
valid_items = 50
batch = 16
transforms = [{ use = "crop", padding = 2 }, "flip", "normalize"]

[model]
use = "convnet"
channels = [4, 8]

[optimizer]
use = "sgd"
lr = 0.05
momentum = 0.9

[train]
device = "cpu"
epochs = 3
checkpoint_seconds = 0

)";

const FieldSchema* wrapped(const PartSchema& part) {
  const auto found = std::find_if(part.fields.begin(), part.fields.end(), [&](const auto& field) {
    return field.type == FieldType::part && field.of == part.kind &&
           !std::get<std::string>(field.default_value).empty();
  });
  return found == part.fields.end() ? nullptr : &*found;
}

std::string quoted(const std::string& text) { return '"' + text + '"'; }

/// `{ use = "ema", decay = 0.9 }`, with a name of its own where there may be a second one.
std::string table(const Subject& subject, const Settings& more, bool named) {
  std::string text = "{ use = " + quoted(subject.part.name);
  if (named) text += ", name = \"kit\"";
  const auto given = [&](const std::string& key) {
    return std::any_of(more.begin(), more.end(),
                       [&](const auto& pair) { return pair.first == key; });
  };
  for (const auto& [key, value] : subject.with) {
    if (!given(key)) text += ", " + key + " = " + value;
  }
  for (const auto& [key, value] : more) text += ", " + key + " = " + value;
  // Around what the study has in that place.
  if (against(subject.part) == Against::inner)
    text += ", " + wrapped(subject.part)->name + " = \"@" + kWithoutArm + "\"";
  return text + " }";
}

std::string transforms(const std::string& list) { return "data = { transforms = [" + list + "] }"; }

/// How an arm puts the part to use, in the ways that may fit.
std::vector<std::string> uses(const Subject& subject, const Settings& more) {
  const std::string& kind = subject.part.kind;
  const bool named = kind == "transform" || kind == "metric" || kind == "callback";
  const std::string part = table(subject, more, named);
  if (kind == "transform" && !subject.base.empty()) return {"\"data.transforms.kit\" = " + part};
  if (kind == "transform") {
    return {transforms(part + R"(, { use = "crop", padding = 2 }, "flip", "normalize")"),
            transforms(R"({ use = "crop", padding = 2 }, "flip", "normalize", )" + part)};
  }
  if (named) return {"\"" + kind + ".kit\" = " + part};
  if (kind == "schedule") return {"\"schedule.optimizer.lr\" = " + part};
  if (kind == "dataset") {
    const std::string data = part.substr(0, part.size() - 2) + ", limit = 100, valid_limit = 50";
    const std::string rows = data + ", transforms = [] }";
    // A base has what fits its data, which may be of another kind than those below.
    if (!subject.base.empty()) return {"data = " + rows};
    return {"data = " + rows + ", model = { use = \"mlp\", hidden = [8] }",
            "data = " + rows +
                ", model = { use = \"mlp\", hidden = [8] }, loss = \"mse\", "
                "\"metric.accuracy\" = false"};
  }
  return {kind + " = " + part};
}

std::string head(const Subject& subject) {
  std::string text;
  if (!subject.base.empty())
    text += "extends = " + quoted(fs::absolute(subject.base).string()) + "\n\n";
  text +=
      "[study]\nname = \"check\"\nseeds = [7]\nthreads = 1\nshare = false\nretries = 0\n"
      "metric = \"valid.loss\"\nhang_limit = \"30s\"\n";
  return text + "\n";
}

std::string with_base(const Subject& subject, const std::string& rest) {
  return subject.base.empty() ? kBase + head(subject) + rest : head(subject) + rest;
}

std::vector<std::string> searches(const Subject& subject) {
  std::vector<std::string> result;
  std::vector<const char*> axes{"\"optimizer.lr\" = [0.05, 0.02]\n\"data.batch\" = [16, 25]\n",
                                "\"optimizer.lr\" = { log = [0.01, 0.2] }\n"};
  Settings few;  // of the trials that it would make by default
  if (subject.part.field("trials") != nullptr) few.emplace_back("trials", "6");
  if (subject.part.adaptive) std::swap(axes.front(), axes.back());
  for (const char* one : axes) {
    result.push_back(
        with_base(subject, "[sweep]\nsearch = " + table(subject, few, false) + "\n" + one));
  }
  return result;
}

std::string with_tracker(const Subject& subject) {
  std::string text = "[[tracker]]\nuse = " + quoted(subject.part.name) + "\n";
  for (const auto& [key, value] : subject.with) text += key + " = " + value + "\n";
  return with_base(subject, text);
}

}  // namespace

Against against(const PartSchema& part) {
  if (wrapped(part) != nullptr && part.kind == "optimizer") return Against::inner;
  for (const char* kind : {"transform", "loss", "metric", "schedule", "callback"}) {
    if (part.kind == kind) return Against::without;
  }
  return Against::nothing;
}

std::vector<std::string> studies_for(const Subject& subject) {
  if (subject.part.kind == "tracker") return {with_tracker(subject)};
  if (!subject.trains()) return searches(subject);
  std::vector<std::string> result;
  // A metric measures: it has to leave all else as it is without being switched off.
  const bool measures = subject.part.kind == "metric";
  const bool off = !subject.off.empty() || measures;
  const bool inner = against(subject.part) == Against::inner;
  const std::vector<std::string> offs = uses(subject, subject.off);
  for (std::size_t i = 0; const std::string& use : uses(subject, {})) {
    std::string arms = "[arms]\n";
    if (off || inner) arms += fmt::format("{} = {{}}\n", kWithoutArm);
    arms += fmt::format("{} = {{ {} }}\n", kPartArm, use);
    if (off && against(subject.part) != Against::nothing)
      arms += fmt::format("{} = {{ {} }}\n", kOffArm, offs.at(i));
    result.push_back(with_base(subject, arms));
    ++i;
  }
  return result;
}

}  // namespace paribus::check
