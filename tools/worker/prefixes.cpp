// SPDX-License-Identifier: Apache-2.0
#include "prefixes.h"

#include <bit>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "paribus/drives.h"
#include "paribus/error.h"
#include "study/spec_json.h"

namespace paribus::worker {
namespace {

using nlohmann::json;

std::optional<double> number_of(const Value& value) {
  if (const auto* real = std::get_if<double>(&value)) return *real;
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return static_cast<double>(*integer);
  return std::nullopt;
}

/// The configured number at "optimizer.inner.lr", as the parts' own parameters hold it.
std::optional<double> configured(const PartSpec& part, const std::string& address) {
  if (!address.starts_with(part.address + ".")) return std::nullopt;
  const auto param = part.params.find(address.substr(part.address.size() + 1));
  if (param != part.params.end()) return number_of(param->second);
  for (const auto& [name, slot] : part.slots) {
    if (const auto number = configured(slot, address)) return number;
  }
  return std::nullopt;
}

double base_of(const TrialSpec& spec, const std::string& target) {
  std::vector<const PartSpec*> parts{&spec.dataset, &spec.model, &spec.loss, &spec.optimizer};
  for (const auto* list : {&spec.transforms, &spec.callbacks}) {
    for (const PartSpec& part : *list) parts.push_back(&part);
  }
  for (const PartSpec* part : parts) {
    if (const auto number = configured(*part, target)) return *number;
  }
  throw Error("schedule." + target + ": no part of this trial has a number of that name");
}

using Values = std::vector<std::uint64_t>;  // the bits of doubles

/// What drives one trial, batch by batch.
class Course {
 public:
  Course(const TrialSpec& spec, std::int64_t batches, const PartFactory& factory)
      : epochs_(spec.train.epochs),
        batches_(batches),
        accumulate_(spec.train.accumulate),
        valid_every_(spec.train.valid_every) {
    for (const ScheduleSpec& schedule : spec.schedules) {
      bases_.push_back(base_of(spec, schedule.target));
      schedules_.push_back(std::make_unique<Instance>(schedule.part, factory));
    }
  }

  [[nodiscard]] std::int64_t steps() const { return epochs_ * batches_; }

  /// The values for the batch that makes step `step` + 1, bit for bit.
  void at(std::int64_t step, Values& values) const {
    Progress now = Drives::progress(epochs_, batches_, step / batches_, step % batches_);
    values.clear();
    for (std::size_t i = 0; i < schedules_.size(); ++i) {
      now.base = bases_[i];
      values.push_back(std::bit_cast<std::uint64_t>(schedules_[i]->as<Schedule>().at(now)));
    }
  }

  /// The last step up to `step` after which a checkpoint is made that `other` can begin with: no
  /// update may be pending, and where training ends its validation must be done.
  [[nodiscard]] std::int64_t place_before(std::int64_t step, const Course& other) const {
    const std::int64_t index = step % batches_;
    if (index != 0) return step - index % accumulate_;
    const std::int64_t epoch = step / batches_;
    const bool ends = step == steps() || step == other.steps();
    return ends && epoch % valid_every_ != 0 ? (epoch - 1) * batches_ : step;
  }

 private:
  std::int64_t epochs_, batches_, accumulate_, valid_every_;
  std::vector<double> bases_;
  std::vector<std::unique_ptr<Instance>> schedules_;
};

struct Parent {
  std::size_t trial = 0;
  std::int64_t step = 0;
};

/// Splits families of equal courses step by step.
class Splitter {
 public:
  explicit Splitter(const std::vector<Course>& courses)
      : courses_(courses), parents_(courses.size()) {}

  std::vector<std::optional<Parent>> parents() {
    std::vector<std::size_t> all;
    std::int64_t longest = 0;
    for (std::size_t i = 0; i < courses_.size(); ++i) {
      all.push_back(i);
      longest = std::max(longest, courses_[i].steps());
    }
    std::vector<std::vector<std::size_t>> families{std::move(all)};
    for (std::int64_t step = 0; step <= longest && !families.empty(); ++step) split(families, step);
    return parents_;
  }

 private:
  void split(std::vector<std::vector<std::size_t>>& families, std::int64_t step) {
    std::vector<std::vector<std::size_t>> next;
    for (auto& family : families) {
      if (stays_whole(family, step))
        next.push_back(std::move(family));
      else
        split(family, step, next);
    }
    families = std::move(next);
  }

  bool stays_whole(const std::vector<std::size_t>& family, std::int64_t step) {
    if (courses_[family.front()].steps() == step) return false;
    courses_[family.front()].at(step, first_);
    for (const std::size_t trial : family) {
      if (courses_[trial].steps() == step) return false;
      courses_[trial].at(step, other_);
      if (other_ != first_) return false;
    }
    return true;
  }

  void split(const std::vector<std::size_t>& family, std::int64_t step,
             std::vector<std::vector<std::size_t>>& next) {
    std::map<Values, std::vector<std::size_t>> going;
    for (const std::size_t trial : family) {
      if (courses_[trial].steps() == step) {
        leave(trial, family.front(), step);
      } else {
        courses_[trial].at(step, other_);
        going[other_].push_back(trial);
      }
    }
    for (auto& [values, members] : going) {
      leave(members.front(), family.front(), step);
      if (members.size() > 1) next.push_back(std::move(members));
    }
  }

  void leave(std::size_t trial, std::size_t first, std::int64_t step) {
    if (trial == first) return;
    const std::int64_t place = courses_[first].place_before(step, courses_[trial]);
    // A parent that itself begins there passes on what it got.
    while (parents_[first] && parents_[first]->step >= place) first = parents_[first]->trial;
    if (place > 0) parents_[trial] = Parent{first, place};
  }

  const std::vector<Course>& courses_;
  std::vector<std::optional<Parent>> parents_;
  Values first_, other_;
};

}  // namespace

std::map<std::string, std::vector<double>> driven_values(const TrialSpec& spec,
                                                         std::int64_t steps_per_epoch,
                                                         std::int64_t steps,
                                                         const PartFactory& factory) {
  const Course course(spec, steps_per_epoch, factory);
  std::map<std::string, std::vector<double>> driven;
  Values values;
  for (std::int64_t step = 0; step < steps; ++step) {
    course.at(step, values);
    for (std::size_t i = 0; i < values.size(); ++i) {
      const std::string& target = spec.schedules[i].target;
      const std::string part = target.substr(0, target.find('.'));
      if (part == "model" || part == "loss" || part == "optimizer")
        driven[target].push_back(std::bit_cast<double>(values[i]));
    }
  }
  return driven;
}

json prefixes(const json& request, const PartFactory& factory) {
  json specs = request.at("specs");
  std::vector<Course> courses;
  for (const json& trial : request.at("trials")) {
    json& family = specs.at(trial.at(0).get<std::size_t>());
    json& spec = family.at("spec");
    for (std::size_t i = 0; i < family.at("places").size(); ++i)
      spec[json::json_pointer(family.at("places")[i])] = trial.at(1).at(i);
    courses.emplace_back(trial_spec_from_json(spec), family.at("steps_per_epoch"), factory);
  }
  json parents = json::array();
  for (const auto& parent : Splitter(courses).parents()) {
    parents.push_back(parent ? json{{"trial", parent->trial}, {"step", parent->step}}
                             : json(nullptr));
  }
  return {{"ok", true}, {"parents", std::move(parents)}};
}

}  // namespace paribus::worker
