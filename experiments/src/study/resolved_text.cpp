// SPDX-License-Identifier: Apache-2.0
#include "study/resolved_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "study/settings.h"

namespace paribus {
namespace {

bool same(const PartSpec& a, const PartSpec& b) {
  if (a.kind != b.kind || a.use != b.use || a.address != b.address || a.params != b.params)
    return false;
  return std::equal(
      a.slots.begin(), a.slots.end(), b.slots.begin(), b.slots.end(),
      [](const auto& x, const auto& y) { return x.first == y.first && same(x.second, y.second); });
}

/// The same parts, whatever their parameters.
bool alike(const PartSpec& a, const PartSpec& b) {
  if (a.kind != b.kind || a.use != b.use || a.address != b.address) return false;
  return std::equal(
      a.slots.begin(), a.slots.end(), b.slots.begin(), b.slots.end(),
      [](const auto& x, const auto& y) { return x.first == y.first && alike(x.second, y.second); });
}

using Compare = bool (*)(const PartSpec&, const PartSpec&);

bool lists(Compare compare, const std::vector<PartSpec>& a, const std::vector<PartSpec>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), compare);
}

template <class Settings>
bool same_settings(const std::vector<Setting<Settings>>& keys, const Settings& a,
                   const Settings& b) {
  return std::all_of(keys.begin(), keys.end(),
                     [&](const auto& key) { return key.get(a) == key.get(b); });
}

/// "schedule.optimizer.lr"
const ScheduleSpec* schedule_at(const TrialSpec& trial, const std::string& address) {
  for (const ScheduleSpec& schedule : trial.schedules) {
    if (schedule.part.address == address) return &schedule;
  }
  return nullptr;
}

std::string header_of(const std::string& prefix, const std::string& address) {
  if (address.starts_with("schedule.")) return prefix + "schedule." + toml_key(address.substr(9));
  return prefix + address;
}

/// One configuration's values as TOML. Keys before the first header go to `root`, all else to
/// `body`.
class Writer {
 public:
  Writer(const Config& config, std::string prefix) : config_(config), prefix_(std::move(prefix)) {}

  std::string root, body;

  void part(const PartSpec& spec) {
    part(spec, header_of(prefix_, spec.address), false, [] {});
  }

  void data(const TrialSpec& trial) {
    part(trial.dataset, prefix_ + "data", false,
         [&] { settings(data_settings(), trial.data, "data"); });
  }

  void train(const TrialSpec& trial) {
    body += fmt::format("\n[{}train]\n", prefix_);
    settings(train_settings(), trial.train, "train");
  }

  void list(const std::string& address, const std::vector<PartSpec>& parts, bool write_empty) {
    if (parts.empty() && write_empty)
      root += fmt::format("{} = []  # {}\n", address, where(address));
    for (const PartSpec& spec : parts) {
      part(spec, prefix_ + address, true, [&] {
        const std::string name = spec.address.substr(address.size() + 1);
        if (name != spec.use) line("name", Value{name}, spec.address + ".name");
      });
    }
  }

  void tracker(const TrackerSpec& tracker) {
    const PartSpec& spec = tracker.part;
    part(spec, "tracker", true, [&] {
      const std::string name = spec.address.substr(spec.address.find('.') + 1);
      if (name != spec.use) line("name", Value{name}, spec.address + ".name");
      if (!tracker.only.empty()) line("only", Value{tracker.only}, spec.address + ".only");
    });
  }

  template <class Settings>
  void settings(const std::vector<Setting<Settings>>& keys, const Settings& settings,
                const std::string& at) {
    for (const auto& key : keys)
      line(key.schema.name, key.get(settings), at + "." + key.schema.name);
  }

  void line(const std::string& key, const Value& value, const std::string& address) {
    if (std::holds_alternative<std::monostate>(value)) return;
    line(key, toml_value(value), where(address));
  }
  void line(const std::string& key, const std::string& value, const std::string& comment) {
    body += fmt::format("{:<40}  # {}\n", toml_key(key) + " = " + value, comment);
  }

