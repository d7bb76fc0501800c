// SPDX-License-Identifier: Apache-2.0
#include "study/adaptive.h"

#include <fmt/format.h>

#include "study/resolve.h"
#include "study/resolved_text.h"
#include "study/targets.h"

namespace paribus {
namespace {

/// "optimizer.lr=0.1", or of several stretches "optimizer.lr=0.1 then 0.12 at 2".
std::string label_of(const SweepAxis& axis, std::size_t address, std::size_t number,
                     const std::vector<Stretch>& course) {
  std::string text;
  for (const Stretch& stretch : course) {
    const Config value = value_at(axis, address, stretch.point[number]);
    text = text.empty() ? label_of(axis.search.addresses[address], value)
                        : fmt::format("{} then {} at {}", text, value.toml(), stretch.epoch);
  }
  return text;
}

}  // namespace

AdaptiveSweep::AdaptiveSweep(const Study& study, PartSpec search, std::vector<SweepAxis> axes,
                             Place place)
    : path_(study.path),
      seeds_(study.seeds),
      threads_(study.threads),
      epochs_(study.trials.front().shape->spec.train.epochs),
      first_(study.trials.front().shape->spec),
      provenance_(study.provenance),
      search_(std::move(search)),
      axes_(std::move(axes)),
      place_(std::move(place)) {}

Diagnostic AdaptiveSweep::problem(const std::string& message) const {
  if (!place_.file) return {path_.string(), 1, 1, message};
  return {*place_.file, place_.line, place_.column, message};
}

std::vector<SearchAxis> AdaptiveSweep::axes() const {
  std::vector<SearchAxis> axes;
  for (const SweepAxis& axis : axes_) axes.push_back(axis.search);
  return axes;
}

std::vector<PlannedTrial> AdaptiveSweep::trials(const std::vector<Stretch>& course,
                                                const registry::Catalog& catalog) const {
  for (const Stretch& stretch : course) {
    if (const std::string what = flaw_of(stretch.point, axes_); !what.empty())
      throw Error(fmt::format("search/{}: proposes {}", search_.use, what));
  }
  Problems problems(path_.string());
  Resolver resolver(catalog, problems);
  const Variant made = variant(course, catalog);
  PlannedTrial trial;
  trial.arm = made.name;
  auto shape = std::make_shared<TrialShape>();
  shape->spec = resolver.trial(made.over(provenance_->base, problems), "");
  problems.raise();
  shape->spec.threads = threads_;
  for (std::size_t i = 0; i < axes_.size(); ++i) {
    for (std::size_t k = 0; k < axes_[i].search.addresses.size(); ++k) {
      const std::string& address = axes_[i].search.addresses[k];
      trial.values[address] = swept_value(
          shape->spec, {address, axes_[i].place, value_at(axes_[i], k, course.back().point[i])},
          catalog);
    }
  }
  trial.shape = std::move(shape);
  std::vector<PlannedTrial> trials;
  for (const std::uint64_t seed : seeds_) {
    trial.seed = seed;
    trials.push_back(trial);
  }
  return trials;
}

Variant AdaptiveSweep::variant(const std::vector<Stretch>& course,
                               const registry::Catalog& catalog) const {
  Variant made{"", {}, {Config::table({})}};
  for (std::size_t i = 0; i < axes_.size(); ++i) {
    const SweepAxis& axis = axes_[i];
    for (std::size_t k = 0; k < axis.search.addresses.size(); ++k) {
      const std::string& address = axis.search.addresses[k];
      made.name += (made.name.empty() ? "" : ", ") + label_of(axis, k, i, course);
      made.overlays[0].set(address, axis.key_places[k], value_at(axis, k, course.front().point[i]));
      if (course.size() > 1)
        made.overlays[0].set("schedule." + address, axis.place, pieces(axis, course, i, catalog));
    }
  }
  return made;
}

/// What a population's points make of an axis: a schedule, so that the trial is complete in itself
/// and anybody can train it again.
Config AdaptiveSweep::pieces(const SweepAxis& axis, const std::vector<Stretch>& course,
                             std::size_t number, const registry::Catalog& catalog) const {
  const std::string& address = axis.search.addresses[0];
  const Target target = live_target(address, first_, catalog);
  if (!target.problem.empty() || axis.search.addresses.size() > 1) {
    throw Error(fmt::format(
        "search/{} changes '{}' during training, and {}", search_.use, address,
        target.problem.empty() ? "lists that advance together can't change" : target.problem));
  }
  for (const ScheduleSpec& schedule : first_.schedules) {
    if (schedule.target == address)
      throw Error(fmt::format("search/{} changes '{}' during training: take its schedule out",
                              search_.use, address));
  }
  Config::List at, values;
  for (const Stretch& stretch : course) {
    if (stretch.epoch > 0) at.emplace_back(static_cast<double>(stretch.epoch), axis.place);
    Config value = value_at(axis, 0, stretch.point[number]);
    values.emplace_back(value.number(), axis.place);
  }
  Config part = Config::table(axis.place);
  part.set("use", axis.place, Config::text("pieces", axis.place));
  part.set("at", axis.place, Config(std::move(at), axis.place));
  part.set("values", axis.place, Config(std::move(values), axis.place));
  return part;
}

std::vector<SearchPoint> AdaptiveSweep::probes(const std::vector<SweepAxis>& axes) {
  const auto choices = [](const SearchAxis& axis) {
    std::vector<SearchChoice> all;
    for (std::int64_t i = 0; i < axis.count; ++i) all.push_back({i, 0});
    if (axis.count == 0) all = {{-1, axis.low}, {-1, axis.high}};
    return all;
  };
  SearchPoint first;
  for (const SweepAxis& axis : axes) first.push_back(choices(axis.search).front());
  std::vector<SearchPoint> points{first};
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const std::vector<SearchChoice> all = choices(axes[i].search);
    for (std::size_t k = 1; k < all.size(); ++k) {
      points.push_back(first);
      points.back()[i] = all[k];
    }
  }
  return points;
}

}  // namespace paribus
