// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "host.h"
#include "paribus/factory.h"
#include "paribus/tracker.h"
#include "secrets.h"
#include "uplink/ledger.h"
#include "uplink/positions.h"
#include "uplink/request.h"
#include "uplink/status.h"

namespace paribus::uplink {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kMostPoints = 16384;  // of a batch, about

/// Since 1970.
inline double seconds_now() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration<double>(since).count();
}

/// Brings one tracker what the journals hold: a thread of its own calls `run`.
class Feed {
 public:
  /// `again`: as if nothing had been delivered.
  Feed(const TrackerRequest& request, bool again, const PartFactory& factory, const Ledger& ledger,
       Secrets& secrets);
  ~Feed();

  /// Delivers as journals grow. Once `finishing`: until nothing is left, or the tracker gave up, or
  /// asks for a wait beyond `deadline`.
  void run(const std::atomic<bool>& finishing, const std::atomic<Clock::time_point>& deadline);

  /// Whether all was delivered; to be asked after `run`.
  [[nodiscard]] bool is_whole() const { return !status_.is_behind(); }
  [[nodiscard]] const Status& status() const { return status_; }

 private:
  struct Trial {
    TrackedTrial told;
    Position position;
    bool prepared = false;
    bool begun = false;   // the tracker knows of it, in this process
    bool exited = false;  // its process has ended
    std::string exit_message;
    bool has_end = false;  // the driver has seen the end in its journal
    bool caught_up = false;
    Clock::time_point told_of{};  // when the tracker last heard of it
  };

  [[nodiscard]] std::filesystem::path log_file() const;
  void open();
  void look_for_trials();
  void prepare(Trial& trial);
  bool deliver_some();
  bool deliver_of(Trial& trial);
  bool deliver_beside(Trial& trial, const Intent& intent, bool is_over);
  bool deliver_system(Trial& trial, const Intent& intent);
  bool deliver_output(Trial& trial, const Intent& intent, bool is_over);
  void hand_over(Trial& trial, const std::function<void()>& call);
  void begin(Trial& trial);
  void log(Trial& trial, const Batch& batch, double to);
  void show(Trial& trial, const Batch& batch, double time);
  void tell_batch(Trial& trial, const Batch& batch, double time);
  void end(Trial& trial, const Batch& batch);
  void start_over(Trial& trial);
  void show_alive(Trial& trial);
  void close();
  void keep(Trial& trial);
  double time_of(const Trial& trial, const Batch& batch) const;
  void wait_after(const TryLater& problem);
  void tell(const std::string& state, const std::string& problem);
  void tell_of_deliveries();

  const TrackerRequest& request_;
  const bool again_;
  const PartFactory& factory_;
  const Ledger& ledger_;
  Secrets& secrets_;
  Host host_;
  std::unique_ptr<Instance> instance_;
  Tracker* tracker_ = nullptr;
  std::unique_ptr<Positions> positions_;
  std::map<std::string, std::unique_ptr<Trial>> trials_;  // that something may be left of
  std::size_t seen_ = 0;                                  // of the ledger
  bool finishing_ = false;
  int failures_ = 0;  // one after the other
  Clock::time_point not_before_{};
  Clock::time_point told_{};
  bool closed_ = false;
  std::map<std::string, std::string> unread_;  // trials whose journals can't be read, and why
  Status status_;
};

}  // namespace paribus::uplink
