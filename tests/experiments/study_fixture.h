// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "study/study.h"
#include "study_parts.h"

namespace paribus::test {

namespace fs = std::filesystem;

/// A folder that goes with the test, and studies in it.
class StudyTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "paribus-study-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { fs::remove_all(folder_); }

  fs::path write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name, std::ios::binary) << text;
    return folder_ / name;
  }
  Study load(const std::string& text, const std::vector<std::string>& overrides = {},
             const Proposer& propose = {}) const {
    return load_study(write("s.toml", text), overrides, catalog(), propose);
  }
  /// What is wrong, one problem a line, files without their folder.
  std::string errors(const std::string& text,
                     const std::vector<std::string>& overrides = {}) const {
    return errors_of(write("s.toml", text), overrides);
  }
  std::string errors_of(const fs::path& path,
                        const std::vector<std::string>& overrides = {}) const {
    try {
      load_study(path, overrides, catalog(), {});
    } catch (const StudyError& error) {
      std::string said = error.what();
      const std::string here = folder_.string() + "/";
      for (std::size_t at = said.find(here); at != std::string::npos; at = said.find(here))
        said.erase(at, here.size());
      return said;
    }
    return "none";
  }

  fs::path folder_;
};

inline const std::string kBase = "model = \"mlp\"\ndata = \"digits\"\n";

}  // namespace paribus::test
