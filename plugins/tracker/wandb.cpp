// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <chrono>
#include <ctime>
#include <set>
#include <thread>

#include "wandb_run.h"

namespace {

using namespace paribus;
using tracker::Json;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kMostBytes = std::size_t{1} << 20;  // of lines in one request
constexpr double kLongestUpload = 3600;                   // s
constexpr double kBurst = 10;    // requests that may go at once after a pause
constexpr double kSlowest = 10;  // s from one request to the next, whatever a server's limit says
constexpr const char* kStudy = "study";  // what its own run is known by; trials have ids
constexpr const char* kHost = "https://api.wandb.ai";

constexpr const char* kUpsert =
    "mutation UpsertBucket($id: String, $name: String, $project: String, $entity: String, "
    "$groupName: String, $description: String, $displayName: String, $notes: String, "
    "$commit: String, $config: JSONString, $host: String, $debug: Boolean, $program: String, "
    "$repo: String, $jobType: String, $state: String, $sweep: String, $tags: [String!], "
    "$summaryMetrics: JSONString) { upsertBucket(input: {id: $id, name: $name, "
    "groupName: $groupName, modelName: $project, entityName: $entity, description: $description, "
    "displayName: $displayName, notes: $notes, config: $config, commit: $commit, host: $host, "
    "debug: $debug, jobProgram: $program, jobRepo: $repo, jobType: $jobType, state: $state, "
    "sweep: $sweep, tags: $tags, summaryMetrics: $summaryMetrics}) { bucket { id name "
    "displayName description config sweepName project { id name entity { id name } } "
    "historyLineCount } inserted } }";
constexpr const char* kCreateFiles =
    "mutation CreateRunFiles($entity: String!, $project: String!, $run: String!, "
    "$files: [String!]!) { createRunFiles(input: {entityName: $entity, projectName: $project, "
    "runName: $run, files: $files}) { runID uploadHeaders files { name uploadUrl } } }";

Json or_null(const std::string& text) { return text.empty() ? Json() : Json(text); }

/// `2026-11-21T02:10:21.141792`, as lines of output.log begin.
std::string stamp(double time) {
  const auto whole = static_cast<std::time_t>(time);
  std::tm utc{};
  ::gmtime_r(&whole, &utc);
  char text[40];
  const std::size_t size = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
  const auto micros = static_cast<int>((time - static_cast<double>(whole)) * 1e6);
  std::snprintf(text + size, sizeof text - size, ".%06d", micros);
  return text;
}

}  // namespace

/// Weights & Biases: a run per trial, of one group. Lines of its history are counted: those that
/// come again take the place of what was there. Each process that begins a trial takes up the same
/// run.
struct Wandb : paribus::Tracker {
  struct Params {
    std::string_view base_url, entity, project, group, job_type = "train", tags, notes;
    bool files = true, console = true, weights = false;
    double rate = 1;
    static constexpr auto fields() {
      return std::tuple_cat(
          tracker::wandb_fields<Params>(),
          std::tuple{
              field("base_url", &Params::base_url,
                    "the server's address; empty: WANDB_BASE_URL, else W&B's own"),
              field("files", &Params::files,
                    "whether study.toml, configuration, summary and report go as files, too"),
              field("console", &Params::console, "whether what a trial prints goes, too"),
              field("weights", &Params::weights,
                    "whether a trial's last weights go as a file, too"),
              field("rate", &Params::rate,
                    "the most requests for all trials together, after the first ten")
                  .at_least(0.1)
                  .at_most(1000)
                  .unit("1/s")});
    }
  } params;

  void open(const TrackedStudy& study, Uplink& uplink) override {
    Tracker::open(study, uplink);
    base_ = tracker::address_of(params.base_url, "WANDB_BASE_URL", kHost, "tracker/wandb");
    secret_ = uplink.secret("WANDB_API_KEY", tracker::host_of(base_));
    if (secret_.empty()) {
      throw Error("tracker/wandb: there is no key for " + tracker::host_of(base_) +
                  "; set WANDB_API_KEY, or add it to ~/.netrc by `wandb login`");
    }
    names_.emplace(params, study);
    study_ = study;
    key_ = tracker::key_of(uplink.folder());
  }