  /// A part as it is written, where its parameters depend on the point of a sweep.
  void raw(const std::string& address) {
    const Config* written = at_address(config_, address);
    if (written == nullptr) return;
    if (written->as_list() != nullptr) {
      root += fmt::format("{} = {}  # {}\n", address, written->toml(),
                          printable(written->place().text()));
      return;
    }
    body += fmt::format("\n[{}]\n", header_of(prefix_, address));
    if (const std::string* use = written->as_text())
      return line("use", toml_text(*use), printable(written->place().text()));
    for (const Config::Entry& entry : *written->as_table()) {
      if (address == "data" && entry.key == "transforms") continue;
      line(entry.key, entry.value.toml(), printable(entry.value.place().text()));
    }
  }

  [[nodiscard]] std::string where(const std::string& address) const {
    const Config* written = at_address(config_, address);
    return written == nullptr ? "default" : printable(written->place().text());
  }

 private:
  void part(const PartSpec& spec, const std::string& header, bool in_list,
            const std::function<void()>& more) {
    body += in_list ? fmt::format("\n[[{}]]\n", header) : fmt::format("\n[{}]\n", header);
    line("use", Value{spec.use}, spec.address + ".use");
    more();
    for (const auto& [name, value] : spec.params) line(name, value, spec.address + "." + name);
    for (const auto& [name, slot] : spec.slots)
      part(slot, header + "." + toml_key(name), false, [] {});
  }

  const Config& config_;
  std::string prefix_;
};

/// A place of the study that is written as a whole or not at all.
struct Section {
  std::string address;
  std::function<bool(const TrialSpec&, const TrialSpec&)> same, alike;
  std::function<void(Writer&, const TrialSpec&)> write;
};

Section one(const std::string& address, PartSpec TrialSpec::*member) {
  return {address,
          [member](const TrialSpec& a, const TrialSpec& b) { return same(a.*member, b.*member); },
          [member](const TrialSpec& a, const TrialSpec& b) { return alike(a.*member, b.*member); },
          [member](Writer& writer, const TrialSpec& trial) { writer.part(trial.*member); }};
}

Section many(const std::string& address, std::vector<PartSpec> TrialSpec::*member) {
  const bool write_empty = address == "metric";  // none written would mean the default ones
  return {address,
          [member](const TrialSpec& a, const TrialSpec& b) {
            return lists(same, a.*member, b.*member);
          },
          [member](const TrialSpec& a, const TrialSpec& b) {
            return lists(alike, a.*member, b.*member);
          },
          [=](Writer& writer, const TrialSpec& trial) {
            writer.list(address, trial.*member, write_empty);
          }};
}

Section schedule(const std::string& address) {
  const auto compare = [address](Compare alike_or_same, const TrialSpec& a, const TrialSpec& b) {
    const ScheduleSpec* x = schedule_at(a, address);
    const ScheduleSpec* y = schedule_at(b, address);
    return x == nullptr || y == nullptr ? x == y : alike_or_same(x->part, y->part);
  };
  return {address, [=](const TrialSpec& a, const TrialSpec& b) { return compare(same, a, b); },
          [=](const TrialSpec& a, const TrialSpec& b) { return compare(alike, a, b); },
          [=](Writer& writer, const TrialSpec& trial) {
            if (const ScheduleSpec* found = schedule_at(trial, address)) writer.part(found->part);
          }};
}

Section data_section() {
  return {"data",
          [](const TrialSpec& a, const TrialSpec& b) {
            return same(a.dataset, b.dataset) && same_settings(data_settings(), a.data, b.data);
          },
          [](const TrialSpec& a, const TrialSpec& b) { return alike(a.dataset, b.dataset); },
          [](Writer& writer, const TrialSpec& trial) { writer.data(trial); }};
}

Section train_section() {
  return {"train",
          [](const TrialSpec& a, const TrialSpec& b) {
            return same_settings(train_settings(), a.train, b.train);
          },
          [](const TrialSpec& /*a*/, const TrialSpec& /*b*/) { return true; },
          [](Writer& writer, const TrialSpec& trial) { writer.train(trial); }};
}

std::vector<Section> sections_of(const std::vector<const TrialSpec*>& specs) {
  std::vector<Section> sections{data_section(),
                                many("data.transforms", &TrialSpec::transforms),
                                one("model", &TrialSpec::model),
                                one("loss", &TrialSpec::loss),
                                one("optimizer", &TrialSpec::optimizer),
                                train_section(),
                                many("metric", &TrialSpec::metrics),
                                many("callback", &TrialSpec::callbacks)};
  std::set<std::string> seen;
  for (const TrialSpec* spec : specs) {
    for (const ScheduleSpec& it : spec->schedules) {
      if (seen.insert(it.part.address).second) sections.push_back(schedule(it.part.address));
    }
  }
  return sections;
}

