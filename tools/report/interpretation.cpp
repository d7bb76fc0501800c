// SPDX-License-Identifier: Apache-2.0
#include "interpretation.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <vector>

#include "curves.h"
#include "registry/base64.h"

namespace paribus::report {
namespace {

using journal::NamedTable;
using nlohmann::json;

constexpr std::size_t kMostClasses = 1000, kMostItems = 64, kMostBins = 1000;
constexpr std::size_t kMostCells = 10'000;  // of a confusion matrix: all of 100 classes
constexpr std::size_t kMostLetters = 200;   // of a class's name

/// Another callback may give a table the same name: then it has no column of that kind.
template <class T>
const std::vector<T>* column(const NamedTable* table, std::string_view name) {
  if (table == nullptr) return nullptr;
  for (const Column& one : table->columns) {
    if (one.name == name) return std::get_if<std::vector<T>>(&one.values);
  }
  return nullptr;
}

json cell(double value) { return short_number(value); }
json cell(std::int64_t value) { return value; }
json cell(const std::string& value) { return value.substr(0, kMostLetters); }

/// Takes columns of a table over, as far as they are all there.
class Taker {
 public:
  Taker(const NamedTable* table, std::size_t most) : table_(table), most_(most) {}

  template <class T>
  Taker& take(const char* name) {
    const auto* values = column<T>(table_, name);
    if (values == nullptr || values->size() > most_) {
      is_whole_ = false;
      return *this;
    }
    json cells = json::array();
    for (const T& value : *values) cells.push_back(cell(value));
    taken_[name] = std::move(cells);
    return *this;
  }
  [[nodiscard]] json result() { return is_whole_ ? std::move(taken_) : json(); }

 private:
  const NamedTable* table_;
  std::size_t most_;
  bool is_whole_ = true;
  json taken_ = json::object();
};

json classes_of(const NamedTable* table) {
  return Taker(table, kMostClasses)
      .take<std::string>("name")
      .take<std::int64_t>("items")
      .take<std::int64_t>("taken")
      .take<double>("precision")
      .take<double>("recall")
      .take<double>("f1")
      .result();
}

json calibration_of(const NamedTable* table) {
  return Taker(table, kMostBins)
      .take<double>("low")
      .take<double>("high")
      .take<std::int64_t>("items")
      .take<double>("confidence")
      .take<double>("accuracy")
      .result();
}

json worst_of(const NamedTable* table) {
  return Taker(table, kMostItems)
      .take<std::int64_t>("item")
      .take<std::string>("name")
      .take<std::string>("taken_name")
      .take<double>("loss")
      .take<double>("probability")
      .take<double>("confidence")
      .result();
}

/// The fullest cells, if there are very many.
json confusion_of(const NamedTable* table, std::size_t classes) {
  const auto* truth = column<std::int64_t>(table, "class");
  const auto* taken = column<std::int64_t>(table, "taken");
  const auto* count = column<std::int64_t>(table, "count");
  if (truth == nullptr || taken == nullptr || count == nullptr) return nullptr;
  const auto is_class = [classes](std::int64_t number) {
    return number >= 0 && static_cast<std::size_t>(number) < classes;
  };
  if (!std::all_of(truth->begin(), truth->end(), is_class) ||
      !std::all_of(taken->begin(), taken->end(), is_class))
    return nullptr;
  std::vector<std::size_t> kept(count->size());
  std::iota(kept.begin(), kept.end(), std::size_t{0});
  if (kept.size() > kMostCells) {
    std::stable_sort(kept.begin(), kept.end(),
                     [&](std::size_t a, std::size_t b) { return (*count)[a] > (*count)[b]; });
    kept.resize(kMostCells);
  }
  json result = {{"class", json::array()}, {"taken", json::array()}, {"count", json::array()}};
  for (const std::size_t i : kept) {
    result["class"].push_back((*truth)[i]);
    result["taken"].push_back((*taken)[i]);
    result["count"].push_back((*count)[i]);
  }
  return result;
}

/// The items that Grad-CAM looked at, in the order of its picture.
json cam_items(const NamedTable* table) {
  json items = json::array();
  const auto* column_ = column<std::int64_t>(table, "item");
  if (column_ == nullptr) return items;
  for (std::size_t i = 0; i < column_->size() && items.size() < kMostItems; ++i) {
    if (i == 0 || (*column_)[i] != (*column_)[i - 1]) items.push_back((*column_)[i]);
  }
  return items;
}

json picture_of(const std::filesystem::path& path, const journal::Record& record,
                const std::string& name, PictureBudget& budget, std::set<std::string>& taken) {
  const journal::NamedPicture* last = nullptr;
  for (const journal::NamedPicture& one : record.pictures) {
    if (one.name == name) last = &one;
  }
  if (last == nullptr || last->size > budget.bytes) return nullptr;
  const std::string png = journal::picture_in(path, *last);
  if (!png.starts_with("\x89PNG")) return nullptr;
  budget.bytes -= png.size();
  taken.insert(name);
  return registry::base64(png);
}

}  // namespace

json interpretation_of(const std::filesystem::path& path, const journal::Record& record,
                       PictureBudget& budget, std::set<std::string>& taken) {
  std::map<std::string, const NamedTable*> last;
  for (const NamedTable& one : record.tables) last[one.name] = &one;
  json classes = classes_of(last["valid.classes"]);
  const std::size_t number = classes.is_null() ? 0 : classes.at("name").size();
  json worst = worst_of(last["valid.worst"]), items = cam_items(last["valid.grad_cam"]);
  if (classes.is_null() && worst.is_null() && items.empty()) return nullptr;
  json result = {{"step", record.tables.back().step},
                 {"classes", std::move(classes)},
                 {"confusion", confusion_of(last["valid.confusion"], number)},
                 {"calibration", calibration_of(last["valid.calibration"])},
                 {"cam", nullptr}};
  if (!worst.is_null()) worst["png"] = picture_of(path, record, "valid.worst", budget, taken);
  if (!items.empty()) {
    result["cam"] = {{"items", std::move(items)},
                     {"png", picture_of(path, record, "valid.grad_cam", budget, taken)}};
  }
  result["worst"] = std::move(worst);
  return result;
}

}  // namespace paribus::report
