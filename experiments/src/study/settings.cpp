// SPDX-License-Identifier: Apache-2.0
#include "study/settings.h"

#include <type_traits>

namespace paribus {
namespace {

using registry::FieldSchema;
using registry::FieldType;

template <class T>
constexpr FieldType type_of() {
  if constexpr (std::is_same_v<T, bool>) return FieldType::boolean;
  if constexpr (std::is_same_v<T, std::int64_t>) return FieldType::integer;
  if constexpr (std::is_same_v<T, double>) return FieldType::real;
  return FieldType::text;
}

struct Bounds {
  std::optional<double> min{}, above{}, max{}, below{};
};

template <class Settings, class T>
Setting<Settings> key(const char* name, T Settings::*member, const char* doc, Bounds bounds = {},
                      std::vector<std::string> choices = {}, const char* unit = "") {
  FieldSchema schema;
  schema.name = name;
  schema.type = type_of<T>();
  schema.default_value = Settings{}.*member;
  schema.min = bounds.min, schema.above = bounds.above, schema.max = bounds.max,
  schema.below = bounds.below;
  schema.choices = std::move(choices);
  schema.unit = unit;
  schema.doc = doc;
  return {std::move(schema), member};
}

template <class Settings>
std::vector<FieldSchema> schemas_of(const std::vector<Setting<Settings>>& settings) {
  std::vector<FieldSchema> fields;
  for (const auto& setting : settings) fields.push_back(setting.schema);
  return fields;
}

FieldSchema seeds_field() {
  FieldSchema field;
  field.name = "seeds";
  field.type = FieldType::integer;
  field.default_value = std::int64_t{1};
  field.min = 1, field.max = 100'000;
  field.doc =
      "how many seeds, from 0 on, or a list of seeds; 5 unless said where the study has arms";
  return field;
}

FieldSchema threads_field() {
  FieldSchema field;
  field.name = "threads";
  field.type = FieldType::integer;
  field.default_value = std::string("auto");
  field.min = 1, field.max = 1024;
  field.doc =
      "of each trial, or \"auto\": 1 where there are at least as many trials as cores, else all "
      "cores";
  return field;
}

FieldSchema plugins_field() {
  FieldSchema field;
  field.name = "plugins";
  field.type = FieldType::list;
  field.of = "string";
  field.default_value = std::vector<std::string>{};
  field.doc = "folders to look for plugins in first, relative to the file that names them";
  return field;
}

}  // namespace

const std::vector<Setting<StudySettings>>& study_settings() {
  using S = StudySettings;
  static const std::vector<Setting<S>> kSettings{
      key("name", &S::name, "of the study; the name of the file unless said"),
      key("question", &S::question, "what the study is to answer, in words"),
      key("metric", &S::metric,
          "what is compared between arms; \"valid.accuracy\" or the first metric unless said"),
      key("goal", &S::goal, "which way is better; what the metric says unless said", {},
          {"", "maximize", "minimize"}),
      key("at", &S::at, "which epoch's value counts", {}, {"last", "best"}),
      key("test", &S::test, "how differences are tested", {}, {"auto", "permutation", "t"}),
      key("alpha", &S::alpha, "chance of a false alarm, over all arms together",
          {.above = 0, .below = 1}),
      key("margin", &S::margin,
          "smallest difference of interest; above 0 it asks for a verdict on equivalence",
          {.min = 0})};
  return kSettings;
}

const std::vector<Setting<DataSettings>>& data_settings() {
  using S = DataSettings;
  constexpr double kMaxItems = 1e9;
  static const std::vector<Setting<S>> kSettings{
      key("batch", &S::batch, "items in a training batch", {.min = 1, .max = kMaxItems}),
      key("valid_batch", &S::valid_batch,
          "items in a validation batch; 0: four times `batch`, at most 1024",
          {.min = 0, .max = kMaxItems}),
      key("workers", &S::workers, "loader threads; 0: load between steps; changes no number",
          {.min = 0, .max = 256}),
      key("shuffle", &S::shuffle, "visit the training items in a new order each epoch"),
      key("drop_last", &S::drop_last, "leave out a last training batch that isn't full"),
      key("limit", &S::limit, "use the first n training items; 0: all", {.min = 0}),
      key("valid_limit", &S::valid_limit, "use the first n validation items; 0: all", {.min = 0})};
  return kSettings;
}

const std::vector<Setting<TrainSettings>>& train_settings() {
  using S = TrainSettings;
  static const std::vector<Setting<S>> kSettings{
      key("epochs", &S::epochs, "passes over the training items", {.min = 1, .max = 1e6}),
      key("device", &S::device, "where to train; auto: a GPU if there is one", {},
          {"auto", "cpu", "cuda"}),
      key("precision", &S::precision, "of the forward pass; auto: the fastest that is safe", {},
          {"auto", "fp32", "bf16", "fp16"}),
      key("memory_format", &S::memory_format, "of images; auto: the faster one", {},
          {"auto", "contiguous", "channels_last"}),
      key("accumulate", &S::accumulate, "batches per update", {.min = 1, .max = 1e6}),
      key("clip_norm", &S::clip_norm, "greatest norm of all gradients together; 0: off",
          {.min = 0}),
      key("clip_value", &S::clip_value, "greatest size of each gradient element; 0: off",
          {.min = 0}),
      key("valid_every", &S::valid_every,
          "epochs between validations; the last epoch is always validated", {.min = 1, .max = 1e6}),
      key("checkpoint_seconds", &S::checkpoint_seconds,
          "at most this much work is lost to a kill; changes no number", {.min = 0, .max = 1e6}, {},
          "s")};
  return kSettings;
}

const std::vector<FieldSchema>& study_fields() {
  static const std::vector<FieldSchema> kFields = [] {
    std::vector<FieldSchema> fields = schemas_of(study_settings());
    for (FieldSchema field : {seeds_field(), threads_field(), plugins_field()})
      fields.push_back(std::move(field));
    return fields;
  }();
  return kFields;
}

const std::vector<FieldSchema>& data_fields() {
  static const std::vector<FieldSchema> kFields = schemas_of(data_settings());
  return kFields;
}

const std::vector<FieldSchema>& train_fields() {
  static const std::vector<FieldSchema> kFields = schemas_of(train_settings());
  return kFields;
}

const FieldSchema* find_field(const std::vector<FieldSchema>& fields, std::string_view name) {
  for (const FieldSchema& field : fields) {
    if (field.name == name) return &field;
  }
  return nullptr;
}

std::vector<std::string> names_of(const std::vector<FieldSchema>& fields) {
  std::vector<std::string> names;
  for (const FieldSchema& field : fields) names.push_back(field.name);
  return names;
}

std::string default_part(std::string_view address) {
  if (address == "optimizer") return "sgd";
  if (address == "loss") return "cross_entropy";
  return "";
}

}  // namespace paribus
