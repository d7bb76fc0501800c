// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <sstream>

#include "my_part.cpp"

/// What the process around it would do: it has a folder here, and neither network nor secrets.
class Place : public paribus::Uplink {
 public:
  paribus::HttpAnswer http(const paribus::HttpRequest&) override { return {}; }
  std::string secret(std::string_view, std::string_view) override { return ""; }
  std::string text_of(const std::filesystem::path&) override { return ""; }
  std::filesystem::path folder() override { return std::filesystem::current_path(); }
};

/// The file says how the trial ended, and a second time nothing more.
int main() {
  Place place;
  MyPart tracker;
  tracker.open({}, place);
  paribus::TrackedTrial trial;
  trial.id = "test_of_my_part", trial.arm = "base", trial.seed = 3;
  paribus::TrackedEnd end;
  end.status = "done", end.final_values = {{"valid.loss", 0.25}};
  for (int i = 0; i < 2; ++i) tracker.end(trial, end);
  std::ostringstream text;
  text << std::ifstream("test_of_my_part.txt").rdbuf();
  std::filesystem::remove("test_of_my_part.txt");
  if (text.str() == "base, seed 3: done\nvalid.loss 0.25\n") return 0;
  std::fprintf(stderr, "the file holds:\n%s", text.str().c_str());
  return 1;
}
