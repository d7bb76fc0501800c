// SPDX-License-Identifier: Apache-2.0
#include "plugins_command.h"

#include <gtest/gtest.h>
#include <toml++/toml.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <sstream>

#include "registry/catalog.h"
#include "temporary.h"

namespace paribus {
namespace {

using namespace registry::test;
using nlohmann::json;

struct Answer {
  int status = 0;
  std::string out, err;
};

std::string all_of(std::FILE* stream) {
  std::rewind(stream);
  std::string text;
  for (int c = std::fgetc(stream); c != EOF; c = std::fgetc(stream)) text += static_cast<char>(c);
  std::fclose(stream);
  return text;
}

class PluginsCommand : public testing::Test {
 protected:
  PluginsCommand() {
    json sgd = sound_manifest("optimizer", "sgd");
    sgd["doc"] = "Stochastic gradient descent\nwith momentum";
    sgd["params"] = json::parse(R"([
      {"name":"lr","type":"float","default":0.1,"above":0.0,"unit":"1/step","live":true,"doc":"learning rate"},
      {"name":"mode","type":"string","default":"min","choices":["min","max"],"doc":"which way"},
      {"name":"clip","type":"float","optional":true,"default":null,"doc":"none: off"},
      {"name":"bound","type":"float","default":"inf","doc":"a bound"},
      {"name":"betas","type":"list","of":"float","default":[0.9,1.0],"min":0.0,"max":1.0,"doc":"decays"},
      {"name":"inner","type":"part","of":"optimizer","default":"sgd","doc":"who steps"}])");
    add(sgd);
    add(sound_manifest("optimizer", "adam"));
    add(sound_manifest("search", "grid"));
    for (const char* kind :
         {"transform", "schedule", "callback", "model", "loss", "dataset", "tracker"}) {
      json manifest = sgd;
      manifest["kind"] = kind, manifest["name"] = std::string("a_") + kind;
      add(manifest);
    }
  }
  void add(const json& manifest) {
    const std::string name = manifest["name"];
    write_bytes(folder_ / "plugins" / (name + ".so"), elf_with(manifest.dump()));
  }
  static Answer ask(const PluginsRequest& request) {
    std::FILE* out = std::tmpfile();
    std::FILE* err = std::tmpfile();
    Answer answer;
    answer.status = run_plugins_command(request, out, err);
    answer.out = all_of(out);
    answer.err = all_of(err);
    return answer;
  }
  static Answer show(const std::string& part, bool as_json = false) {
    return ask({.show = part, .json = as_json});
  }

