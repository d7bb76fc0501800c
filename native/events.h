// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "paribus/factory.h"
#include "views.h"

namespace paribus::python {

/// Between a training on its own thread and a reader of its events: only one of the two runs at a
/// time, but where the reader wants none of the events that come.
class Events {
 public:
  /// How a training ends whose reader has left.
  struct Left {};

  /// Those that the reader wants.
  void want(std::set<std::string> names) { wanted_ = std::move(names); }

  // For the training's thread.
  /// Hands the event to the reader and waits until it is done with it. Throws Left.
  void offer(const char* event);
  /// Throws Left if there is no reader any more.
  void check();
  void end(std::exception_ptr failure);

  // For the reader, without the interpreter's lock.
  /// Lets the training go on until its next event or its end, at most for a moment. Whether there
  /// is something to read.
  bool wait();
  /// "" at the end. Rethrows what ended the training.
  std::string take();
  void leave();

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::set<std::string> wanted_;
  std::string event_;  // that waits for the reader, or that it has
  bool taken_ = true, ended_ = false, left_ = false;
  std::exception_ptr failure_;
};

/// Parts of a study, and a callback that offers its events, after all others.
class WithEvents final : public PartFactory {
 public:
  WithEvents(const PartFactory& parts, Events& events, std::shared_ptr<FitView> view)
      : parts_(parts), events_(events), view_(std::move(view)) {}

  [[nodiscard]] const PartDescriptor& descriptor(const std::string& kind,
                                                 const std::string& name) const override;
  static PartSpec callback();

 private:
  const PartFactory& parts_;
  Events& events_;
  std::shared_ptr<FitView> view_;
};

}  // namespace paribus::python
