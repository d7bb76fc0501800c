// SPDX-License-Identifier: Apache-2.0
#include "registry/trust.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "registry/catalog.h"
#include "temporary.h"

namespace paribus::registry {
namespace {

using namespace test;

constexpr uid_t kStranger = 4711;

class TrustTest : public testing::Test {
 protected:
  void SetUp() override {
    write_bytes(file_, "code");
    ::chmod(file_.c_str(), 0644);
    ::chmod(plugins_.c_str(), 0755);
  }
  /// With a program that lies elsewhere.
  static Trust trust(uid_t user = ::geteuid()) { return {user, "/nowhere/bin/paribus"}; }
  [[nodiscard]] std::string of_file() const {
    return trust().objection_to_file(file_).value_or("");
  }
  [[nodiscard]] std::string of_folder() const {
    return trust().objection_to_folder(plugins_).value_or("");
  }
  static bool has(const std::string& text, const std::string& piece) {
    return text.find(piece) != std::string::npos;
  }

  TemporaryFolder folder_;
  fs::path plugins_ = folder_ / "plugins";
  fs::path file_ = plugins_ / "sgd.so";
};

TEST_F(TrustTest, OnesOwnAreFine) {
  EXPECT_EQ(of_file(), "");
  EXPECT_EQ(of_folder(), "");
  EXPECT_EQ(trust().objection_to_file(folder_ / "nothing.so"), std::nullopt);
}

TEST_F(TrustTest, AFileThatEveryoneMayWrite) {
  ::chmod(file_.c_str(), 0666);
  EXPECT_EQ(of_file(),
            "may be written by everyone (mode 0666), so that others could change what runs; run: "
            "chmod go-w " +
                file_.string() + ", or vouch for a folder: PARIBUS_TRUSTED_FOLDERS=FOLDER");
}

TEST_F(TrustTest, AFolderThatEveryoneMayWrite) {
  ::chmod(plugins_.c_str(), 0777);
  EXPECT_TRUE(has(of_folder(), "may be written by everyone (mode 0777)")) << of_folder();
  EXPECT_TRUE(has(of_file(), "lies in " + plugins_.string() + ", which may be written by everyone"))
      << of_file();
}

TEST_F(TrustTest, AFolderAboveCountsLikeItself) {
  ::chmod(folder_.path().c_str(), 0777);
  EXPECT_TRUE(has(of_folder(), "lies in " + folder_.path().string())) << of_folder();
}

TEST_F(TrustTest, StickyFoldersProtectWhatIsInThemButNotWhatIsAdded) {
  ::chmod(folder_.path().c_str(), 01777);
  EXPECT_EQ(of_file(), "");
  ::chmod(plugins_.c_str(), 01777);
  EXPECT_EQ(of_file(), "");
  EXPECT_TRUE(has(of_folder(), "may be written by everyone (mode 1777)")) << of_folder();
}

TEST_F(TrustTest, AStrangersFileOrFolder) {
  // Who may give files away does; to anyone else, what is one's own is a stranger's to another.
  const bool is_root = ::geteuid() == 0;
  if (is_root) {
    ASSERT_EQ(::chown(file_.c_str(), kStranger, 0), 0);
  }
  const uid_t user = is_root ? ::geteuid() : kStranger;
  const std::string text = trust(user).objection_to_file(file_).value_or("");
  EXPECT_TRUE(has(text, "belongs to ")) << text;
  EXPECT_TRUE(has(text, "who is neither you nor root")) << text;
  if (is_root) {
    EXPECT_EQ(trust(kStranger).objection_to_file(file_), std::nullopt);
  }
}

TEST_F(TrustTest, ALinkIsFollowedAndEveryFolderOnTheWayCounts) {
  const fs::path safe = folder_ / "safe";
  fs::create_directories(safe);
  fs::create_symlink("../plugins/sgd.so", safe / "link.so");
  EXPECT_EQ(trust().objection_to_file(safe / "link.so"), std::nullopt);
  ::chmod(plugins_.c_str(), 0777);
  EXPECT_TRUE(has(*trust().objection_to_file(safe / "link.so"), "lies in " + plugins_.string()));
  ::chmod(plugins_.c_str(), 0755);
  ::chmod(safe.c_str(), 0777);
  EXPECT_TRUE(has(*trust().objection_to_file(safe / "link.so"), "lies in " + safe.string()));
  fs::create_symlink("circle", folder_ / "circle");
  EXPECT_EQ(trust().objection_to_file(folder_ / "circle"), std::nullopt);
}

TEST_F(TrustTest, AnEmptyGroupMayWriteAndOneWithOthersMayNot) {
  if (::geteuid() != 0) {
    ::chmod(file_.c_str(), 0664);  // of one's own group, whoever else is in it
    EXPECT_EQ(of_file().empty() || has(of_file(), "by others of its group"), true);
    return;
  }
  ASSERT_EQ(::chown(file_.c_str(), 0, 0), 0);
  ::chmod(file_.c_str(), 0664);
  EXPECT_EQ(of_file(), "");          // root's own
  constexpr gid_t kNobodys = 54321;  // the system knows nothing of it
  ASSERT_EQ(::chown(file_.c_str(), 0, kNobodys), 0);
  EXPECT_TRUE(has(of_file(), "may be written by others of its group (mode 0664)")) << of_file();
  EXPECT_TRUE(has(of_file(), "chmod g-w ")) << of_file();
}

TEST_F(TrustTest, WhatIsVouchedForIsNotLookedAt) {
  ::chmod(plugins_.c_str(), 0777);
  ::chmod(file_.c_str(), 0666);
  {
    const Variable vouched("PARIBUS_TRUSTED_FOLDERS",
                           "relative:/nothing/here:" + plugins_.string());
    EXPECT_EQ(of_file(), "");
    EXPECT_EQ(of_folder(), "");
  }
  const Variable another("PARIBUS_TRUSTED_FOLDERS", (folder_ / "plug").string());
  EXPECT_NE(of_file(), "");
}

TEST_F(TrustTest, WhereTheProgramItselfLiesNothingIsGainedByAskingMore) {
  ::chmod(folder_.path().c_str(), 0777);
  const auto beside = [&] { return Trust(::geteuid(), folder_ / "bin/paribus"); };
  EXPECT_EQ(beside().objection_to_file(file_), std::nullopt);
  ::chmod(plugins_.c_str(), 0777);
  EXPECT_NE(beside().objection_to_file(file_), std::nullopt);
}

TEST_F(TrustTest, TheCatalogOffersNothingOfThem) {
  const Variable cache("XDG_CACHE_HOME", (folder_ / "cache").string());
  const auto offer = [&](const char* name) {
    write_bytes(plugins_ / (std::string(name) + ".so"),
                elf_with(sound_manifest("optimizer", name).dump() + "\n"));
  };
  offer("sgd");
  offer("adam");
  ::chmod((plugins_ / "adam.so").c_str(), 0666);
  const Catalog some = Catalog::scan({plugins_});
  EXPECT_EQ(some.names("optimizer"), std::vector<std::string>{"sgd"});
  ASSERT_EQ(some.refusals().size(), 1U);
  EXPECT_EQ(some.refusals()[0].file, plugins_ / "adam.so");
  ::chmod(plugins_.c_str(), 0777);
  const Catalog none = Catalog::scan({plugins_});
  EXPECT_TRUE(none.parts().empty());
  ASSERT_EQ(none.refusals().size(), 1U);
  EXPECT_EQ(none.refusals()[0].file, plugins_);
}

}  // namespace
}  // namespace paribus::registry
