// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <set>

#include "peers.h"

namespace {

using namespace paribus;
using tracker::Json;

// What one request may carry, and a name or a value may be long.
constexpr std::size_t kMostMetrics = 1000, kMostOfOthers = 100;
constexpr std::size_t kLongestParam = 6000, kLongestTag = 5000, kLongestKey = 250;
constexpr double kLongestUpload = 3600;  // s

std::int64_t milliseconds(double seconds) { return std::llround(seconds * 1000); }

/// A name as MLflow takes it. One that had to be changed gets a number of its own: no two become
/// one.
std::string key(std::string_view name) {
  std::string fit(name);
  for (char& c : fit) {
    const bool is_taken = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                          (c >= '0' && c <= '9') ||
                          std::string_view("_-. :/").find(c) != std::string_view::npos;
    if (!is_taken) c = '_';
  }
  if (std::filesystem::path(fit).lexically_normal().string() != fit || fit.starts_with('/') ||
      fit.ends_with('/') || fit.starts_with(".."))
    std::replace(fit.begin(), fit.end(), '/', '_');
  if (fit == name && fit.size() <= kLongestKey) return fit;
  std::uint64_t sum = 0xcbf29ce484222325;  // FNV-1a
  for (const char c : name) sum = (sum ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  const std::string number = "-" + std::to_string(sum);
  return fit.substr(0, kLongestKey - number.size()) + number;
}

std::string text(const Value& value) {
  return std::visit(
      [](const auto& one) -> std::string {
        using T = std::decay_t<decltype(one)>;
        if constexpr (std::is_same_v<T, std::monostate>) {
          return "";
        } else if constexpr (std::is_same_v<T, std::string>) {
          return one;
        } else {
          return Json(one).dump();
        }
      },
      value);
}

Json pair(const std::string& name, const std::string& value) {
  return {{"key", name}, {"value", value}};
}

const char* status_of(const std::string& end) {
  return end == "done" ? "FINISHED" : end == "failed" ? "FAILED" : "KILLED";
}

}  // namespace

/// MLflow's REST interface: an experiment, a run for the study, and below it a run for each trial,
/// with its parameters, metrics and tags, its configuration and how it ended as artifacts. A run is
/// known by a tag, so that none is made twice; a metric that comes again has the same time, and
/// the server keeps it once.
struct Mlflow : paribus::Tracker {
  struct Params {
    std::string_view uri, experiment, tags;
    bool artifacts = true, weights = false;
    static constexpr auto fields() {
      return std::tuple{
          field("uri", &Params::uri, "the server's address; empty: MLFLOW_TRACKING_URI"),
          field("experiment", &Params::experiment,
                "its name; empty: MLFLOW_EXPERIMENT_NAME, else that of the study"),
          field("tags", &Params::tags, "of every run: `name=value`, with commas between them"),
          field("artifacts", &Params::artifacts,
                "whether study.toml, config.json, result.json, output.txt, pictures and the report "
                "go with the runs"),
          field("weights", &Params::weights, "whether a trial's last weights go with its run")};
    }
  } params;

  void open(const TrackedStudy& study, Uplink& uplink) override {
    Tracker::open(study, uplink);
    study_ = study;
    base_ = tracker::address_of(params.uri, "MLFLOW_TRACKING_URI", "", "tracker/mlflow");
    const std::string host = tracker::host_of(base_);
    token_ = uplink.secret("MLFLOW_TRACKING_TOKEN");
    user_ = tracker::variable("MLFLOW_TRACKING_USERNAME");
    if (!user_.empty()) password_ = uplink.secret("MLFLOW_TRACKING_PASSWORD");
    key_ = tracker::key_of(uplink.folder());
  }

  void begin(TrackedTrial& trial) override {
    connect();
    if (trial.memo.empty()) {
      const Json known = find(key_ + "/" + trial.id, experiment_);
      trial.memo = known.is_null() ? make(trial) : id_of(known);
      const Json data = known.is_null() ? Json() : known.value("data", Json());
      if (data.is_object() && data.contains("metrics")) doubtful_.insert(trial.id);
      tell_parameters(trial);
    }
    set_status("RUNNING");
  }

