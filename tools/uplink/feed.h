// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "paribus/factory.h"
#include "paribus/tracker.h"
#include "secrets.h"
#include "transport.h"
#include "uplink/ledger.h"
#include "uplink/positions.h"
#include "uplink/request.h"
#include "uplink/status.h"

namespace paribus::uplink {

using Clock = std::chrono::steady_clock;

/// Brings one tracker what the journals hold: a thread of its own calls `run`.
class Feed {
 public:
  Feed(const TrackerRequest& request, const PartFactory& factory, const Ledger& ledger,
       Secrets& secrets);
  ~Feed();

  /// Delivers as journals grow. Once `finishing`: until nothing is left, or the tracker gave up, or
  /// asks for a wait beyond `deadline`.
  void run(const std::atomic<bool>& finishing, const std::atomic<Clock::time_point>& deadline);

  /// Whether all was delivered; to be asked after `run`.
  [[nodiscard]] bool is_whole() const { return status_.state == "up to date"; }
  [[nodiscard]] const Status& status() const { return status_; }

 private:
  struct Trial;
  class Host;

  void open();
  void look_for_trials();
  void prepare(Trial& trial);
  bool deliver_some();
  bool deliver_of(Trial& trial);
  bool deliver_system(Trial& trial, const Intent& intent);
  void hand_over(Trial& trial, const std::function<void()>& call);
  void begin(Trial& trial);
  void log(Trial& trial, const Batch& batch, double to);
  void tell_batch(Trial& trial, const Batch& batch, double time);
  void end(Trial& trial, const Batch& batch);
  void start_over(Trial& trial);
  void keep(Trial& trial);
  double time_of(const Trial& trial, const Batch& batch) const;
  void wait_after(const TryLater& problem);
  void tell(const std::string& state, const std::string& problem);

  const TrackerRequest& request_;
  const PartFactory& factory_;
  const Ledger& ledger_;
  Secrets& secrets_;
  std::unique_ptr<Host> host_;
  std::unique_ptr<Instance> instance_;
  Tracker* tracker_ = nullptr;
  std::unique_ptr<Positions> positions_;
  std::map<std::string, std::unique_ptr<Trial>> trials_;  // that something may be left of
  std::size_t seen_ = 0;                                  // of the ledger
  bool finishing_ = false;
  int failures_ = 0;  // one after the other
  Clock::time_point not_before_{};
  Clock::time_point told_{};
  Status status_;
};

}  // namespace paribus::uplink
