// SPDX-License-Identifier: Apache-2.0
#include "study/study.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <set>
#include <thread>
#include <unordered_set>

#include "registry/nearest.h"
#include "stats/sequential.h"
#include "study/adaptive.h"
#include "study/arms.h"
#include "study/demands.h"
#include "study/document.h"
#include "study/resolve.h"
#include "study/resolved_text.h"
#include "study/settings.h"
#include "study/sweep.h"
#include "study/trackers.h"
#include "study/variants.h"

namespace paribus {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kSeedsOfArms = 5;  // a comparison needs several

/// Nowhere in `table` unless it is written there.
Place place_in(const Config* table, std::string_view key) {
  const Config* value = table == nullptr ? nullptr : table->find(key);
  return value == nullptr ? Place{} : value->place();
}

std::vector<std::uint64_t> seed_list(const Config& list, Problems& problems) {
  std::vector<std::uint64_t> seeds;
  std::set<std::int64_t> seen;
  if (list.as_list()->empty())
    problems.add(list.place(), "study: 'seeds' is an empty list, expected at least one seed");
  for (const Config& element : *list.as_list()) {
    const std::int64_t* seed = element.as_integer();
    if (seed == nullptr || *seed < 0) {
      problems.add(element.place(), fmt::format("study: a seed is an integer of at least 0, got {}",
                                                element.toml()));
    } else if (!seen.insert(*seed).second) {
      problems.add(element.place(), fmt::format("study: seed {} is there twice", *seed));
    } else {
      seeds.push_back(static_cast<std::uint64_t>(*seed));
    }
  }
  return seeds;
}

bool is_until_decided(const Config* table) {
  const Config* given = table == nullptr ? nullptr : table->find("seeds");
  return given != nullptr && given->as_text() != nullptr && *given->as_text() == kUntilDecided;
}

/// As many as a verdict needs at least, or all where that is more.
std::vector<std::uint64_t> first_seeds(const Study& study, bool has_arms, const Place& place,
                                       Problems& problems) {
  if (!has_arms)
    problems.add(place, "study: seeds = \"until decided\" needs arms to decide between");
  std::vector<std::uint64_t> seeds(
      std::min<std::size_t>(static_cast<std::size_t>(study.max_seeds),
                            stats::anytime_pairs_needed(study.test, study.alpha)));
  std::iota(seeds.begin(), seeds.end(), 0);
  return seeds;
}

std::vector<std::uint64_t> seeds_of(const Config* table, bool has_arms, Problems& problems) {
  const Config* given = table == nullptr ? nullptr : table->find("seeds");
  if (given != nullptr && given->as_list() != nullptr) return seed_list(*given, problems);
  std::int64_t count = has_arms ? kSeedsOfArms : 1;
  if (given != nullptr && given->as_text() != nullptr) {
    problems.add(given->place(), fmt::format("study: 'seeds' got {}, expected an integer, a list "
                                             "of seeds or \"{}\"",
                                             given->toml(), kUntilDecided));
  } else if (given != nullptr) {
    const auto good =
        checked_value(*find_field(study_fields(), "seeds"), *given, "study", problems);
    if (good) count = std::get<std::int64_t>(*good);
  }
  std::vector<std::uint64_t> seeds;
  for (std::int64_t seed = 0; seed < count; ++seed)
    seeds.push_back(static_cast<std::uint64_t>(seed));
  return seeds;
}

/// A function of the study and the machine, never of -j.
std::int64_t threads_of(const Config* table, std::size_t trials, Problems& problems) {
  const Config* given = table == nullptr ? nullptr : table->find("threads");
  const bool is_auto =
      given == nullptr || (given->as_text() != nullptr && *given->as_text() == "auto");
  if (!is_auto && given->as_text() != nullptr) {
    problems.add(given->place(), fmt::format("study: 'threads' got {}, expected \"auto\" or an "
                                             "integer of at least 1 and at most 1024",
                                             given->toml()));
    return 1;
  }
  if (!is_auto) {
    const auto good =
        checked_value(*find_field(study_fields(), "threads"), *given, "study", problems);
    return good ? std::get<std::int64_t>(*good) : 1;
  }
  const std::size_t cores = std::max(1U, std::thread::hardware_concurrency());
  return trials >= cores ? 1 : static_cast<std::int64_t>(cores);
}

void read_study(const Config* table, Study& study, Problems& problems) {
  StudySettings& settings = study;
  settings.name = study_name(study.path);
  if (table == nullptr) return;
  for (const Config::Entry& entry : *table->as_table()) {
    if (find_field(study_fields(), entry.key) != nullptr) continue;
    problems.add(entry.key_place,
                 fmt::format("unknown key '{}' in [study]{}", entry.key.substr(0, 60),
                             registry::did_you_mean(entry.key, names_of(study_fields()))));
  }
  read_settings(study_settings(), "study", *table, settings, problems);
}

Limits limits_of(const Study& study, const Config* table, Problems& problems) {
  Limits limits;
  const auto measure = [&](const char* key, const std::string& text, auto read, auto& into) {
    try {
      into = read(text);
    } catch (const Error& problem) {
      problems.add(place_in(table, key), fmt::format("study: '{}' {}", key, problem.what()));
    }
  };
  measure("time_limit", study.time_limit, duration_of, limits.time);
  measure("hang_limit", study.hang_limit, duration_of, limits.hang);
  measure("memory_limit", study.memory_limit, bytes_of, limits.memory);
  measure("disk", study.disk, bytes_of, limits.disk);
  Price price;  // only looked at
  measure("price", study.price, price_of, price);
  measure("tracker_wait", study.tracker_wait, duration_of, limits.trackers);
  return limits;
}

std::string recorded_name(const PartSpec& metric) {
  return fmt::format("valid.{}",
                     std::string_view(metric.address).substr(std::string_view("metric.").size()));
}

/// Names of all that a trial records.
std::vector<std::string> recorded(const TrialSpec& spec) {
  std::vector<std::string> names{"train.loss", "valid.loss"};
  for (const PartSpec& metric : spec.metrics) names.push_back(recorded_name(metric));
  return names;
}

void settle_metric(Study& study, const TrialSpec& first, const registry::Catalog& catalog) {
  if (study.metric.empty()) {
    const std::vector<std::string> names = recorded(first);
    const bool has_accuracy =
        std::find(names.begin(), names.end(), "valid.accuracy") != names.end();
    study.metric = has_accuracy ? "valid.accuracy" : names.size() > 2 ? names[2] : "valid.loss";
  }
  if (!study.goal.empty()) return;
  study.goal = "minimize";
  for (const PartSpec& metric : first.metrics) {
    const registry::PartSchema* schema = catalog.find("metric", metric.use);
    if (recorded_name(metric) == study.metric && schema != nullptr) study.goal = schema->goal;
  }
}

void check_metric(const Study& study, const TrialSpec& spec, const Place& place,
                  const std::string& arm, Problems& problems) {
  const std::vector<std::string> names = recorded(spec);
  if (std::find(names.begin(), names.end(), study.metric) != names.end()) return;
  std::string near = registry::did_you_mean(study.metric, names);
  if (near.empty()) {
    for (const std::string& name : names) near += (near.empty() ? "; recorded are " : ", ") + name;
  }
  problems.add_of_arm(place, fmt::format("study: metric '{}' isn't recorded{}", study.metric, near),
                      arm);
}

/// What can't differ between trials of one study.
void check_overlay(const Config& overlay, Problems& problems) {
  for (const Config::Entry& entry : *overlay.as_table()) {
    const std::string first = entry.key.substr(0, entry.key.find('.'));
    const bool fixed = first == "study" || first == "tracker" || first == "arms" ||
                       first == "sweep" || first == "ablate" || first == "design" ||
                       first == "extends";
    if (fixed)
      problems.add(entry.key_place,
                   fmt::format("'{}' is the whole study's: it can't differ between trials", first));
  }
}

bool uses_python(const PartSpec& part) {
  return part.use.starts_with("python:") ||
         std::any_of(part.slots.begin(), part.slots.end(),
                     [](const auto& slot) { return uses_python(slot.second); });
}

bool uses_python(const std::vector<PlannedTrial>& trials) {
  return std::any_of(trials.begin(), trials.end(), [](const PlannedTrial& trial) {
    const TrialSpec& spec = trial.shape->spec;
    for (const auto* list : {&spec.transforms, &spec.metrics, &spec.callbacks}) {
      for (const PartSpec& part : *list) {
        if (uses_python(part)) return true;
      }
    }
    for (const ScheduleSpec& schedule : spec.schedules) {
      if (uses_python(schedule.part)) return true;
    }
    return uses_python(spec.dataset) || uses_python(spec.model) || uses_python(spec.loss) ||
           uses_python(spec.optimizer);
  });
}

/// From the document to the trials.
class Loader {
 public:
  Loader(const fs::path& path, const std::vector<std::string>& overrides,
         const registry::Catalog& catalog)
      : problems_(path.string()), catalog_(catalog), resolver_(catalog, problems_) {
    study_.path = path;
    document_ = read_document(path, overrides, problems_);
  }