  void log(TrackedTrial& trial, std::span<const TrackedPoint> points) override {
    if (doubtful_.contains(trial.id) && !points.empty()) settle(trial, points.front());
    run_again(trial);
    Json list = Json::array();
    for (const TrackedPoint& point : points) {
      list.push_back({{"key", key(point.metric)},
                      {"value", tracker::number(point.value)},
                      {"timestamp", milliseconds(point.time)},
                      {"step", point.step}});
    }
    batches(trial, "metrics", list, kMostMetrics);
  }

  /// As artifacts of the run. (MLflow has no histograms; its grid of images wants a small copy in
  /// WebP of each, which is not made.)
  void log_pictures(TrackedTrial& trial, std::span<const TrackedPicture> pictures) override {
    run_again(trial);
    if (doubtful_.contains(trial.id)) early_.insert(trial.id);
    for (const TrackedPicture& one : pictures) {
      std::string name = key(one.name);
      std::replace(name.begin(), name.end(), '/', '~');
      put(trial.memo, "images/" + name + "+step+" + std::to_string(one.step) + ".png",
          {.body = one.png});
    }
  }

  void end(TrackedTrial& trial, const TrackedEnd& end) override {
    Json tags = Json::array({pair("paribus.status", end.status)});
    if (!end.message.empty())
      tags.push_back(pair("paribus.message", end.message.substr(0, kLongestTag)));
    batches(trial, "tags", tags, kMostOfOthers);
    put(trial.memo, "result.json", {.body = tracker::result_of(trial, end)});
    for (const TrackedFile& file : end.files) {
      if (file.name == "output.txt")
        put(trial.memo, file.name, {.body = uplink().text_of(file.path)});
      if (file.name == "weights.safetensors" && params.weights)
        upload(trial.memo, file.name, {.file = file.path, .seconds = kLongestUpload});
    }
    taken(trial, "runs/update",
          {{"run_id", trial.memo},
           {"status", status_of(end.status)},
           {"end_time", milliseconds(end.time)}});
    running_.erase(trial.id);
    if (running_.empty()) set_status("FINISHED", end.time);
  }

  /// The study's run has what it left.
  void close(std::span<const TrackedFile> files) override {
    if (!params.artifacts) return;
    connect();
    for (const TrackedFile& file : files)
      put(parent_, file.name, {.body = uplink().text_of(file.path)});
  }

  void leave(TrackedTrial& trial) override {
    running_.erase(trial.id);
    doubtful_.erase(trial.id);
  }

 private:
  // -- the server -----------------------------------------------------------------------------

  HttpAnswer ask(const std::string& method, const std::string& path, HttpRequest request,
                 const char* type = "application/json") {
    request.method = method;
    request.url = base_ + "/api/2.0/" + path;
    if (method != "GET") request.headers = {{"Content-Type", type}};
    if (!token_.empty()) request.headers.emplace_back("Authorization", "Bearer " + token_);
    if (token_.empty()) request.user = user_, request.password = password_;
    HttpAnswer got = uplink().http(request);
    if (got.status == 401 || got.status == 403) {
      throw Error("tracker/mlflow: the server " + tracker::said(got) +
                  "; set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or "
                  "MLFLOW_TRACKING_TOKEN");
    }
    return got;
  }
  HttpAnswer call(const std::string& name, const Json& body) {
    return ask("POST", "mlflow/" + name, {.body = tracker::compact(body)});
  }
  Json answer(const std::string& name, const HttpAnswer& got) {
    tracker::expect_taken(got, "tracker/mlflow: " + name);
    Json json = tracker::parsed(got.body);
    if (json.is_object()) return json;
    throw Error("tracker/mlflow: " + name + ": the answer is no JSON; is " + base_ +
                " an MLflow server?");
  }

  static std::string need(const Json& answer, const char* where) {
    return tracker::need(answer, where, "tracker/mlflow");
  }
  static std::string id_of(const Json& run) { return need(run, "/info/run_id"); }

  /// For calls that name a run. One that the server knows no more is made anew, once in a process.
  void taken(const TrackedTrial& trial, const std::string& name, const Json& body) {
    const HttpAnswer got = call(name, body);
    if (got.status == 404 && !made_here_.contains(trial.id)) {
      experiment_.clear();
      throw StartOver("tracker/mlflow: the server has lost a run");
    }
    tracker::expect_taken(got, "tracker/mlflow: " + name);
  }

  // -- runs -----------------------------------------------------------------------------------