  void begin(TrackedTrial& trial) override {
    const Json made = upsert(trial);
    const Json::json_pointer inserted("/upsertBucket/inserted");
    const bool is_new = made.contains(inserted) && made[inserted] == true;
    if (is_new && tracker::WandbRows(trial.memo).lines > 0)
      throw StartOver("tracker/wandb: the server has lost a run");
  }

  void log(TrackedTrial& trial, std::span<const TrackedPoint> points) override {
    if (!runs_.contains(trial.id)) upsert(trial);  // it had ended, and goes on
    tracker::WandbRows rows(trial.memo);
    const tracker::WandbPoints sorted(points);
    stream(trial, "wandb-events.jsonl", rows.samples, std::span(sorted.samples),
           [&](const tracker::WandbRow& sample) {
             return tracker::wandb_object(tracker::wandb_event(sample, trial.started));
           });
    if (!sorted.measured.empty()) send(trial, rows, rows.take(sorted.measured), Json::object());
    trial.memo = rows.memo();
  }

  void log_histograms(TrackedTrial& trial, std::span<const TrackedHistogram> histograms) override {
    show(trial, histograms);
  }
  void log_pictures(TrackedTrial& trial, std::span<const TrackedPicture> pictures) override {
    if (!runs_.contains(trial.id)) upsert(trial);
    Uploads files;
    for (const TrackedPicture& one : pictures) files[tracker::wandb_path(one)] = {one.png};
    const Json uploaded = put_files(trial.id, files);
    show(trial, pictures, {{"uploaded", uploaded}});
  }

  [[nodiscard]] bool takes_output() const override { return params.console; }

  void output(TrackedTrial& trial, std::span<const TrackedLine> printed) override {
    if (!runs_.contains(trial.id)) upsert(trial);
    tracker::WandbRows rows(trial.memo);
    stream(trial, "output.log", rows.messages, printed,
           [](const TrackedLine& line) { return stamp(line.time) + " " + line.text; });
    trial.memo = rows.memo();
  }

  void alive(TrackedTrial& trial) override {
    if (runs_.contains(trial.id)) post_stream(trial.id, Json::object());
  }

  void end(TrackedTrial& trial, const TrackedEnd& end) override {
    if (!runs_.contains(trial.id)) upsert(trial);
    tracker::WandbRows rows(trial.memo);
    Json last{{"complete", true}, {"exitcode", tracker::wandb_exit(end)}};
    if (end.status == "paused") last["preempting"] = true;
    if (const Uploads files = files_of(trial, rows, end); !files.empty())
      last["uploaded"] = put_files(trial.id, files);
    if (!end.message.empty()) {
      last["files"]["output.log"] = {
          {"offset", rows.messages},
          {"content",
           {stamp(end.time) + (end.status == "failed" ? " ERROR " : " ") + end.message}}};
      ++rows.messages;
    }
    send(trial, rows, rows.take_open(), std::move(last), &end);
    trial.memo = rows.memo();
    runs_.erase(trial.id);
  }

  void leave(TrackedTrial& trial) override { runs_.erase(trial.id); }

  /// A run of the study's own holds what it left; there is nothing else in it.
  void close(std::span<const TrackedFile> files) override {
    if (!params.files) return;
    Uploads uploads;
    for (const TrackedFile& file : files) uploads[file.name] = {uplink().text_of(file.path)};
    if (std::string toml = uplink().text_of(study_.directory / "study.toml"); !toml.empty())
      uploads["study.toml"] = {std::move(toml)};
    upsert(kStudy, {{"name", "study-" + key_},
                    {"displayName", study_.name},
                    {"jobType", "study"},
                    {"config", R"({"_wandb":{"value":{"t":{"5":"paribus"}}}})"}});
    post_stream(kStudy,
                {{"uploaded", put_files(kStudy, uploads)}, {"complete", true}, {"exitcode", 0}});
    runs_.erase(kStudy);
  }

 private:
  struct Run {
    std::string entity, project, name;
  };

  // -- the server -----------------------------------------------------------------------------

  /// Servers count requests: those of all trials together are spread out.
  void pace() {
    const auto now = Clock::now();
    const double rate = std::min(params.rate, 1 / std::max(asked_pace_, 1e-3));
    tokens_ += std::chrono::duration<double>(now - paced_).count() * rate;
    tokens_ = std::min(tokens_, kBurst) - 1;
    paced_ = now;
    if (tokens_ < 0) std::this_thread::sleep_for(std::chrono::duration<double>(-tokens_ / rate));
  }

