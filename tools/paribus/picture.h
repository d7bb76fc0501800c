// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

namespace paribus {

/// Results drawn by Matplotlib in the environment's Python (python/paribus/pictures.py): into a
/// file, or onto a terminal that shows images.
class Picture {
 public:
  /// `--picture FILE`.
  void add_option(CLI::App& command);
  /// The file where none was asked for and the terminal shows no images.
  void otherwise(std::filesystem::path file) { otherwise_ = std::move(file); }

  /// Before any work: throws Error where what is asked for can't be drawn or written.
  void check() const;
  [[nodiscard]] bool is_asked_for() const { return !file_.empty(); }
  /// Whether there is somewhere to draw to.
  [[nodiscard]] bool wanted() const;
  /// Whether a picture would go onto the terminal.
  [[nodiscard]] bool on_terminal() const;
  /// Draws what `kind` of pictures.py takes; a file appears whole, and its path is printed on
  /// stderr. Throws Error. REQUIRES: wanted()
  void draw(const std::string& kind, const nlohmann::json& numbers) const;

 private:
  [[nodiscard]] std::filesystem::path target() const;

  std::string file_;
  std::filesystem::path otherwise_;
  mutable std::optional<bool> on_terminal_;  // once looked for
};

/// A PNG as the orders that show it on this terminal: kitty's protocol or iTerm2's. "" where it is
/// known to take neither.
std::string image_orders(const std::string& png);

}  // namespace paribus