  /// The experiment and the study's run: looked for when they are needed first.
  void connect() {
    if (!experiment_.empty()) return;
    std::string name = params.experiment.empty() ? tracker::variable("MLFLOW_EXPERIMENT_NAME")
                                                 : std::string(params.experiment);
    if (name.empty()) name = study_.name;
    const std::string id = experiment(name);
    const Json known = find(key_, id);
    parent_status_.clear();
    parent_ = known.is_null() ? make_parent(id) : id_of(known);
    if (std::string toml = uplink().text_of(study_.directory / "study.toml"); !toml.empty())
      put(parent_, "study.toml", {.body = std::move(toml)});
    experiment_ = id;
  }

  std::string experiment(const std::string& name) {
    const std::string path = "mlflow/experiments/get-by-name?experiment_name=";
    HttpAnswer got = ask("GET", path + tracker::escaped(name), {});
    if (got.status == 404) {
      const HttpAnswer made = call("experiments/create", {{"name", name}});
      const std::string why = tracker::text_in(tracker::parsed(made.body), "error_code");
      if (why != "RESOURCE_ALREADY_EXISTS")  // somebody was quicker
        return need(answer("experiments/create", made), "/experiment_id");
      got = ask("GET", path + tracker::escaped(name), {});
    }
    const Json found = answer("experiments/get-by-name", got);
    if (need(found, "/experiment/lifecycle_stage") == "deleted") {
      throw Error("tracker/mlflow: the experiment '" + name +
                  "' has been deleted on the server; restore it, or name another");
    }
    return need(found, "/experiment/experiment_id");
  }

  /// The run that bears the tag; null if there is none. A request whose answer was lost may have
  /// made one more: the first by id stays.
  Json find(const std::string& tag, const std::string& experiment) {
    Json found = answer("runs/search",
                        call("runs/search", {{"experiment_ids", {experiment}},
                                             {"max_results", 100},
                                             {"filter", "tags.`paribus.key` = '" + tag + "'"}}));
    Json kept;
    for (Json& run : found["runs"]) {
      if (!kept.is_null() && id_of(run) > id_of(kept)) std::swap(run, kept);
      if (!kept.is_null()) remove(id_of(kept));
      kept = std::move(run);
    }
    return kept;
  }

  /// It may have been removed before its answer came.
  void remove(const std::string& run) {
    const HttpAnswer got = call("runs/delete", {{"run_id", run}});
    if (got.status != 400 && got.status != 404)
      tracker::expect_taken(got, "tracker/mlflow: runs/delete");
  }

  std::string make(const std::string& tag, const std::string& experiment, const std::string& name,
                   double started, Json tags) {
    tags.push_back(pair("paribus.key", tag));
    tags.push_back(pair("mlflow.source.name", study_.name));
    for (std::size_t from = 0; from < params.tags.size();) {
      const std::size_t to = std::min(params.tags.find(',', from), params.tags.size());
      const std::string one(params.tags.substr(from, to - from));
      const std::size_t equals = std::min(one.find('='), one.size());
      tags.push_back(pair(one.substr(0, equals), one.substr(std::min(equals + 1, one.size()))));
      from = to + 1;
    }
    const Json made =
        answer("runs/create", call("runs/create", {{"experiment_id", experiment},
                                                   {"run_name", name},
                                                   {"start_time", milliseconds(started)},
                                                   {"tags", std::move(tags)}}));
    const Json kept = find(tag, experiment);
    return id_of(kept.is_null() ? made.value("run", Json()) : kept);
  }
  std::string make(const TrackedTrial& trial) {
    made_here_.insert(trial.id);
    return make(key_ + "/" + trial.id, experiment_, tracker::name_of(trial), trial.started,
                {pair("mlflow.parentRunId", parent_), pair("paribus.trial", trial.id),
                 pair("paribus.arm", trial.arm), pair("paribus.seed", std::to_string(trial.seed))});
  }
  std::string make_parent(const std::string& experiment) {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    Json tags{pair("paribus.metric", study_.metric),
              pair("paribus.goal", study_.maximize ? "maximize" : "minimize")};
    if (!study_.question.empty()) tags.push_back(pair("mlflow.note.content", study_.question));
    return make(key_, experiment, study_.name, std::chrono::duration<double>(now).count(), tags);
  }

