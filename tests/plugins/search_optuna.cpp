// SPDX-License-Identifier: Apache-2.0
// search/optuna against the real Optuna, used by hand.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <limits>
#include <thread>

#include "search_simulator.h"

namespace paribus::testing {
namespace {

using nlohmann::json;
constexpr double kFails = std::numeric_limits<double>::quiet_NaN();

const std::vector<Axis> kAxes{
    {.addresses = {"optimizer.lr"}, .low = 1e-4, .high = 1, .log = true},
    {.addresses = {"model", "loss"}, .count = 3},
    {.addresses = {"data.batch"}, .low = 4, .high = 64, .integer = true},
    {.addresses = {"callback.ema.decay"}, .low = 0.5, .high = 0.999},
};
const json kAxesByHand = {{"optimizer.lr", "float", 1e-4, 1, true},
                          {"model, loss", "list", 3},
                          {"data.batch", "int", 4, 64, false},
                          {"callback.ema.decay", "float", 0.5, 0.999, false}};

double loss(const Work& work) {
  if (work.point % 7 == 5) return kFails;
  const double lr = std::log10(work.choices[0].value) + 2;
  return lr * lr + 0.3 * static_cast<double>(work.choices[1].index) +
         std::abs(work.choices[2].value - 20) / 50 + 1.0 / static_cast<double>(work.until);
}
double memory(const Work& work) { return work.choices[2].value; }

/// A folder that goes with the test.
class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "optuna-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw Error("no folder");
    path_ = name;
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  [[nodiscard]] std::string file(const std::string& name, const std::string& text) const {
    const auto path = path_ / name;
    std::ofstream(path) << text;
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    return path.string();
  }
  [[nodiscard]] std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

class SearchOptuna : public ::testing::Test {
 protected:
  void SetUp() override { ::setenv("PARIBUS_PYTHON", PARIBUS_TEST_PYTHON, 1); }

  static Parameters with(Parameters more) {
    more.insert({{"trials", std::int64_t{12}},
                 {"startup", std::int64_t{4}},
                 {"at_once", std::int64_t{3}},
                 {"timeout", std::int64_t{100}}});
    return more;
  }
  static std::uint64_t optuna_seed(std::uint64_t seed) {
    return Stream(seed, "search").seed(0, 0) & 0x7FFFFFFF;
  }

  /// The study as Optuna's manual would have it.
  [[nodiscard]] json by_hand(const Played& played, const json& sampler, const json& pruner) const {
    json given{{"sampler", sampler},
               {"pruner", pruner},
               {"axes", kAxesByHand},
               {"epochs", played.history.epochs}};
    for (const bool up : played.history.maximize)
      given["directions"].push_back(up ? "maximize" : "minimize");
    for (const Happening& happening : played.history.happenings) {
      const Job& job = played.history.jobs[static_cast<std::size_t>(happening.job)];
      const std::int64_t until = job.until == 0 ? played.history.epochs : job.until;
      json& events = given["events"];
      if (!happening.ended && !job.choices.empty()) events.push_back({"ask"});
      if (!happening.ended) continue;
      const bool failed = std::isnan(happening.values[0]);
      if (failed) events.push_back({"fail", job.point});
      if (failed) continue;
      if (pruner[0] != "NopPruner")
        events.push_back({"report", job.point, until, happening.values[0]});
      if (until == played.history.epochs) events.push_back({"tell", job.point, happening.values});
    }
    const std::string in = folder_.file("in.json", given.dump()), out = folder_.file("out", "");
    const std::string command = std::string("PYTHONHASHSEED=0 OMP_NUM_THREADS=1 ") +
                                PARIBUS_TEST_PYTHON +
                                " -W ignore " PARIBUS_TEST_DIR "/optuna_by_hand.py < " + in +
                                " > " + out + " 2> " + out + ".err";
    if (std::system(command.c_str()) != 0) throw Error("Optuna by hand: see " + out);
    std::ifstream file(out);
    return json::parse(file);
  }

  static void expect_points(const Played& played, const json& proposed) {
    ASSERT_EQ(played.points.size(), proposed.size());
    for (std::size_t i = 0; i < proposed.size(); ++i) {
      for (std::size_t axis = 0; axis < kAxes.size(); ++axis) {
        const Choice& choice = played.points[i][axis];
        const double value = choice.index >= 0 ? static_cast<double>(choice.index) : choice.value;
        EXPECT_EQ(value, proposed[i][axis].get<double>()) << "point " << i << ", axis " << axis;
      }
    }
  }