  TemporaryFolder folder_;
  Variable cache_{"XDG_CACHE_HOME", (folder_ / "cache").string()};
  Variable data_{"XDG_DATA_HOME", (folder_ / "data").string()};
  Variable plugins_{"PARIBUS_PLUGINS", (folder_ / "plugins").string()};
};

TEST_F(PluginsCommand, ListsPartsOfAKind) {
  const Answer answer = ask({.kind = "search"});
  EXPECT_EQ(answer.status, 0);
  EXPECT_NE(answer.out.find("search\n"), std::string::npos);
  EXPECT_NE(answer.out.find("  grid  "), std::string::npos);
  EXPECT_EQ(answer.out.find("optimizer"), std::string::npos);
  EXPECT_EQ(answer.out.find('\033'), std::string::npos);  // a file isn't a terminal
}

TEST_F(PluginsCommand, ListsTheFirstLineOfEachDoc) {
  const Answer answer = ask({});
  EXPECT_NE(answer.out.find("Stochastic gradient descent\n"), std::string::npos);
  EXPECT_EQ(answer.out.find("with momentum"), std::string::npos);
}

TEST_F(PluginsCommand, ListsRefusedFilesWithReasonsOnStderr) {
  const std::filesystem::path file = write_bytes(folder_ / "plugins/broken.so", "text");
  const Answer answer = ask({});
  EXPECT_EQ(answer.status, 0);
  EXPECT_NE(
      answer.err.find("refused: " + file.string() +
                      ": is not an ELF file; it is no Paribus plugin; take it out of the folder\n"),
      std::string::npos)
      << answer.err;
  const json listed = json::parse(ask({.json = true}).out);
  EXPECT_EQ(listed.at("refused").at(0).at("file"), file.string());
}

TEST_F(PluginsCommand, ManyThatAreRefusedForOneReasonAreOneLine) {
  for (const char* name : {"a", "b", "c", "d", "e", "f"})
    write_bytes(folder_ / "plugins" / (std::string(name) + ".so"), "text");
  const Answer answer = ask({});
  EXPECT_NE(answer.err.find("a.so and 5 others beside it: is not an ELF file"), std::string::npos)
      << answer.err;
  EXPECT_EQ(std::count(answer.err.begin(), answer.err.end(), '\n'), 1);
  EXPECT_EQ(json::parse(ask({.json = true}).out).at("refused").size(), 6U);
}

TEST_F(PluginsCommand, JsonHoldsWholeSchemas) {
  const json listed = json::parse(ask({.kind = "optimizer", .json = true}).out);
  bool found = false;
  for (const json& part : listed.at("parts")) {
    EXPECT_EQ(part.at("kind"), "optimizer");
    found = found || (part.at("name") == "sgd" && part.at("params").size() == 6);
  }
  EXPECT_TRUE(found);
}

TEST_F(PluginsCommand, AnUnknownKindIsAnError) {
  const Answer answer = ask({.kind = "optimiser"});
  EXPECT_EQ(answer.status, 2);
  EXPECT_EQ(answer.err,
            "paribus: plugins: there is no kind 'optimiser'; did you mean 'optimizer'?\n");
  EXPECT_EQ(answer.out, "");
}

TEST_F(PluginsCommand, ShowsAPartForPeople) {
  const Answer answer = show("optimizer/sgd");
  EXPECT_EQ(answer.status, 0);
  for (const char* line : {
           "parameter  type              default     allowed     unit    live  what\n",
           "lr         float             0.1         > 0         1/step  live  learning rate\n",
           "mode       string            \"min\"       min | max                 which way\n",
           "clip       float or none     none                                  none: off\n",
           "bound      float             inf                                   a bound\n",
           "betas      list of float     [0.9, 1.0]  >= 0, <= 1                decays\n",
           "inner      optimizer (part)  \"sgd\"                                 who steps\n",
           "compiler   gcc 12.2.0\n",
           "LibTorch   2.13.0\n",
           "[optimizer]\nuse = \"sgd\"\n",
       }) {
    EXPECT_NE(answer.out.find(line), std::string::npos) << line << "in\n" << answer.out;
  }
  EXPECT_NE(answer.out.find("plugin     " + (folder_ / "plugins/sgd.so").string()),
            std::string::npos);
}

TEST_F(PluginsCommand, ShowsAPartAsJson) {
  EXPECT_EQ(json::parse(show("optimizer/sgd", true).out).at("params").at(0).at("name"), "lr");
}

TEST_F(PluginsCommand, EveryExampleIsTomlThatHoldsTheDefaults) {
  const auto catalog = registry::Catalog::scan({folder_ / "plugins"});
  ASSERT_EQ(catalog.parts().size(), 10U);
  for (const registry::PartSchema& part : catalog.parts()) {
    const std::string text = toml_example(part);
    const toml::table table = toml::parse(text);
    EXPECT_NE(text.find("use = \"" + part.name + "\""), std::string::npos) << text;
    EXPECT_EQ(text.find("clip"), std::string::npos) << text;
  }
  const toml::table table = toml::parse(toml_example(*catalog.find("optimizer", "sgd")));
  EXPECT_EQ(table["optimizer"]["lr"].value<double>(), 0.1);
  EXPECT_EQ(table["optimizer"]["inner"]["use"].value<std::string>(), "sgd");
  EXPECT_EQ(table["optimizer"]["betas"][1].value_exact<double>(), 1.0);
}

TEST_F(PluginsCommand, AnUnknownPartNamesNearOnes) {
  EXPECT_EQ(show("optimizer/sdg").status, 2);
  const auto error = [](const std::string& part) { return show(part).err; };
  EXPECT_NE(error("optimizer/sdg")
                .find("there is no part 'optimizer/sdg', expected KIND/NAME; did you mean "
                      "'optimizer/sgd'?\n"),
            std::string::npos);
  EXPECT_NE(error("sgd").find(
                "there is no part 'sgd', expected KIND/NAME; did you mean 'optimizer/sgd'?\n"),
            std::string::npos);
  EXPECT_NE(error("optimiser/sgd").find("; did you mean 'optimizer/sgd'?\n"), std::string::npos);
  EXPECT_NE(error("optimizer/zzzzzz").find("expected KIND/NAME; `paribus plugins` lists them\n"),
            std::string::npos);
}

TEST(PluginsDescribe, WhatAnIntCanHoldIsNoBound) {
  registry::FieldSchema k;
  k.name = "k", k.type = registry::FieldType::integer, k.default_value = std::int64_t{5};
  k.min = 1, k.max = 2147483647;
  registry::PartSchema part;
  part.fields.push_back(k);
  EXPECT_NE(describe(part).find("k          int   5        >= 1\n"), std::string::npos)
      << describe(part);
}

TEST_F(PluginsCommand, ChecksAFileByItself) {
  Answer answer = ask({.check = fixture("good").string()});
  EXPECT_EQ(answer.status, 0);
  EXPECT_EQ(answer.out, "optimizer/good: fine, 1 parameter, gcc 12.2.0\n");
  answer = ask({.check = fixture("wrong_abi").string()});
  EXPECT_EQ(answer.status, 2);
  EXPECT_EQ(answer.err.find("paribus: " + fixture("wrong_abi").string() +
                            ": was built against kernel ABI 0123456789abcdef"),
            0U);
}

TEST_F(PluginsCommand, TwinsAreAnError) {
  std::filesystem::copy_file(fixture("good"), folder_ / "plugins/good.so");
  std::filesystem::copy_file(fixture("twin"), folder_ / "plugins/twin.so");
  const Answer answer = ask({});
  EXPECT_EQ(answer.status, 2);
  EXPECT_EQ(answer.err.find("paribus: optimizer/good: is in two plugins, "), 0U);
}

TEST_F(PluginsCommand, IsWiredIntoTheCommandLine) {
  const auto run = [](std::vector<std::string> words) {
    CLI::App app;
    int status = -1;
    add_plugins_reading(app, status);
    std::reverse(words.begin(), words.end());
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    app.parse(words);
    std::fflush(nullptr);
    testing::internal::GetCapturedStderr();
    return std::pair(status, testing::internal::GetCapturedStdout());
  };
  EXPECT_EQ(run({"plugins", "show", "optimizer/sgd"}).first, 0);
  EXPECT_EQ(run({"plugins", "show", "optimizer/none"}).first, 2);
  EXPECT_EQ(json::parse(run({"plugins", "show", "optimizer/sgd", "--json"}).second).at("name"),
            "sgd");
  EXPECT_EQ(json::parse(run({"plugins", "--json", "--kind", "search"}).second)
                .at("parts")
                .at(0)
                .at("kind"),
            "search");
}

TEST_F(PluginsCommand, TheCommandLineWantsTheNameOfAPart) {
  CLI::App app;
  int status = -1;
  add_plugins_reading(app, status);
  EXPECT_THROW(app.parse("plugins show", false), CLI::RequiredError);
  EXPECT_EQ(status, -1);
}

}  // namespace
}  // namespace paribus
