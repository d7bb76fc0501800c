// SPDX-License-Identifier: Apache-2.0
// How parameters reach a part, and what its manifest says of them.
#include <cmath>

#include "paribus/optimizer.h"
#include "parts.h"

namespace paribus::test {
namespace {

constexpr std::int64_t kBillion = 1'000'000'000;

struct All : Optimizer {
  struct Params {
    bool flag = true;
    int whole = 5;
    std::int64_t large = 5 * kBillion;
    std::uint8_t byte = 7;
    double real = 0.5;
    std::string_view text = "some";
    std::vector<std::int64_t> counts{1, 2};
    std::vector<double> betas{0.9, 0.999};
    std::optional<int> maybe;
    Part<Optimizer> inner{"sgd"};
    static constexpr auto fields() {
      return std::tuple{
          field("flag", &Params::flag, "a flag"),
          field("whole", &Params::whole, "bounded below").at_least(1).live(),
          field("large", &Params::large, "64 bits").live(),
          field("byte", &Params::byte, "8 bits").below(100),
          field("real", &Params::real, "a share").above(0).below(1).unit("1/s").live(),
          field("text", &Params::text, "a word").one_of("some", "none"),
          field("counts", &Params::counts, "a list").at_least(0),
          field("betas", &Params::betas, "a list").at_least(0).below(1),
          field("maybe", &Params::maybe, "may be left out").live(),
          field("inner", &Params::inner, "another")};
    }
  } params;
  void step(Group& /*group*/) override {}
};

std::string manifest() {
  const auto text = manifest_detail::manifest<All>({"all", "doc", "symbol", "abi", "2.13.0"});
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) out += text.at(i);
  return out;
}

/// The parameter's object in the manifest.
std::string stated(const std::string& name) {
  const std::string all = manifest();
  const auto from = all.find("{\"name\":\"" + name + '"');
  return all.substr(from, all.find('}', from) + 1 - from);
}

TEST(Params, TheManifestStatesTypesDefaultsAndBounds) {
  EXPECT_EQ(stated("flag"), R"({"name":"flag","type":"bool","default":true,"doc":"a flag"})");
  EXPECT_EQ(stated("real"),
            R"({"name":"real","type":"float","default":0.5,"above":0.0,"below":1.0,"unit":"1/s",)"
            R"("live":true,"doc":"a share"})");
  EXPECT_EQ(stated("text"),
            R"({"name":"text","type":"string","default":"some","choices":["some","none"],)"
            R"("doc":"a word"})");
  EXPECT_EQ(stated("betas"),
            R"({"name":"betas","type":"list","of":"float","default":[0.9,0.999],"min":0.0,)"
            R"("below":1.0,"doc":"a list"})");
  EXPECT_EQ(stated("inner"),
            R"({"name":"inner","type":"part","of":"optimizer","default":"sgd","doc":"another"})");
}

TEST(Params, TheManifestStatesWhatANarrowIntegerCanHold) {
  EXPECT_TEXT(stated("whole"), R"("default":5,"min":1.0,"max":2147483647.0,)");
  EXPECT_TEXT(stated("byte"), R"("default":7,"min":0.0,"below":100.0,)");
  EXPECT_TEXT(stated("maybe"), R"("default":null,"min":-2147483648.0,"max":2147483647.0,)");
  EXPECT_EQ(stated("large"),
            R"({"name":"large","type":"int","default":5000000000,"live":true,"doc":"64 bits"})");
  EXPECT_EQ(stated("counts").find("max"), std::string::npos);
}

class Filled : public ::testing::Test {
 protected:
  Filled() { factory_.add<All>("all"); }
  Instance made(std::map<std::string, Value> params) {
    return Instance(part("optimizer", "all", std::move(params)), factory_);
  }
  std::string refusal(const std::string& name, const Value& value) {
    return error_of([&] { made({{name, value}}); });
  }
  Factory factory_;
};

TEST_F(Filled, EveryTypeArrives) {
  const Instance instance = made({{"flag", false},
                                  {"whole", std::int64_t{2'147'483'647}},
                                  {"large", -9 * kBillion},
                                  {"byte", std::int64_t{255}},
                                  {"real", 0.25},
                                  {"text", std::string("none")},
                                  {"counts", std::vector<std::int64_t>{7 * kBillion}},
                                  {"betas", std::vector<double>{}},
                                  {"maybe", std::int64_t{3}}});
  const auto& params = dynamic_cast<All&>(instance.part()).params;
  EXPECT_FALSE(params.flag);
  EXPECT_EQ(params.whole, 2'147'483'647);
  EXPECT_EQ(params.large, -9 * kBillion);
  EXPECT_EQ(params.byte, 255);
  EXPECT_EQ(params.real, 0.25);
  EXPECT_EQ(params.text, "none");
  EXPECT_EQ(params.counts, std::vector<std::int64_t>{7 * kBillion});
  EXPECT_TRUE(params.betas.empty());
  EXPECT_EQ(params.maybe, 3);
  EXPECT_FALSE(static_cast<bool>(params.inner));
}

TEST_F(Filled, WhatIsNotGivenKeepsItsDefault) {
  const Instance instance = made({{"maybe", Value()}});
  const auto& params = dynamic_cast<All&>(instance.part()).params;
  EXPECT_EQ(params.whole, 5);
  EXPECT_EQ(params.text, "some");
  EXPECT_FALSE(params.maybe.has_value());
}

TEST_F(Filled, NumbersThatDoNotFitAreRefusedNotCut) {
  const std::string end = ", which is more than the parameter can hold";
  EXPECT_EQ(refusal("whole", std::int64_t{1} << 31), "optimizer.whole: got 2147483648" + end);
  EXPECT_EQ(refusal("whole", -3 * kBillion), "optimizer.whole: got -3000000000" + end);
  EXPECT_EQ(refusal("byte", std::int64_t{256}), "optimizer.byte: got 256" + end);
  EXPECT_EQ(refusal("byte", std::int64_t{-1}), "optimizer.byte: got -1" + end);
  EXPECT_EQ(refusal("maybe", std::int64_t{1} << 40), "optimizer.maybe: got 1099511627776" + end);
}

TEST_F(Filled, OtherTypesAndUnknownNamesAreRefused) {
  const std::string other = ": the value given has another type than the parameter";
  EXPECT_EQ(refusal("whole", 1.5), "optimizer.whole" + other);
  EXPECT_EQ(refusal("real", std::int64_t{1}), "optimizer.real" + other);
  EXPECT_EQ(refusal("flag", std::string("yes")), "optimizer.flag" + other);
  EXPECT_EQ(refusal("text", Value()), "optimizer.text" + other);
  EXPECT_EQ(refusal("lr", 0.1), "optimizer: optimizer/all has no parameter 'lr'");
  EXPECT_EQ(refusal("inner", std::string("sgd")),
            "optimizer.inner: a slot can't take a plain value");
}

TEST_F(Filled, SlotsHoldPartsWithTheirOwnAddresses) {
  PartSpec spec = part("optimizer", "all");
  spec.slots["inner"] = part("optimizer", "sgd", {{"lr", 0.5}}, "optimizer.inner");
  const Instance instance(spec, factory_);
  EXPECT_TRUE(static_cast<bool>(dynamic_cast<All&>(instance.part()).params.inner));
  EXPECT_EQ(instance.find("optimizer.inner.lr").get(), 0.5);
  EXPECT_FALSE(instance.find("optimizer.lr"));
  EXPECT_FALSE(instance.find("optimizerlarge"));
  std::vector<std::string> addresses;
  instance.each([&](PartBase& each) { addresses.push_back(each.address()); });
  EXPECT_EQ(addresses, (std::vector<std::string>{"optimizer", "optimizer.inner"}));
  spec.slots["real"] = part("optimizer", "sgd");
  EXPECT_EQ(error_of([&] { Instance(spec, factory_); }), "optimizer.real: not a slot for a part");
}

TEST_F(Filled, DrivenIntegersAreRoundedAndNotCut) {
  const Instance instance = made({});
  const auto whole = instance.find("optimizer.whole");
  whole.set(2.5);
  EXPECT_EQ(whole.get(), 3);
  whole.set(0.6);
  EXPECT_EQ(whole.get(), 1);
  EXPECT_EQ(error_of([&] { whole.set(-2.4); }), "optimizer.whole: got -2.4, expected at least 1");
  EXPECT_EQ(whole.get(), 1);
  for (const double value : {3e9, -1e300, std::nan("")}) {
    EXPECT_TEXT(error_of([&] { whole.set(value); }), "which an integer parameter can't hold");
  }
  const auto large = instance.find("optimizer.large");
  large.set(1e12);
  EXPECT_EQ(large.get(), 1e12);
  EXPECT_EQ(error_of([&] { static_cast<void>(instance.find("optimizer.text").get()); }),
            "optimizer.text: not a number");
  EXPECT_EQ(instance.numeric_addresses(),
            (std::vector<std::string>{"optimizer.whole", "optimizer.large", "optimizer.byte",
                                      "optimizer.real"}));
}

}  // namespace
}  // namespace paribus::test