  Study load(const Proposer& propose) {
    const Config* table = study_table(document_, problems_);
    read_study(table, study_, problems_);
    study_.limits = limits_of(study_, table, problems_);
    study_.plugins = folders_of(table, "plugins", problems_);
    study_.python = folders_of(table, "python", problems_);
    study_.trust = keys_of(table, problems_);
    study_.trackers = trackers_of(document_.root.find("tracker"), resolver_, problems_);
    std::vector<Variant> variants = expand(propose);
    const bool has_arms = !study_.is_sweep && variants.size() > 1;
    study_.until_decided = is_until_decided(table);
    study_.seeds = study_.until_decided
                       ? first_seeds(study_, has_arms, place_in(table, "seeds"), problems_)
                       : seeds_of(table, has_arms, problems_);
    const std::size_t count = variants.size() * study_.seeds.size();
    study_.threads = threads_of(table, count, problems_);
    if (count > kMaxTrials) {
      problems_.add(fmt::format("{} trials, expected at most {}; use fewer values or seeds", count,
                                kMaxTrials));
      problems_.raise();
    }
    const std::vector<PlannedTrial> resolved = resolve(variants, place_in(table, "metric"));
    problems_.raise();
    plan(resolved);
    auto provenance = std::make_shared<Provenance>(
        Provenance{std::move(document_.root), std::move(variants), document_.sweep});
    study_.provenance = std::move(provenance);
    // A resolved study lies in another folder than the modules that its file meant.
    const bool search_is_python = sweep_.adaptive && uses_python(*sweep_.adaptive);
    if (study_.python.empty() && (search_is_python || uses_python(resolved)))
      study_.python = {fs::absolute(study_.path).lexically_normal().parent_path()};
    study_.resolved = resolved_text(study_, examples(resolved));
    if (sweep_.adaptive) {
      study_.adaptive =
          std::make_shared<AdaptiveSweep>(study_, *sweep_.adaptive, sweep_.axes, sweep_.place);
      study_.arms.clear();  // they come as the search asks for them
    }
    return std::move(study_);
  }

