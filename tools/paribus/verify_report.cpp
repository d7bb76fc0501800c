// SPDX-License-Identifier: Apache-2.0
#include "verify_report.h"

#include <fmt/format.h>

#include <cmath>

#include "study_reader.h"
#include "table.h"

namespace paribus {
namespace {

using driver::Bisection;
using driver::Comparison;
using driver::TensorDifference;
using driver::Verified;
using nlohmann::json;

constexpr std::size_t kMostTensors = 6;  // named in words
constexpr const char* kLoss = "train.batch_loss";

std::string value(const std::optional<double>& number) {
  return number ? fmt::format("{}", *number) : std::string("nothing");
}

std::string names(const Comparison& found) {
  std::string text;
  for (std::size_t i = 0; i < std::min(found.tensors.size(), kMostTensors); ++i)
    text += (i ? ", " : "") + safe_text(found.tensors[i].tensor);
  if (found.tensors.size() > kMostTensors) text += ", ...";
  return fmt::format("{} of {} tensors differ: {}", found.tensors.size(), found.tensors_in_all,
                     text);
}

/// `one` and `other` say whose values stand first and second.
void print_differences(const Comparison& found, const char* one, const char* other) {
  if (found.point)
    fmt::print("  {} of step {}: {} {}, {} {}\n", safe_text(found.point->series), found.point->step,
               value(found.point->one), one, value(found.point->other), other);
  if (found.window)
    fmt::print("  fingerprint of step {}: {:08x} {}, {:08x} {}\n", found.window->step,
               found.window->one, one, found.window->other, other);
  if (found.full_step >= 0)
    fmt::print("  after step {} {} ({:08x} {}, {:08x} {})\n", found.full_step, names(found),
               found.tensors.front().one, one, found.tensors.front().other, other);
  for (const auto& end : found.ends)
    fmt::print("  {}: {} {}, {} {}\n", safe_text(end.what), safe_text(end.one), one,
               safe_text(end.other), other);
}

/// Where in a step two runs part, as far as its loss and the tensors after it tell.
std::string place_in_step(const Comparison& found, std::int64_t step) {
  const bool loss = found.point && found.point->step == step && found.point->series == kLoss;
  return loss ? "its loss differs already, so it is the batch or the forward pass"
              : "its loss is equal, so it is what comes after the forward pass";
}

void print_chance(const Bisection& bisection) {
  const Comparison& found = bisection.between;
  const auto step = found.first_step();
  fmt::print("  not deterministic: with all else equal two runs here differ");
  if (!step) {
    fmt::print(", only in how they end:\n");
  } else if (found.full_step == *step) {
    fmt::print(" from step {} on; {}; {}:\n", *step, names(found), place_in_step(found, *step));
  } else {
    fmt::print(" from step {} on:\n", *step);
  }
  print_differences(found, "in one", "in the other");
}

void print_elsewhere(const Bisection& bisection, const Verified& verified, bool changed) {
  fmt::print(
      "  three runs here agree in every bit up to step {}: the record was computed otherwise, {}\n",
      bisection.last,
      changed ? "with what is listed above as changed" : "by another machine or with an error");
  const Comparison& known = verified.comparison;
  if (known.full_step < 0) return;
  const std::string before =
      known.last_equal_full > 0
          ? fmt::format("after step {} the record has all tensors as they are here",
                        known.last_equal_full)
          : std::string("no earlier fingerprints of all tensors are recorded");
  fmt::print("  {}; after step {} {}\n", before, known.full_step, names(known));
}

std::string compared(const Comparison& found) {
  return fmt::format("{} points, {} + {} fingerprints", found.points, found.windows, found.fulls);
}

void print_table(const std::vector<Judged>& judged) {
  TextTable table;
  for (const char* title : {"id", "arm"}) table.add_column(title);
  table.add_column("seed", TextTable::Align::right);
  for (const char* title : {"verdict", "compared"}) table.add_column(title);
  for (const Judged& one : judged) {
    const driver::Trial& trial = *one.verified.trial;
    table.add_row({trial.id, trial.arm, fmt::format("{}", trial.seed), verdict_of(one.verified),
                   compared(one.verified.comparison)});
  }
  table.print(stdout);
}

json number(const std::optional<double>& value) {
  return value && std::isfinite(*value) ? json(*value) : json(nullptr);
}

json to_json(const Comparison& found, const char* one, const char* other) {
  json object = json::object();
  const auto step = found.first_step();
  object["first_step"] = step ? json(*step) : json(nullptr);
  if (found.point)
    object["point"] = {{"series", found.point->series},
                       {"step", found.point->step},
                       {one, number(found.point->one)},
                       {other, number(found.point->other)}};
  if (found.window)
    object["fingerprint"] = {
        {"step", found.window->step}, {one, found.window->one}, {other, found.window->other}};
  if (found.full_step >= 0) {
    json tensors = json::array();
    for (const TensorDifference& tensor : found.tensors)
      tensors.push_back({{"name", tensor.tensor}, {one, tensor.one}, {other, tensor.other}});
    object["tensors"] = {{"step", found.full_step},
                         {"last_equal_step", found.last_equal_full},
                         {"of", found.tensors_in_all},
                         {"differ", tensors}};
  }
  json ends = json::array();
  for (const auto& end : found.ends)
    ends.push_back({{"what", end.what}, {one, end.one}, {other, end.other}});
  object["end"] = ends;
  return object;
}

json to_json(const Bisection& bisection) {
  const bool chance = bisection.kind == Bisection::Kind::not_deterministic;
  json object = {{"finding", chance ? "not deterministic" : "recorded elsewhere"},
                 {"from_step", bisection.first},
                 {"to_step", bisection.last},
                 {"problem", bisection.problem}};
  if (chance) object["between"] = to_json(bisection.between, "one", "other");
  return object;
}

}  // namespace

std::string verdict_of(const Verified& verified) {
  if (!verified.outcome.done())
    return fmt::format("failed: {}", verified.outcome.message.empty()
                                         ? fmt::format("exit status {}", verified.outcome.code)
                                         : verified.outcome.message);
  if (verified.identical()) return "bit-identical";
  const auto step = verified.comparison.first_step();
  return step ? fmt::format("differs from step {} on", *step) : "differs in how it ends";
}

void print_judged(const driver::Verification& verification, const std::vector<Judged>& judged) {
  for (const driver::Change& change : verification.changes())
    fmt::print("{} has changed: {} in the record, {} now\n", change.what,
               safe_text(change.recorded), safe_text(change.now));
  if (!verification.changes().empty())
    fmt::print("so a new run would be another trial; the comparison is made all the same\n\n");
  print_table(judged);
  std::size_t identical = 0;
  for (const Judged& one : judged) {
    if (one.verified.identical()) {
      ++identical;
      continue;
    }
    fmt::print("\n{} {}: {}\n", one.verified.trial->id, safe_text(one.verified.trial->label()),
               safe_text(verdict_of(one.verified)));
    print_differences(one.verified.comparison, "in the record", "now");
    if (!one.bisection) continue;
    if (!one.bisection->problem.empty())
      fmt::print("  a run of the bisection failed: {}\n", safe_text(one.bisection->problem));
    if (one.bisection->kind == Bisection::Kind::not_deterministic)
      print_chance(*one.bisection);
    else
      print_elsewhere(*one.bisection, one.verified, !verification.changes().empty());
  }
  fmt::print("\nbit-identical: {} of {} trials\n", identical, judged.size());
}

json to_json(const driver::Verification& verification, const std::vector<Judged>& judged) {
  json changes = json::array(), trials = json::array();
  for (const driver::Change& change : verification.changes())
    changes.push_back({{"what", change.what}, {"recorded", change.recorded}, {"now", change.now}});
  for (const Judged& one : judged) {
    const Verified& verified = one.verified;
    const Comparison& found = verified.comparison;
    json trial = {{"id", verified.trial->id},
                  {"arm", verified.trial->arm},
                  {"seed", verified.trial->seed},
                  {"identical", verified.identical()},
                  {"verdict", verdict_of(verified)},
                  {"compared",
                   {{"points", found.points},
                    {"fingerprints", found.windows},
                    {"full_fingerprints", found.fulls}}}};
    if (!verified.identical()) trial["differs"] = to_json(found, "recorded", "now");
    if (one.bisection) trial["bisection"] = to_json(*one.bisection);
    trials.push_back(std::move(trial));
  }
  return {{"study", verification.study().name}, {"changes", changes}, {"trials", trials}};
}

}  // namespace paribus