  /// Parameters, and the configuration as a file.
  void tell_parameters(const TrackedTrial& trial) {
    Json list = Json::array();
    const auto add = [&](const std::string& name, const Value& value) {
      list.push_back(pair(key(name), text(value).substr(0, kLongestParam)));
    };
    for (const auto& [address, value] : trial.parameters) add(address, value);
    add("arm", trial.arm);
    add("seed", static_cast<std::int64_t>(trial.seed));
    batches(trial, "params", list, kMostOfOthers);
    put(trial.memo, "config.json", {.body = trial.config + "\n"});
  }

  /// A run was there already. It holds the beginning of what comes now if this was being delivered
  /// when the process was killed. Otherwise all of it comes again, at other times, on request: the
  /// old run goes to the server's trash.
  void settle(TrackedTrial& trial, const TrackedPoint& first) {
    const std::string query = "?run_id=" + tracker::escaped(trial.memo) + "&max_results=1" +
                              "&metric_key=" + tracker::escaped(key(first.metric));
    const Json found =
        answer("metrics/get-history", ask("GET", "mlflow/metrics/get-history" + query, {}));
    const Json known = found.value("metrics", Json::array());
    const bool is_same = trial.sent == 0 && !known.empty() &&
                         known[0].value("step", std::int64_t{0}) == first.step &&
                         known[0].value("timestamp", std::int64_t{0}) == milliseconds(first.time);
    if (!is_same) {
      remove(trial.memo);
      trial.memo = make(trial);
      tell_parameters(trial);
    }
    doubtful_.erase(trial.id);
    if (early_.erase(trial.id) > 0 && !is_same)  // they are in the run that is gone
      throw StartOver("tracker/mlflow: pictures come again");
  }

  void batches(const TrackedTrial& trial, const char* what, const Json& list, std::size_t most) {
    for (std::size_t from = 0; from < list.size(); from += most) {
      const auto to = std::min(list.size(), from + most);
      const Json some(list.begin() + static_cast<std::ptrdiff_t>(from),
                      list.begin() + static_cast<std::ptrdiff_t>(to));
      taken(trial, "runs/log-batch", {{"run_id", trial.memo}, {what, some}});
    }
  }

  void run_again(const TrackedTrial& trial) {
    if (running_.contains(trial.id)) return;
    taken(trial, "runs/update", {{"run_id", trial.memo}, {"status", "RUNNING"}});
    running_.insert(trial.id);
    set_status("RUNNING");
  }

  /// Of the study's run.
  void set_status(const std::string& status, double time = 0) {
    if (parent_status_ == status) return;
    Json body{{"run_id", parent_}, {"status", status}};
    if (time > 0) body["end_time"] = milliseconds(time);
    answer("runs/update", call("runs/update", body));
    parent_status_ = status;
  }

  void put(const std::string& run, const std::string& name, HttpRequest content) {
    if (params.artifacts) upload(run, name, std::move(content));
  }

  /// A file of a run, through the server. One that leaves artifacts to a store of its own gets
  /// none.
  void upload(const std::string& run, const std::string& name, HttpRequest content) {
    static constexpr std::string_view kProxy = "mlflow-artifacts:/";
    const std::string& place = artifacts_of(run);
    if (!place.starts_with(kProxy) || place.starts_with("mlflow-artifacts://")) return;
    const std::string path = place.substr(kProxy.size()) + "/" + name;
    tracker::expect_taken(ask("PUT", "mlflow-artifacts/artifacts/" + tracker::escaped(path, "/"),
                              std::move(content), "application/octet-stream"),
                          "tracker/mlflow: artifact " + name);
  }

  const std::string& artifacts_of(const std::string& run) {
    if (place_.first != run) {
      const HttpAnswer got = ask("GET", "mlflow/runs/get?run_id=" + tracker::escaped(run), {});
      place_ = {run, need(answer("runs/get", got), "/run/info/artifact_uri")};
    }
    return place_.second;
  }

  TrackedStudy study_;
  std::string base_, token_, user_, password_, key_, experiment_, parent_, parent_status_;
  std::pair<std::string, std::string> place_;             // a run, and where its artifacts are
  std::set<std::string> made_here_, doubtful_, running_;  // trials
  std::set<std::string> early_;  // those of the doubtful ones that were given pictures
};
PARIBUS_PART(Mlflow, "mlflow", "MLflow: a run per trial, below one for the study")