  HttpAnswer post(const std::string& path, const Json& body) {
    pace();
    HttpRequest request{.url = base_ + path, .body = tracker::compact(body)};
    request.headers = {{"Content-Type", "application/json"}};
    request.user = "api", request.password = secret_;
    HttpAnswer got = uplink().http(request);
    if (got.status == 401 || got.status == 403)
      throw Error("tracker/wandb: the server " + tracker::said(got) + "; see WANDB_API_KEY");
    return got;
  }

  Json graphql(const char* operation, const char* query, Json variables) {
    const HttpAnswer got =
        post("/graphql",
             {{"query", query}, {"variables", std::move(variables)}, {"operationName", operation}});
    if (got.status == 409) throw TryLater("tracker/wandb: the server " + tracker::said(got));
    const std::string who = std::string("tracker/wandb: ") + operation;
    tracker::expect_taken(got, who, "see `entity` and `project`");
    Json answer = tracker::parsed(got.body);
    const Json::json_pointer message("/errors/0/message");
    if (answer.contains(message))
      throw Error(who + ": the server says: " + tracker::compact(answer[message]).substr(0, 200));
    if (answer.is_object() && answer.contains("data")) return answer["data"];
    throw Error(who + ": the answer is no GraphQL; is " + base_ + " a W&B server?");
  }

  static std::string need(const Json& answer, const char* where) {
    return tracker::need(answer, where, "tracker/wandb");
  }

  template <class Item>
  void show(TrackedTrial& trial, std::span<const Item> items, Json last = Json::object()) {
    if (!runs_.contains(trial.id)) upsert(trial);
    tracker::WandbRows rows(trial.memo);
    send(trial, rows, rows.take(items), std::move(last));
    trial.memo = rows.memo();
  }

  // -- runs -----------------------------------------------------------------------------------

  Json upsert(const TrackedTrial& trial) {
    return upsert(trial.id, {{"name", tracker::wandb_id(trial, key_)},
                             {"displayName", tracker::name_of(trial)},
                             {"jobType", or_null(names_->job_type)},
                             {"config", tracker::compact(tracker::wandb_wrapped(trial))}});
  }

  /// Makes a run, or takes it up; `key` is what it is known by here.
  Json upsert(const std::string& key, Json variables) {
    variables["project"] = names_->project;
    variables["entity"] = or_null(names_->entity);
    variables["groupName"] = names_->group;
    variables["notes"] = or_null(names_->notes);
    variables["tags"] = names_->tags;
    for (const char* unused : {"id", "description", "commit", "host", "debug", "program", "repo",
                               "state", "sweep", "summaryMetrics"})
      variables[unused] = nullptr;
    Json made = graphql("UpsertBucket", kUpsert, std::move(variables));
    runs_[key] = {need(made, "/upsertBucket/bucket/project/entity/name"),
                  need(made, "/upsertBucket/bucket/project/name"),
                  need(made, "/upsertBucket/bucket/name")};
    return made;
  }

  std::string stream_of(const std::string& key) const {
    const Run& run = runs_.at(key);
    return "/files/" + tracker::escaped(run.entity) + "/" + tracker::escaped(run.project) + "/" +
           tracker::escaped(run.name) + "/file_stream";
  }

  void post_stream(const std::string& key, const Json& body) {
    const HttpAnswer got = post(stream_of(key), body);
    tracker::expect_taken(got, "tracker/wandb: file_stream");
    asked_pace_ = std::min(got.pace, kSlowest);
  }

  /// Lines of a file but history, in as many requests as it takes: each has an offset of its own,
  /// that they move on.
  template <class Item, class ToLine>
  void stream(const TrackedTrial& trial, const char* file, std::int64_t& offset,
              std::span<const Item> items, ToLine to_line) {
    for (std::size_t next = 0; next < items.size();) {
      Json lines = Json::array();
      for (std::size_t bytes = 0; next < items.size() && bytes < kMostBytes; ++next) {
        lines.push_back(to_line(items[next]));
        bytes += lines.back().template get_ref<const std::string&>().size();
      }
      const auto count = static_cast<std::int64_t>(lines.size());
      post_stream(trial.id,
                  {{"files", {{file, {{"offset", offset}, {"content", std::move(lines)}}}}}});
      offset += count;
    }
  }