void write_study(Writer& writer, const Study& study) {
  writer.body += "\n[study]\n";
  writer.settings(study_settings(), static_cast<const StudySettings&>(study), "study");
  std::vector<std::int64_t> seeds(study.seeds.begin(), study.seeds.end());
  if (study.until_decided)
    writer.line("seeds", Value{std::string(kUntilDecided)}, "study.seeds");
  else
    writer.line("seeds", Value{seeds}, "study.seeds");
  writer.line("threads", Value{study.threads}, "study.threads");
  std::vector<std::string> folders;
  for (const auto& folder : study.plugins) folders.push_back(folder.string());
  writer.line("plugins", Value{folders}, "study.plugins");
  std::vector<std::string> modules;
  for (const auto& folder : study.python) modules.push_back(folder.string());
  if (!modules.empty()) writer.line("python", Value{modules}, "study.python");
  if (study.trust) writer.line("trust", Value{*study.trust}, "study.trust");
}

/// Which factors are on in which arm, as [ablate] combined them: its arms stand written out.
std::string design_text(const Design& design) {
  if (design.empty()) return "";
  std::string factors, on;
  for (const std::string& factor : design.factors)
    factors += (factors.empty() ? "" : ", ") + toml_text(factor);
  for (const std::vector<bool>& row : design.on) {
    on += "  [";
    for (std::size_t i = 0; i < row.size(); ++i)
      on += fmt::format("{}{}", i == 0 ? "" : ", ", row[i] ? "true" : "false");
    on += "],\n";
  }
  return fmt::format("\n[design]\nkind = {}\nfactors = [{}]\non = [  # of each arm\n{}]\n",
                     toml_text(design.kind), factors, on);
}

void write_sweep(Writer& writer, const Config& sweep) {
  writer.body += "\n[sweep]\n";
  for (const Config::Entry& entry : *sweep.as_table()) {
    writer.line(entry.key, entry.value.toml(), printable(entry.value.place().text()));
  }
}

template <class Function>
bool all_like_first(const std::vector<const TrialSpec*>& specs, const Function& compare) {
  return std::all_of(specs.begin(), specs.end(),
                     [&](const TrialSpec* spec) { return compare(*specs[0], *spec); });
}

std::string arm_text(const Variant& arm, const TrialSpec& spec, const Config& base,
                     const std::vector<Section>& differing) {
  Problems none("");
  const Config config = arm.over(base, none);
  const std::string prefix = fmt::format("arms.{}.", toml_key(arm.name));
  Writer writer(config, prefix);
  for (const Section& section : differing) section.write(writer, spec);
  return fmt::format("\n[arms.{}]  # {}\n{}{}", toml_key(arm.name), printable(arm.place.text()),
                     writer.root, writer.body);
}

}  // namespace

std::string resolved_text(const Study& study, const std::vector<const TrialSpec*>& specs) {
  const Provenance& from = *study.provenance;
  Problems none("");
  const Config first = from.variants[0].over(from.base, none);
  Writer writer(first, ""), as_written(from.base, "");
  write_study(writer, study);
  std::vector<Section> differing;
  for (const Section& section : sections_of(specs)) {
    const bool shared = all_like_first(specs, section.same) ||
                        (study.is_sweep && all_like_first(specs, section.alike));
    if (shared) {
      section.write(writer, *specs[0]);
    } else if (study.is_sweep) {
      as_written.raw(section.address);
    } else {
      differing.push_back(section);
    }
  }
  for (const TrackerSpec& tracker : study.trackers) writer.tracker(tracker);
  std::string arms;
  const bool has_arms =
      !study.is_sweep && (from.variants.size() > 1 || from.variants[0].place.file);
  for (std::size_t i = 0; has_arms && i < specs.size(); ++i)
    arms += arm_text(from.variants[i], *specs[i], from.base, differing);
  if (study.is_sweep) write_sweep(as_written, from.sweep);
  return fmt::format("# The study {} with every value, and behind # where each came from.\n",
                     printable(study.path.string())) +
         writer.root + as_written.root + writer.body + as_written.body + arms +
         design_text(study.design);
}

}  // namespace paribus
