// SPDX-License-Identifier: Apache-2.0
#include "registry/manifest.h"

#include <gtest/gtest.h>

#include <cmath>

#include "registry/elf.h"
#include "temporary.h"

namespace paribus::registry {
namespace {

using namespace test;
using nlohmann::json;

json parameter(const std::string& type, const json& default_value) {
  return {{"name", "x"}, {"type", type}, {"default", default_value}, {"doc", "a parameter"}};
}

json with(const json& field) {
  json manifest = sound_manifest("optimizer", "test");
  manifest["params"].push_back(field);
  return manifest;
}

std::string refusal(const json& manifest) {
  return error_of([&] { schema_from_json(manifest); });
}

TEST(Manifest, ReadsWhatTheKernelsMacroWrites) {
  const auto parts = parse_manifests(read_section(fixture("real")).text);
  ASSERT_EQ(parts.size(), 1U);
  const PartSchema& part = parts.front();
  EXPECT_EQ(part.kind, "optimizer");
  EXPECT_EQ(part.name, "real");
  EXPECT_EQ(part.symbol, "paribus_part_Real");
  EXPECT_EQ(part.abi, this_host().abi);
  EXPECT_EQ(part.libtorch, PARIBUS_TORCH_VERSION);
  ASSERT_EQ(part.fields.size(), 9U);
  EXPECT_EQ(part.field("nesterov")->default_value, Value(true));
  EXPECT_EQ(part.field("k")->default_value, Value(std::int64_t{5}));
  EXPECT_EQ(part.field("k")->min, 1.0);
  EXPECT_EQ(part.field("k")->max, 100.0);
  const FieldSchema& lr = *part.field("lr");
  EXPECT_EQ(lr.default_value, Value(1e-3));
  EXPECT_EQ(lr.above, 0.0);
  EXPECT_EQ(lr.below, 1.0);
  EXPECT_EQ(lr.unit, "1/step");
  EXPECT_TRUE(lr.live);
  EXPECT_EQ(lr.doc, "rate, \"live\"\nsecond line");
  EXPECT_EQ(part.field("limit")->default_value, Value(std::numeric_limits<double>::infinity()));
  EXPECT_EQ(part.field("mode")->choices, (std::vector<std::string>{"min", "max"}));
  EXPECT_EQ(part.field("betas")->default_value, Value(std::vector<double>{0.9, 0.999}));
  EXPECT_EQ(part.field("steps")->default_value, Value(std::vector<std::int64_t>{}));
  EXPECT_TRUE(part.field("clip")->optional);
  EXPECT_EQ(part.field("clip")->default_value, Value());
  EXPECT_EQ(part.field("inner")->of, "optimizer");
  EXPECT_EQ(part.field("inner")->default_value, Value(std::string("sgd")));
  EXPECT_EQ(part.field("none"), nullptr);
}

TEST(Manifest, WrittenAndReadAgainIsTheSame) {
  for (const char* name : {"real", "two_parts", "good"}) {
    for (const PartSchema& part : parse_manifests(read_section(fixture(name)).text)) {
      const json once = to_json(part);
      EXPECT_EQ(to_json(schema_from_json(json::parse(once.dump()))), once);
    }
  }
}

TEST(Manifest, ReadsSpecialNumbers) {
  const PartSchema nan = schema_from_json(with(parameter("float", "nan")));
  EXPECT_TRUE(std::isnan(std::get<double>(nan.fields[0].default_value)));
  const PartSchema low = schema_from_json(with(parameter("float", "-inf")));
  EXPECT_EQ(low.fields[0].default_value, Value(-std::numeric_limits<double>::infinity()));
  const PartSchema whole = schema_from_json(with(parameter("float", 1)));
  EXPECT_EQ(whole.fields[0].default_value, Value(1.0));
}

TEST(Manifest, ReadsWhatOnlySomeKindsHave) {
  json metric = sound_manifest("metric", "accuracy");
  metric["goal"] = "maximize", metric["unit"] = "1";
  EXPECT_EQ(schema_from_json(metric).goal, "maximize");
  json callback = sound_manifest("callback", "ema");
  callback["reads"] = {"weights"}, callback["writes"] = {"evaluation_weights"};
  EXPECT_EQ(schema_from_json(callback).writes, std::vector<std::string>{"evaluation_weights"});
  json dataset = sound_manifest("dataset", "mnist");
  dataset["files"] = {{{"name", "a.gz"},
                       {"folder", "mnist"},
                       {"url", "https://a.b/a.gz"},
                       {"sha256", ""},
                       {"content", ""},
                       {"bytes", 7}}};
  EXPECT_EQ(schema_from_json(dataset).files.at(0).bytes, 7);
}

TEST(Manifest, NamesEachMissingKey) {
  for (const char* key : {"paribus", "kind", "name", "doc", "symbol", "abi", "libtorch", "compiler",
                          "cpu", "params"}) {
    json manifest = sound_manifest("loss", "test");
    manifest.erase(key);
    EXPECT_EQ(refusal(manifest), std::string("manifest: '") + key + "' is missing");
  }
  for (const char* key : {"type", "default", "doc"}) {
    json field = parameter("int", 1);
    field.erase(key);
    EXPECT_EQ(refusal(with(field)),
              std::string("manifest: of parameter 'x', '") + key + "' is missing");
  }
}

TEST(Manifest, SaysWhatIsWrong) {
  json manifest = sound_manifest("optimiser", "test");
  EXPECT_EQ(refusal(manifest),
            "manifest: 'kind' is 'optimiser', which is no kind of part; did you mean 'optimizer'?");
  manifest = sound_manifest("loss", "Bad Name");
  EXPECT_EQ(refusal(manifest),
            "manifest: 'name' is 'Bad Name', expected lower-case letters, digits and _");
  manifest = sound_manifest("loss", "test");
  manifest["paribus"] = 2;
  EXPECT_EQ(refusal(manifest), "manifest: 'paribus' (the manifest's version) is 2, expected 1");
  manifest["paribus"] = 1, manifest["symbol"] = "system";
  EXPECT_EQ(refusal(manifest),
            "manifest: 'symbol' is 'system', expected paribus_part_ and a C++ name");
  EXPECT_EQ(refusal(json::array()), "manifest: is not a JSON object");
  EXPECT_EQ(refusal(with(parameter("real", 1))),
            "manifest: of parameter 'x', 'type' is 'real', expected bool, int, float, string, list "
            "or part");
  EXPECT_EQ(refusal(with(parameter("int", 1.5))),
            "manifest: of parameter 'x', 'default' is not an integer");
  EXPECT_EQ(refusal(with(parameter("int", 18446744073709551615U))),
            "manifest: of parameter 'x', 'default' is greater than a 64-bit integer can be");
  EXPECT_EQ(refusal(with(parameter("string", "a\x1b[2J"))),
            "manifest: of parameter 'x', 'default' holds a control character");
  EXPECT_EQ(refusal(with(parameter("string", "a\xc2\x9b"))),
            "manifest: of parameter 'x', 'default' holds a control character");
  EXPECT_EQ(refusal(with(parameter("list", json::array()))),
            "manifest: of parameter 'x', 'of' is '', expected int, float or string");
  EXPECT_EQ(refusal(sound_manifest("metric", "m")),
            "manifest: 'goal' is '', expected maximize or minimize");
}

TEST(Manifest, ADefaultObeysItsOwnBounds) {
  json field = parameter("int", 0);
  field["min"] = 1.0;
  EXPECT_EQ(refusal(with(field)),
            "manifest: of parameter 'x', 'default' breaks the parameter's own rule: got 0, "
            "expected an integer of at least 1");
}

TEST(Manifest, TwoParametersOfOneNameAreRefused) {
  json manifest = with(parameter("int", 1));
  manifest["params"].push_back(parameter("bool", true));
  EXPECT_EQ(refusal(manifest), "manifest: 'params' has two of name 'x'");
}

TEST(Manifest, DataFilesStayBelowTheirFolder) {
  const auto file_error = [](const std::string& key, const json& value) {
    json dataset = sound_manifest("dataset", "test");
    json file{{"name", "a"},  {"folder", "f"}, {"url", ""},
              {"sha256", ""}, {"content", ""}, {"bytes", 1}};
    file[key] = value;
    dataset["files"] = {file};
    return refusal(dataset);
  };
  EXPECT_EQ(
      file_error("name", "../passwd"),
      "manifest: in entry 0 of 'files', 'name' is '../passwd', expected the plain name of a file");
  for (const char* folder : {"/etc", "..", "a/../../b", "a/..", "../a"}) {
    EXPECT_EQ(file_error("folder", folder),
              std::string("manifest: in entry 0 of 'files', 'folder' is '") + folder +
                  "', expected a folder below the data folder");
  }
  EXPECT_NE(file_error("url", "gopher://x").find("expected https://, http:// or file://"),
            std::string::npos);
  EXPECT_NE(file_error("sha256", "abc").find("is not a SHA-256"), std::string::npos);
  EXPECT_EQ(file_error("bytes", -1), "manifest: in entry 0 of 'files', 'bytes' is negative");
  EXPECT_EQ(file_error("unless", "path"),
            "manifest: 'files' asks for 'a' unless 'path', which is no parameter");
}

TEST(Manifest, EverythingIsBounded) {
  json manifest = sound_manifest("loss", "test");
  manifest["doc"] = std::string(5000, 'a');
  EXPECT_EQ(refusal(manifest), "manifest: 'doc' has 5000 bytes, expected at most 4096");
  manifest = sound_manifest("loss", "test");
  for (int i = 0; i < 300; ++i) {
    json field = parameter("int", 1);
    field["name"] = "x" + std::to_string(i);
    manifest["params"].push_back(field);
  }
  EXPECT_EQ(refusal(manifest), "manifest: 'params' has 300 entries, expected at most 256");
  const auto section_error = [](const std::string& text) {
    return error_of([&] { parse_manifests(text); });
  };
  const std::string end = "; rebuild the plugin, and don't write into section .paribus by hand";
  EXPECT_EQ(section_error(std::string(70000, 'a')),
            "manifest 1 has 70000 bytes, expected at most 65536" + end);
  EXPECT_EQ(section_error(std::string(60000, '[')), "manifest 1 is nested too deeply" + end);
  std::string many;
  for (int i = 0; i < 257; ++i)
    many += sound_manifest("loss", "l" + std::to_string(i)).dump() + "\n";
  EXPECT_EQ(section_error(many), "offers more than 256 parts; split it into several plugins");
}

TEST(Manifest, BracketsWithinTextsAreNoDepth) {
  json manifest = sound_manifest("loss", "test");
  manifest["doc"] = "[[[[[[[[ \\\" {{{{{{{{ \"";
  EXPECT_EQ(parse_manifests(manifest.dump()).size(), 1U);
}

TEST(Manifest, DamagedTextIsRefusedAtEveryLength) {
  const std::string whole = sound_manifest("loss", "test").dump();
  for (std::size_t length = 1; length < whole.size(); ++length) {
    const std::string error = error_of([&] { parse_manifests(whole.substr(0, length)); });
    EXPECT_EQ(error.find("manifest 1 is not JSON, see its byte "), 0U) << length << ": " << error;
  }
  EXPECT_EQ(error_of([&] { parse_manifests(""); }),
            "has an empty section .paribus; put PARIBUS_PART last in its source and rebuild it");
  const std::string invalid_utf8 = "{\"a\":\"\xff\"}";
  EXPECT_EQ(error_of([&] { parse_manifests(invalid_utf8); }).find("manifest 1 is not JSON"), 0U);
}

TEST(Manifest, OnePartTwiceInAFileIsRefused) {
  const std::string line = sound_manifest("loss", "test").dump() + "\n";
  EXPECT_EQ(error_of([&] { parse_manifests(line + line); }),
            "offers loss/test twice; rename one of them and rebuild");
}

}  // namespace
}  // namespace paribus::registry