 private:
  /// Where a sweep is broken, so that the rest is checked all the same.
  static Variant first_of_each(const std::vector<SweepAxis>& axes) {
    Variant made{"base", {}, {Config::table({})}};
    for (const SweepAxis& axis : axes) {
      for (std::size_t k = 0; k < axis.values.size(); ++k)
        made.overlays[0].set(axis.search.addresses[k], axis.key_places[k], axis.values[k].front());
    }
    return made;
  }

  void refuse_recipes(const SweepAxis& axis) {
    for (std::size_t k = 0; k < axis.key_places.size(); ++k) {
      const std::string& address = axis.search.addresses[k];
      if (address.starts_with("train.recipe"))
        problems_.add(axis.key_places[k],
                      "a recipe stands for other keys: write arms, or sweep those keys, e.g. "
                      "'callback.rates.lowest'");
    }
  }

  std::vector<Variant> expand(const Proposer& propose) {
    study_.is_sweep = document_.has_sweep;
    std::vector<Variant> arms = arms_of(document_, study_.design, problems_);
    if (!study_.is_sweep) return arms;
    const std::vector<SweepAxis> axes = axes_of(document_.sweep, problems_);
    for (const SweepAxis& axis : axes) {
      refuse_recipes(axis);
      study_.swept.insert(study_.swept.end(), axis.search.addresses.begin(),
                          axis.search.addresses.end());
    }
    sweep_ = points_of(axes, document_, resolver_, catalog_, propose, problems_);
    if (sweep_.variants.empty()) return {first_of_each(axes)};
    return std::move(sweep_.variants);
  }

