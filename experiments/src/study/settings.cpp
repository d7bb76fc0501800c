// SPDX-License-Identifier: Apache-2.0
#include "study/settings.h"

#include <fmt/format.h>

#include <charconv>
#include <type_traits>

#include "paribus/error.h"

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
      "how many seeds, from 0 on, or a list of seeds, or \"until decided\"; 5 unless said where "
      "the "
      "study has arms";
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

FieldSchema folders_field(const char* name, const char* doc) {
  FieldSchema field;
  field.name = name;
  field.type = FieldType::list;
  field.of = "string";
  field.default_value = std::vector<std::string>{};
  field.doc = doc;
  return field;
}

FieldSchema plugins_field() {
  return folders_field(
      "plugins", "folders to look for plugins in first, relative to the file that names them");
}

FieldSchema python_field() {
  return folders_field("python",
                       "folders to look for Python parts in first, relative to the file that names "
                       "them; that of the study's file unless said");
}

FieldSchema recipe_field() {
  FieldSchema field;
  field.name = "recipe";
  field.type = FieldType::text;
  field.default_value = std::string();
  field.choices = {"", "fine_tune"};
  field.doc = "a short word for other keys, which are written out in the resolved study";
  return field;
}

FieldSchema trust_field() {
  FieldSchema field;
  field.name = "trust";
  field.type = FieldType::list;
  field.of = "string";
  field.default_value = std::vector<std::string>{};
  field.doc =
      "keys, or names of keys: only plugins that are built in or signed with one of them are "
      "loaded";
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
          {.min = 0}),
      key("max_seeds", &S::max_seeds, "the most seeds that seeds = \"until decided\" buys",
          {.min = 2, .max = 100'000}),
      key("retries", &S::retries,
          "how often a trial is taken up again whose process crashed, hung or was killed; one that "
          "failed with an error is not",
          {.min = 0, .max = 1000}),
      key("time_limit", &S::time_limit, "of each trial, e.g. \"90s\", \"5min\", \"2h\", \"1d\""),
      key("hang_limit", &S::hang_limit,
          "a trial that makes no step for so long is ended, with its stacks in its record"),
      key("memory_limit", &S::memory_limit, "of each trial, e.g. \"512MiB\", \"2GiB\""),
      key("disk", &S::disk, "what the study's directory may hold, e.g. \"2GiB\""),
      key("price", &S::price,
          "of an hour of the machine, e.g. \"0.90 USD\", for the report; changes no number"),
      key("keep", &S::keep,
          "what stays of a trial that is done: final weights; or its last checkpoint too, to train "
          "on from; or none of them",
          {}, {"final", "all", "none"}),
      key("share", &S::share,
          "trials whose training begins alike train the beginning once; changes no number"),
      key("confine", &S::confine,
          "trials write to the study's directory alone, and have no network; changes no number"),
      key("tracker_wait", &S::tracker_wait,
          "how long a run waits at its end for trackers to take what is left; `paribus sync` "
          "brings "
          "them the rest"),
      key("system", &S::system,
          "how often what the machine and the trials use is recorded; 0: never; changes no number",
          {.min = 0, .max = 86'400}, {}, "s")};
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
      key("limit", &S::limit,
          "use n training items: the first or, where they come sorted, some at even distances; 0: "
          "all",
          {.min = 0}),
      key("valid_limit", &S::valid_limit, "the same of validation items", {.min = 0}),
      key("folds", &S::folds,
          "cross-validation: the training items in so many parts, alike in classes; 0: the data "
          "set's own validation items",
          {.min = 0, .max = kMaxItems}),
      key("fold", &S::fold, "which part of them is validated on, from 0 on", {.min = 0})};
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
    for (FieldSchema field :
         {seeds_field(), threads_field(), plugins_field(), python_field(), trust_field()})
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
  static const std::vector<FieldSchema> kFields = [] {
    std::vector<FieldSchema> fields = schemas_of(train_settings());
    fields.push_back(recipe_field());
    return fields;
  }();
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

namespace {

struct Unit {
  std::string_view name;
  double size;
};

/// "1.5h" by a list of units; 0 if the text is empty.
double quantity_of(const std::string& text, const std::vector<Unit>& units, const char* expected) {
  if (text.empty()) return 0;
  double number = 0;
  const char* end = text.data() + text.size();
  const auto [rest, problem] = std::from_chars(text.data(), end, number);
  const std::string_view unit(rest, static_cast<std::size_t>(end - rest));
  for (const Unit& known : units) {
    if (problem == std::errc() && number > 0 && known.name == unit && number * known.size < 1e18)
      return number * known.size;
  }
  throw Error(fmt::format("got \"{}\", expected {}", text.substr(0, 40), expected));
}

}  // namespace

double duration_of(const std::string& text) {
  return quantity_of(text, {{"s", 1}, {"min", 60}, {"h", 3600}, {"d", 86400}},
                     "a number and s, min, h or d, e.g. \"90s\"");
}

Price price_of(const std::string& text) {
  Price price;
  if (text.empty()) return price;
  const char* end = text.data() + text.size();
  const auto [rest, problem] = std::from_chars(text.data(), end, price.amount);
  if (rest < end && *rest == ' ') price.currency.assign(rest + 1, end);
  const bool is_word = !price.currency.empty() && price.currency.size() <= 12 &&
                       price.currency.find_first_of(" \t\n\r0123456789") == std::string::npos;
  if (problem != std::errc() || !is_word || !(price.amount >= 0 && price.amount < 1e9))
    throw Error(fmt::format("got \"{}\", expected a number and a currency, e.g. \"0.90 USD\"",
                            text.substr(0, 40)));
  return price;
}

std::int64_t bytes_of(const std::string& text) {
  return static_cast<std::int64_t>(quantity_of(text,
                                               {{"KiB", 0x1p10},
                                                {"MiB", 0x1p20},
                                                {"GiB", 0x1p30},
                                                {"TiB", 0x1p40},
                                                {"KB", 1e3},
                                                {"MB", 1e6},
                                                {"GB", 1e9},
                                                {"TB", 1e12}},
                                               "a number and KiB, MiB, GiB or TiB, e.g. \"2GiB\""));
}

std::string default_part(std::string_view address) {
  if (address == "optimizer") return "sgd";
  if (address == "loss") return "cross_entropy";
  return "";
}

}  // namespace paribus
