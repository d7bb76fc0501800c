// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "peers.h"

/// POSTs JSON: an object when a trial begins, for its points, and when it ends. Points are numbered
/// within their trial: `first` is the number of the first one. What wasn't answered comes again,
/// with the same numbers and the same `Idempotency-Key`.
struct Webhook : paribus::Tracker {
  struct Params {
    std::string_view url, header = "Authorization", secret;
    int points = 1000;
    static constexpr auto fields() {
      using paribus::field;
      return std::tuple{field("url", &Params::url, "where to, http or https"),
                        field("header", &Params::header, "the header that carries the secret"),
                        field("secret", &Params::secret,
                              "the environment variable that holds it; empty: none is sent"),
                        field("points", &Params::points, "the most that one request carries")
                            .at_least(1)
                            .at_most(100'000)};
    }
  } params;

  using Json = paribus::tracker::Json;

  void open(const paribus::TrackedStudy& study, paribus::Uplink& uplink) override {
    Tracker::open(study, uplink);
    study_ = study.name;
    if (params.url.empty()) throw paribus::Error("tracker/webhook: it needs a `url`");
    secret_ = params.secret.empty() ? "" : uplink.secret(params.secret);
    if (secret_.empty() && !params.secret.empty())
      throw paribus::Error("tracker/webhook: the environment has no " + std::string(params.secret));
  }

  void begin(paribus::TrackedTrial& trial) override {
    if (!trial.memo.empty()) return;
    post(trial, "begin",
         {{"event", "begin"},
          {"time", trial.started},
          {"config", Json::parse(trial.config, nullptr, false)}});
    trial.memo = "begun";
  }

  void log(paribus::TrackedTrial& trial, std::span<const paribus::TrackedPoint> points) override {
    for (std::size_t from = 0; from < points.size();) {
      const auto some =
          points.subspan(from, std::min<std::size_t>(params.points, points.size() - from));
      const auto first = trial.sent + static_cast<std::int64_t>(from);
      Json list = Json::array();
      for (const paribus::TrackedPoint& point : some) {
        list.push_back({{"metric", point.metric},
                        {"step", point.step},
                        {"value", paribus::tracker::number(point.value)},
                        {"time", point.time}});
      }
      post(trial, "points-" + std::to_string(first),
           {{"event", "points"}, {"first", first}, {"points", std::move(list)}});
      from += some.size();
    }
  }

  void end(paribus::TrackedTrial& trial, const paribus::TrackedEnd& end) override {
    Json last = Json::object();
    for (const auto& [metric, value] : end.final_values)
      last[metric] = paribus::tracker::number(value);
    post(trial, "end-" + std::to_string(trial.sent) + "-" + end.status,
         {{"event", "end"},
          {"status", end.status},
          {"message", end.message},
          {"time", end.time},
          {"steps", end.steps},
          {"seconds", end.seconds},
          {"final", std::move(last)}});
  }

 private:
  void post(const paribus::TrackedTrial& trial, const std::string& key, Json body) {
    body["study"] = study_, body["trial"] = trial.id;
    body["arm"] = trial.arm, body["seed"] = trial.seed;
    paribus::HttpRequest request{.url = std::string(params.url)};
    request.body = body.dump(-1, ' ', false, Json::error_handler_t::replace);
    request.headers = {{"Content-Type", "application/json"},
                       {"Idempotency-Key", trial.id + "-" + key}};
    if (!secret_.empty()) request.headers.emplace_back(params.header, secret_);
    paribus::tracker::expect_taken(uplink().http(request), "tracker/webhook");
  }

  std::string study_, secret_;
};
PARIBUS_PART(Webhook, "webhook", "JSON by POST to an address of yours")