  /// One trial of each variant, without its seed.
  std::vector<PlannedTrial> resolve(const std::vector<Variant>& variants,
                                    const Place& metric_place) {
    VariantResolver resolver(document_.root, study_, resolver_, catalog_, problems_);
    std::vector<PlannedTrial> resolved;
    resolved.reserve(variants.size());
    for (const Variant& variant : variants) {
      const std::string arm = document_.has_arms ? variant.name : "";
      if (!study_.is_sweep || resolved.empty()) {  // points of a sweep set the same addresses
        for (const Config& overlay : variant.overlays) check_overlay(overlay, problems_);
      }
      PlannedTrial trial = resolver.resolve(variant, arm);
      const TrialSpec& spec = trial.shape->spec;
      if (resolved.empty()) settle_metric(study_, spec, catalog_);
      const bool is_new = resolved.empty() || resolved.back().shape != trial.shape;
      if (is_new && !resolver_.broken("metric"))
        check_metric(study_, spec, metric_place, arm, problems_);
      resolved.push_back(std::move(trial));
      if (problems_.enough()) break;
    }
    return resolved;
  }

  void plan(const std::vector<PlannedTrial>& variants) {
    study_.trials.reserve(variants.size() * study_.seeds.size());
    for (const PlannedTrial& variant : variants) {
      study_.arms.push_back(variant.arm);
      for (const std::uint64_t seed : study_.seeds) {
        study_.trials.push_back(variant);
        study_.trials.back().seed = seed;
      }
    }
  }

  /// One of each arm; of a sweep, one of those points that hold the same parts.
  static std::vector<const TrialSpec*> examples(const std::vector<PlannedTrial>& variants) {
    std::vector<const TrialSpec*> specs;
    std::unordered_set<const TrialShape*> seen;
    for (const PlannedTrial& variant : variants) {
      if (seen.insert(variant.shape.get()).second) specs.push_back(&variant.shape->spec);
    }
    return specs;
  }

  Problems problems_;
  const registry::Catalog& catalog_;
  Resolver resolver_;
  Document document_;
  SweepPoints sweep_;
  Study study_;
};

}  // namespace

Diagnostic Study::place(const std::string& address, const std::string& arm,
                        const std::string& message) const {
  Place nearest;
  for (const Variant& variant : provenance->variants) {
    if (variant.name != arm) continue;
    Problems none("");
    at_address(variant.over(provenance->base, none), address, &nearest);
    break;
  }
  if (!nearest.file) return {path.string(), 1, 1, printable(message)};
  return {*nearest.file, nearest.line, nearest.column, printable(message)};
}

std::string study_name(const fs::path& path) {
  const fs::path folder = fs::absolute(path).lexically_normal().parent_path().filename();
  const bool named_by_folder = path.filename() == "study.toml" && !folder.empty();
  return (named_by_folder ? folder : path.stem()).string();
}

Study load_study(const fs::path& path, const std::vector<std::string>& overrides,
                 const registry::Catalog& catalog, const Proposer& propose) {
  return Loader(path, overrides, catalog).load(propose);
}

}  // namespace paribus
