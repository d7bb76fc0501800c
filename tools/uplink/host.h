// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <filesystem>
#include <string>

#include "files.h"
#include "paribus/tracker.h"
#include "secrets.h"
#include "transport.h"
#include "uplink/output.h"

namespace paribus::uplink {

/// What a tracker calls.
class Host final : public Uplink {
 public:
  Host(std::filesystem::path folder, Secrets& secrets)
      : folder_(std::move(folder)), secrets_(secrets), transport_([this] {
          return deadline_ != nullptr && std::chrono::steady_clock::now() >= deadline_->load();
        }) {}
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  /// Requests are left from then on.
  void stop_at(const std::atomic<std::chrono::steady_clock::time_point>& deadline) {
    deadline_ = &deadline;
  }

  HttpAnswer http(const HttpRequest& request) override {
    if (!request.password.empty()) secrets_.add_basic(request.user, request.password);
    return transport_.http(request);
  }
  std::string text_of(const std::filesystem::path& file) override {
    return secrets_.masked(as_utf8(text_file(file)));
  }
  std::string secret(std::string_view variable, std::string_view host) override {
    return secrets_.find(variable, host);
  }
  std::filesystem::path folder() override {
    std::filesystem::create_directories(folder_);
    return folder_;
  }

 private:
  std::filesystem::path folder_;
  Secrets& secrets_;
  const std::atomic<std::chrono::steady_clock::time_point>* deadline_ = nullptr;
  Transport transport_;
};

}  // namespace paribus::uplink
