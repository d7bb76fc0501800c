// SPDX-License-Identifier: Apache-2.0
#include "registry/catalog.h"

#include <gtest/gtest.h>

#include <thread>

#include "registry/index.h"
#include "temporary.h"

namespace paribus::registry {
namespace {

using namespace test;

class CatalogTest : public testing::Test {
 protected:
  fs::path plugin(const std::string& kind, const std::string& name,
                  const std::string& where = "plugins") {
    return write_bytes(folder_ / where / (name + ".so"),
                       elf_with(sound_manifest(kind, name).dump() + "\n"));
  }
  [[nodiscard]] Catalog scan() const { return Catalog::scan({folder_ / "plugins"}); }
  [[nodiscard]] fs::path index() const { return folder_ / "cache/paribus/plugins.index"; }

  /// Other bytes of the same length behind an unchanged identity: whoever still sees the part
  /// didn't read the file.
  static void spoil_unseen(const fs::path& file) {
    const auto time = fs::last_write_time(file);
    std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
    stream << "spoilt";
    stream.close();
    fs::last_write_time(file, time);
  }

  TemporaryFolder folder_;
  Variable cache_{"XDG_CACHE_HOME", (folder_ / "cache").string()};
};

TEST_F(CatalogTest, FindsPartsByKindThenName) {
  plugin("search", "grid");
  plugin("optimizer", "sgd");
  plugin("optimizer", "adam");
  plugin("dataset", "mnist");
  write_bytes(folder_ / "plugins/README.md", "not looked at");
  const Catalog catalog = scan();
  std::vector<std::string> found;
  for (const PartSchema& part : catalog.parts()) found.push_back(part.kind + "/" + part.name);
  EXPECT_EQ(found, (std::vector<std::string>{"dataset/mnist", "optimizer/adam", "optimizer/sgd",
                                             "search/grid"}));
  EXPECT_EQ(catalog.names("optimizer"), (std::vector<std::string>{"adam", "sgd"}));
  EXPECT_TRUE(catalog.names("loss").empty());
  ASSERT_NE(catalog.find("optimizer", "sgd"), nullptr);
  EXPECT_EQ(catalog.find("optimizer", "sgd")->plugin, folder_ / "plugins/sgd.so");
  EXPECT_EQ(catalog.find("optimizer", "grid"), nullptr);
  EXPECT_EQ(catalog.find("nonsense", "sgd"), nullptr);
  EXPECT_TRUE(catalog.refusals().empty());
}

TEST_F(CatalogTest, RefusedFilesDoNotHinderOthers) {
  fs::create_directories(folder_ / "plugins/folder.so");
  for (const char* name : {"good", "real", "wrong_abi", "wrong_libtorch", "wrong_compiler",
                           "malformed", "missing_keys", "too_large", "no_section"}) {
    fs::copy_file(fixture(name), folder_ / "plugins" / (std::string(name) + ".so"));
  }
  fs::create_symlink("nowhere.so", folder_ / "plugins/dangling.so");
  const Catalog catalog = scan();
  EXPECT_EQ(catalog.names("optimizer"), (std::vector<std::string>{"good", "real"}));
  std::map<std::string, std::string> reasons;
  for (const Refusal& refusal : catalog.refusals()) reasons[refusal.file.stem()] = refusal.reason;
  EXPECT_EQ(reasons.size(), 9U);
  const auto begins = [&](const std::string& file, const std::string& text) {
    EXPECT_EQ(reasons[file].substr(0, text.size()), text) << file;
  };
  begins("folder", "is a folder, expected a shared library");
  begins("dangling", "can't be opened: No such file or directory");
  begins("wrong_abi",
         "was built against kernel ABI 0123456789abcdef, this Paribus has " + this_host().abi);
  begins("wrong_libtorch", "was built against LibTorch 2.9.1, this Paribus uses 2.13.0");
  begins("wrong_compiler", "was built by 'icc 2021.10'");
  begins("malformed", "manifest 1 is not JSON, see its byte 28; rebuild the plugin");
  begins("missing_keys", "manifest 1: 'goal' is '', expected maximize or minimize; rebuild");
  begins("too_large", "has a section .paribus of 1048577 bytes");
  begins("no_section", "has no section .paribus; it is no Paribus plugin");
}

TEST_F(CatalogTest, TwoPartsOfOneNameAreAnErrorThatNamesBothFiles) {
  const fs::path one = plugin("optimizer", "sgd", "one");
  const fs::path two = plugin("optimizer", "sgd", "two");
  EXPECT_EQ(error_of([&] {
              Catalog::scan({folder_ / "one", folder_ / "two"});
            }),
            "optimizer/sgd: is in two plugins, " + one.string() + " and " + two.string() +
                "; remove one of them or rename its part");
}

TEST_F(CatalogTest, OneFileByTwoWaysIsOnePlugin) {
  plugin("optimizer", "sgd");
  fs::create_directory_symlink(folder_ / "plugins", folder_ / "again");
  EXPECT_EQ(
      Catalog::scan({folder_ / "plugins", folder_ / "plugins", folder_ / "again"}).parts().size(),
      1U);
}

TEST_F(CatalogTest, AFolderThatCannotBeListedIsRefused) {
  const Catalog catalog = Catalog::scan({folder_ / "none"});
  ASSERT_EQ(catalog.refusals().size(), 1U);
  EXPECT_EQ(catalog.refusals()[0].reason,
            "can't be listed: No such file or directory; check the path and its permissions");
}

TEST_F(CatalogTest, TheSecondLookReadsNoFile) {
  const fs::path file = plugin("optimizer", "sgd");
  make_old(file);
  EXPECT_EQ(scan().parts().size(), 1U);
  EXPECT_TRUE(fs::exists(index()));
  spoil_unseen(file);
  const Catalog second = scan();
  ASSERT_EQ(second.parts().size(), 1U);
  EXPECT_EQ(second.parts()[0].plugin, file);
  make_old(file);  // another time: it is read again
  EXPECT_EQ(scan().parts().size(), 0U);
}

TEST_F(CatalogTest, AFileThatMayStillChangeIsNotIndexed) {
  const fs::path file = plugin("optimizer", "sgd");
  EXPECT_EQ(scan().parts().size(), 1U);
  EXPECT_FALSE(fs::exists(index()));
  spoil_unseen(file);
  EXPECT_EQ(scan().parts().size(), 0U);
}

TEST_F(CatalogTest, AnIndexedPluginIsVerifiedAgain) {
  nlohmann::json manifest = sound_manifest("optimizer", "old");
  manifest["libtorch"] = "1.0.0";
  make_old(write_bytes(folder_ / "plugins/old.so", elf_with(manifest.dump())));
  for (int look = 0; look < 2; ++look) EXPECT_EQ(scan().refusals().size(), 1U);
  EXPECT_TRUE(fs::exists(index()));
}

TEST_F(CatalogTest, ADamagedIndexIsIgnoredAndWrittenAnew) {
  make_old(plugin("optimizer", "sgd"));
  static_cast<void>(scan());
  const std::string sound = read_bytes(index());
  for (std::size_t i = 0; i < sound.size(); i += 11) {
    std::string damaged = sound;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    write_bytes(index(), damaged);
    EXPECT_EQ(scan().parts().size(), 1U);
    EXPECT_EQ(read_bytes(index()), sound) << "byte " << i;
  }
  for (const std::string& alien :
       {std::string(), sound.substr(0, sound.size() / 2), sound + "x", std::string(100, '\0')}) {
    write_bytes(index(), alien);
    EXPECT_EQ(scan().parts().size(), 1U);
    EXPECT_EQ(read_bytes(index()), sound);
  }
}

TEST_F(CatalogTest, AnIndexThatCannotBeWrittenIsDoneWithout) {
  make_old(plugin("optimizer", "sgd"));
  fs::create_directories(index());  // a folder where the file should be
  EXPECT_EQ(scan().parts().size(), 1U);
  fs::remove_all(folder_ / "cache");
  write_bytes(folder_ / "cache", "a file where the folder should be");
  EXPECT_EQ(scan().parts().size(), 1U);
  const Variable relative("XDG_CACHE_HOME", "relative");  // ignored, as XDG wants it
  const Variable home("HOME", "");
  EXPECT_FALSE(SectionIndex::default_file().has_value());
  EXPECT_EQ(scan().parts().size(), 1U);
}

TEST_F(CatalogTest, NothingIsLeftBesideTheIndex) {
  make_old(plugin("optimizer", "sgd"));
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([this] { EXPECT_EQ(scan().parts().size(), 1U); });
  threads.clear();
  EXPECT_EQ(std::distance(fs::directory_iterator(index().parent_path()), {}), 1);
  spoil_unseen(folder_ / "plugins/sgd.so");
  EXPECT_EQ(scan().parts().size(), 1U);
}

TEST_F(CatalogTest, OtherStudiesPluginsStayInTheIndex) {
  const fs::path one = plugin("optimizer", "one", "one");
  const fs::path two = plugin("optimizer", "two", "two");
  make_old(one);
  make_old(two);
  static_cast<void>(Catalog::scan({folder_ / "one"}));
  static_cast<void>(Catalog::scan({folder_ / "two"}));
  spoil_unseen(one);
  EXPECT_EQ(Catalog::scan({folder_ / "one"}).parts().size(), 1U);
}

TEST_F(CatalogTest, SearchesInTheOrderOfTheDesign) {
  for (const char* name :
       {"study", "a", "b", "data/paribus/plugins", "venv/lib/paribus/site-plugins"})
    fs::create_directories(folder_ / name);
  const Variable environment("VIRTUAL_ENV", (folder_ / "venv").string());
  const Variable data("XDG_DATA_HOME", (folder_ / "data").string());
  const Variable listed("PARIBUS_PLUGINS", (folder_ / "a").string() +
                                               "::" + (folder_ / "none").string() + ":" +
                                               (folder_ / "b/").string());
  std::vector<fs::path> expected{folder_ / "study", folder_ / "a", folder_ / "b",
                                 folder_ / "data/paribus/plugins",
                                 folder_ / "venv/lib/paribus/site-plugins"};
  const Variable other("CONDA_PREFIX", "relative");
  const fs::path program = fs::read_symlink("/proc/self/exe");
  const fs::path built_in = program.parent_path().parent_path() / "lib/paribus/plugins";
  fs::create_directories(built_in);  // empty: in no other test's way
  for (const char* prefix : {"/usr/local", "/usr"}) {
    const fs::path packaged = fs::path(prefix) / "lib/paribus/site-plugins";
    if (fs::is_directory(packaged)) expected.push_back(packaged);
  }
  expected.push_back(built_in);
  EXPECT_EQ(Catalog::search_path({folder_ / "study"}), expected);
}

TEST_F(CatalogTest, AStudysOwnFolderMustExist) {
  EXPECT_EQ(error_of([&] { Catalog::search_path({folder_ / "none"}); }),
            (folder_ / "none").string() +
                ": is not a folder, expected one that holds plugins; correct `plugins` in [study]");
}

}  // namespace
}  // namespace paribus::registry