  Folder folder_;
};

struct Sampler {
  std::string name;
  json by_hand;  // but for the seed
};
class SearchOptunaSampler : public SearchOptuna, public ::testing::WithParamInterface<Sampler> {};

TEST_P(SearchOptunaSampler, ProposesWhatOptunaProposes) {
  const Simulator study("optuna", with({{"sampler", GetParam().name}}), kAxes, 3);
  const Played played = study.play(loss, 5);
  EXPECT_EQ(played.points.size(), 12U);
  EXPECT_EQ(played.trained, std::vector<std::int64_t>(12, 3));
  json sampler = GetParam().by_hand;
  sampler[1]["seed"] = optuna_seed(5);
  expect_points(played, by_hand(played, sampler, {"NopPruner", json::object()}).at("proposed"));
}

INSTANTIATE_TEST_SUITE_P(
    Each, SearchOptunaSampler,
    ::testing::Values(Sampler{"tpe",
                              {"TPESampler", {{"n_startup_trials", 4}, {"constant_liar", true}}}},
                      Sampler{"gp", {"GPSampler", {{"n_startup_trials", 4}}}},
                      Sampler{"cmaes", {"CmaEsSampler", {{"warn_independent_sampling", false}}}},
                      Sampler{"random", {"RandomSampler", json::object()}}),
    [](const auto& each) { return each.param.name; });

TEST_F(SearchOptuna, SeeksSeveralObjectives) {
  Simulator study("optuna",
                  with({{"sampler", std::string("nsga2")},
                        {"population", std::int64_t{4}},
                        {"objectives", std::string("valid.memory, train.loss")}}),
                  kAxes, 3);
  EXPECT_EQ((*study.made())->objectives(),
            (std::vector<std::string>{"valid.memory", "train.loss"}));
  const Played played = study.also(true, memory).also(false, memory).play(loss, 2);
  const json hand =
      by_hand(played, {"NSGAIISampler", {{"population_size", 4}, {"seed", optuna_seed(2)}}},
              {"NopPruner", json::object()});
  expect_points(played, hand.at("proposed"));
}

TEST_F(SearchOptuna, PrunesWhatOptunaPrunes) {
  const Simulator study("optuna",
                        with({{"pruner", std::string("median")}, {"every", std::int64_t{2}}}),
                        kAxes, 7, /*maximize=*/true);
  const auto world = [](const Work& work) { return -loss(work); };
  const Played played = study.play(world, 3);
  const json hand = by_hand(
      played,
      {"TPESampler", {{"n_startup_trials", 4}, {"constant_liar", true}, {"seed", optuna_seed(3)}}},
      {"MedianPruner", {{"n_warmup_steps", 1}}});
  expect_points(played, hand.at("proposed"));
  std::vector<std::int64_t> stopped;
  for (std::size_t i = 0; i < played.points.size(); ++i) {
    if (played.trained[i] < 7 && i % 7 != 5) stopped.push_back(static_cast<std::int64_t>(i));
  }
  auto pruned = hand.at("pruned").get<std::vector<std::int64_t>>();
  std::sort(pruned.begin(), pruned.end());
  EXPECT_EQ(stopped, pruned);
  EXPECT_FALSE(stopped.empty());
}

TEST_F(SearchOptuna, GoesOnAfterAKillWithTheSamePoints) {
  const Simulator study("optuna", with({}), kAxes, 2);
  const Played played = study.play(loss, 9);
  for (const std::size_t cut : {std::size_t{0}, played.asked.size() / 2, played.asked.size() - 1}) {
    expect_same(study.ask(*study.made(), known(played, played.asked[cut]), 9), played.asked[cut]);
  }
  // One that goes on, asked twice each time.
  const auto search = study.made();
  for (std::size_t i = 0; i < played.asked.size(); i += 3) {
    const History history = known(played, played.asked[i]);
    expect_same(study.ask(*search, history, 9), played.asked[i]);
    expect_same(study.ask(*search, history, 9), played.asked[i]);
  }
}

TEST_F(SearchOptuna, ToldOfAnotherPointItSaysSo) {
  const Simulator study("optuna", with({}), kAxes, 2);
  const Played played = study.play(loss, 9);
  History history = known(played, played.asked.back());
  history.jobs[1].choices[0].value *= 2;
  EXPECT_EQ(error_of([&] { static_cast<void>(study.ask(*study.made(), history, 9)); }),
            "search/optuna: this Optuna (4.9.0) proposes another point 1 than the study has; "
            "install the version it began with, or begin it again elsewhere");
}

TEST_F(SearchOptuna, CopiesTrialsToAStorage) {
  const std::string url = "sqlite:///" + folder_.path() + "/copy.db";
  const auto play = [&](std::uint64_t seed) {
    return Simulator("optuna", with({{"storage", url}, {"trials", std::int64_t{8}}}), kAxes, 2)
        .play(loss, seed);
  };
  const Played played = play(4);
  play(4);  // the same again adds nothing
  const std::string script = folder_.file(
      "read.py",
      "import optuna, sys\n"
      "study = optuna.load_study(study_name='paribus', storage=sys.argv[1])\n"
      "print(len(study.trials), repr(min(t.value for t in study.trials if t.state.name == "
      "'COMPLETE')), [t.user_attrs['point'] for t in study.trials if t.state.name == 'FAIL'])\n");
  const std::string out = folder_.file("out", "");
  const std::string command =
      std::string(PARIBUS_TEST_PYTHON) + " " + script + " " + url + " > " + out;
  ASSERT_EQ(std::system(command.c_str()), 0);
  double best = 1e9;
  for (const Happening& happening : played.history.happenings) {
    if (happening.ended && !std::isnan(happening.values[0]))
      best = std::min(best, happening.values[0]);
  }
  std::ifstream file(out);
  int count = 0;
  double stored = 0;
  std::string failed;
  file >> count >> stored >> failed;
  EXPECT_EQ(count, 8);
  EXPECT_EQ(stored, best);
  EXPECT_EQ(failed, "[5]");
  const std::string other = error_of([&] { play(5); });
  EXPECT_EQ(other, "search/optuna: study 'paribus' in " + url + " has another point " +
                       other.substr(other.find("point ") + 6, 1) +
                       "; give another `storage` or `study`");
}

TEST_F(SearchOptuna, SaysWhatIsWrongWithItsPython) {
  const auto error = [](const std::string& python, const Parameters& parameters) {
    ::setenv("PARIBUS_PYTHON", python.c_str(), 1);
    return error_of(
        [&] { Made<AdaptiveSearch>(part("search", "optuna", parameters))->check(kAxes, 3); });
  };
  EXPECT_EQ(error("/nowhere/python3", {}),
            "search/optuna: its Python, /nowhere/python3: there is no such program; set "
            "PARIBUS_PYTHON to a Python that has Optuna");
  const std::string ends = folder_.file("ends", "#!/bin/sh\nexit 3\n");
  EXPECT_EQ(error(ends, {}),
            "search/optuna: its Python, " + ends + ": it ended; what it said is in the log");
  const std::string hangs = folder_.file("hangs", "#!/bin/sh\nexec sleep 60\n");
  EXPECT_EQ(error(hangs, {{"timeout", std::int64_t{1}}}),
            "search/optuna: its Python, " + hangs +
                ": no answer to 'open' within 1 s; it hangs, "
                "or `timeout` is too short");
  const std::string python = PARIBUS_TEST_PYTHON;
  const std::string bare = folder_.file("bare", "#!/bin/sh\nexec " + python + " -I -S \"$@\"\n");
  const std::string text = error(bare, {});
  EXPECT_EQ(text.substr(0, 15), "search/optuna: ");
  EXPECT_NE(text.find(" has no optuna; install it: "), std::string::npos) << text;
  EXPECT_NE(text.find(" -m pip install optuna==4.9.0"), std::string::npos) << text;
}

TEST_F(SearchOptuna, RefusesWhatOptunaCannotDo) {
  EXPECT_EQ(error_of([] {
              Made<AdaptiveSearch>(part("search", "optuna",
                                        {{"objectives", std::string("valid.loss")},
                                         {"pruner", std::string("median")}}))
                  ->check(kAxes, 3);
            }),
            "search/optuna: with `objectives`, nothing can be pruned and cmaes can't be used; "
            "leave out `pruner`, or take sampler = \"nsga2\"");
}

/// Of the process that `parent` started.
pid_t child_of(pid_t parent) {
  std::ifstream file("/proc/" + std::to_string(parent) + "/task/" + std::to_string(parent) +
                     "/children");
  pid_t child = 0;
  file >> child;
  return child;
}

TEST_F(SearchOptuna, ItsPythonDiesWithIt) {
  const Simulator study("optuna", with({}), kAxes, 3);
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  const pid_t session = ::fork();
  if (session == 0) {
    const auto search = study.made();
    History history;
    history.epochs = 3, history.maximize = {false};
    const bool asked = study.ask(*search, history, 1).has_value();
    const char byte = asked ? 'y' : 'n';
    static_cast<void>(!::write(ends[1], &byte, 1));
    ::pause();
    ::_exit(0);
  }
  char byte = 0;
  ASSERT_EQ(::read(ends[0], &byte, 1), 1);
  EXPECT_EQ(byte, 'y');
  const pid_t python = child_of(session);
  ASSERT_GT(python, 0);
  ::kill(session, SIGKILL);
  ::waitpid(session, nullptr, 0);
  const std::string place = "/proc/" + std::to_string(python) + "/cmdline";
  const auto alive = [&] {  // without a command line it is dead and waits to be reaped
    std::string text;
    std::ifstream file(place);
    std::getline(file, text);
    return text.find("search_optuna.py") != std::string::npos;
  };
  for (int i = 0; i < 100 && alive(); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_FALSE(alive());
  ::close(ends[0]), ::close(ends[1]);
}

}  // namespace
}  // namespace paribus::testing