  /// Lines of history, and the summary, in as many requests as it takes; `last` goes with the last
  /// one.
  void send(const TrackedTrial& trial, tracker::WandbRows& rows,
            const std::vector<tracker::WandbRow>& whole, Json last,
            const TrackedEnd* end = nullptr) {
    std::size_t next = 0;
    do {
      Json lines = Json::array();
      for (std::size_t bytes = 0; next < whole.size() && bytes < kMostBytes; ++next) {
        lines.push_back(tracker::wandb_object(tracker::wandb_items(whole[next], trial.started)));
        bytes += lines.back().get_ref<const std::string&>().size();
      }
      const bool is_last = next == whole.size();
      Json body = is_last ? std::move(last) : Json::object();
      const std::size_t count = lines.size();
      if (count > 0)
        body["files"]["wandb-history.jsonl"] = {{"offset", rows.lines},
                                                {"content", std::move(lines)}};
      if (is_last) {
        const auto summary = tracker::wandb_summary(rows, trial.started, end);
        body["files"]["wandb-summary.json"] = {{"offset", 0},
                                               {"content", {tracker::wandb_object(summary)}}};
      }
      post_stream(trial.id, body);
      rows.lines += static_cast<std::int64_t>(count);
    } while (next < whole.size());
  }

  // -- files ----------------------------------------------------------------------------------

  struct Upload {
    std::string bytes;
    std::filesystem::path file{};  // where one is named, it is that file's bytes
  };
  using Uploads = std::map<std::string, Upload>;  // by the names of the files

  Uploads files_of(const TrackedTrial& trial, const tracker::WandbRows& rows,
                   const TrackedEnd& end) {
    Uploads files;
    if (params.files) {
      const auto summary = tracker::wandb_summary(rows, trial.started, &end);
      files["config.yaml"] = {tracker::wandb_wrapped(trial).dump(2) + "\n"};  // JSON is YAML
      files["wandb-summary.json"] = {tracker::wandb_object(summary)};
      if (std::string toml = uplink().text_of(study_.directory / "study.toml"); !toml.empty())
        files["study.toml"] = {std::move(toml)};
    }
    for (const TrackedFile& file : end.files) {
      if (params.weights && file.name == "weights.safetensors") files[file.name] = {"", file.path};
    }
    return files;
  }

  /// Their names.
  Json put_files(const std::string& key, const Uploads& files) {
    const Run& run = runs_.at(key);
    Json names = Json::array();
    for (const auto& [name, upload] : files) names.push_back(name);
    const Json made = graphql(
        "CreateRunFiles", kCreateFiles,
        {{"entity", run.entity}, {"project", run.project}, {"run", run.name}, {"files", names}});
    const Json answer = made.value("createRunFiles", Json::object());
    for (const Json& file : answer.value("files", Json::array())) {
      const auto upload = files.find(need(file, "/name"));
      if (upload == files.end())
        throw Error("tracker/wandb: CreateRunFiles: the server asks for a file of its own");
      put(need(file, "/uploadUrl"), upload->second, answer.value("uploadHeaders", Json::array()));
    }
    return names;
  }

  /// Where to, the server said; it may be somebody else's, who is not to have the key.
  void put(const std::string& url, const Upload& upload, const Json& headers) {
    HttpRequest request{.method = "PUT", .url = url.starts_with('/') ? base_ + url : url};
    request.body = upload.bytes;
    request.file = upload.file;
    request.seconds = kLongestUpload;
    for (const Json& header : headers) {
      const std::string text = header.is_string() ? header.get<std::string>() : "";
      const std::size_t colon = text.find(':');
      if (colon != std::string::npos)
        request.headers.emplace_back(text.substr(0, colon), text.substr(colon + 1));
    }
    tracker::expect_taken(uplink().http(request), "tracker/wandb: upload of a file");
  }

  std::string base_, secret_, key_;
  std::optional<tracker::WandbNames> names_;
  TrackedStudy study_;
  std::map<std::string, Run> runs_;  // of trials that are under way in this process
  double tokens_ = kBurst;
  double asked_pace_ = 0;  // s from one request to the next; 0: the server asks for none
  Clock::time_point paced_ = Clock::now();
};
PARIBUS_PART(Wandb, "wandb", "Weights & Biases: a run per trial, of one group")
