// SPDX-License-Identifier: Apache-2.0

// paribus-uplink: brings trackers what the journals of one study hold. On its stdin comes one line,
// a request (uplink/request.h); it goes on until stdin is closed, then delivers what is left and
// ends in bounded time. Killed at any moment it loses nothing: positions are on file, and another
// one goes on from there. Exit status: 0 all is delivered, 1 something is left.

#include <fmt/core.h>
#include <poll.h>
#include <unistd.h>

#include <csignal>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include "feed.h"
#include "registry/loader/loader.h"

namespace {

using namespace paribus;
using namespace paribus::uplink;

constexpr std::chrono::milliseconds kPoll{250};
constexpr std::chrono::milliseconds kLeaving{500};

/// Whether whoever started this has closed the other end; waits a moment for it.
bool stdin_closed() {
  pollfd in{STDIN_FILENO, POLLIN, 0};
  if (::poll(&in, 1, kPoll.count()) <= 0) return false;
  char byte = 0;
  return ::read(STDIN_FILENO, &byte, 1) <= 0;
}

void load(registry::Loader& loader, const TrackerRequest& tracker) {
  registry::PartSchema schema;
  schema.kind = tracker.part.kind;
  schema.name = tracker.part.use;
  schema.symbol = tracker.symbol;
  schema.plugin = tracker.plugin;
  loader.load_file(tracker.plugin, tracker.sha256, tracker.sealed);
  loader.load(schema);
}

/// A tracker that can't be had is told by its status, as one that gave up; the others go on.
bool load_or_say_why(registry::Loader& loader, const Request& request,
                     const TrackerRequest& tracker) {
  try {
    load(loader, tracker);
    return true;
  } catch (const Error& problem) {
    write_status(request.dir, {tracker.name(), tracker.part.kind + "/" + tracker.part.use,
                               "gave up", problem.what()});
    return false;
  }
}

/// False where the study's log can't be read just now: it is read later on, or by the next sync.
bool poll(Ledger& ledger) {
  static std::string said;
  try {
    ledger.poll();
    return true;
  } catch (const std::exception& problem) {
    if (said != problem.what()) fmt::print(stderr, "{}\n", problem.what());
    said = problem.what();
    return false;
  }
}

int serve(const Request& request) {
  std::filesystem::create_directories(state_folder(request.dir));
  Ledger ledger(request.dir);
  Secrets secrets;
  registry::Loader loader;
  std::vector<std::unique_ptr<Feed>> feeds;
  bool all_loaded = true, all_read = true;
  for (const TrackerRequest& tracker : request.trackers) {
    if (load_or_say_why(loader, request, tracker))
      feeds.push_back(std::make_unique<Feed>(tracker, request.again, loader, ledger, secrets));
    else
      all_loaded = false;
  }
  std::atomic<bool> finishing = false;
  std::atomic<Clock::time_point> deadline{Clock::time_point::max()};
  std::atomic<std::size_t> at_work = feeds.size();
  std::vector<std::thread> threads;
  for (const auto& feed : feeds) {
    threads.emplace_back([&] {
      feed->run(finishing, deadline);
      --at_work;
    });
  }
  // Requests are left at the deadline, by the clock of those who make them; a tracker that does
  // something else then isn't waited for.
  while (at_work > 0 && (!finishing || Clock::now() < deadline.load() + kLeaving)) {
    if (finishing)
      std::this_thread::sleep_for(kPoll / 10);
    else if (stdin_closed())
      deadline = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                    std::chrono::duration<double>(request.wait));
    all_read = poll(ledger);
    finishing =
        deadline.load() != Clock::time_point::max();  // only now: the log is read to its end
  }
  if (at_work > 0) ::_exit(1);  // what it was about comes again
  bool is_whole = all_loaded && all_read;
  for (std::thread& thread : threads) thread.join();
  for (const auto& feed : feeds) is_whole = is_whole && feed->is_whole();
  return is_whole ? 0 : 1;
}

}  // namespace

int main() {
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  std::string line;
  for (char byte = 0; ::read(STDIN_FILENO, &byte, 1) == 1 && byte != '\n';) line += byte;
  try {
    start_transport();
    return serve(request_from(nlohmann::json::parse(line)));
  } catch (const std::exception& problem) {
    fmt::print(stderr, "paribus-uplink: {}\n", problem.what());
    return 2;
  }
}
