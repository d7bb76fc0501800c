// SPDX-License-Identifier: Apache-2.0
// tests/studies: each X.toml must give what X.expected says, with the parts that ship.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "study/study.h"

namespace paribus {
namespace {

namespace fs = std::filesystem;

std::string outcome(const fs::path& study, const registry::Catalog& catalog) {
  try {
    return "ok: " + std::to_string(load_study(study, {}, catalog).trials.size()) + " trials\n";
  } catch (const StudyError& error) {
    std::string text = std::string(error.what()) + "\n";
    const std::string folder = study.parent_path().string() + "/";
    for (std::size_t at = text.find(folder); at != std::string::npos; at = text.find(folder))
      text.erase(at, folder.size());
    return text;
  }
}

TEST(StudyCorpus, EachStudyGivesWhatIsExpected) {
  const auto catalog = registry::Catalog::scan({PARIBUS_PLUGIN_DIR});
  ASSERT_FALSE(catalog.parts().empty())
      << "no plugins in " << PARIBUS_PLUGIN_DIR << "; build them first";
  int count = 0;
  for (const auto& entry :
       fs::directory_iterator(fs::path(PARIBUS_TEST_DIR).parent_path() / "studies")) {
    if (entry.path().extension() != ".expected") continue;
    std::ifstream stream(entry.path(), std::ios::binary);
    const std::string expected{std::istreambuf_iterator<char>(stream), {}};
    EXPECT_EQ(outcome(fs::path(entry.path()).replace_extension(".toml"), catalog), expected)
        << entry.path();
    ++count;
  }
  EXPECT_GE(count, 12);
}

}  // namespace
}  // namespace paribus
