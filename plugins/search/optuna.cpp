// SPDX-License-Identifier: Apache-2.0
#include <dlfcn.h>
#include <paribus/search/told.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <map>
#include <utility>

namespace {

using Words = std::vector<std::string>;

std::string number(double value) {  // every bit of it
  std::array<char, 40> text{};
  std::snprintf(text.data(), text.size(), "%a", value);
  return text.data();
}

/// A Python process that answers lines with lines (search_optuna.py).
class Python {
 public:
  explicit Python(int timeout) : timeout_(timeout), program_(program()) {
    const std::string script = beside_plugin("search_optuna.py");
    std::vector<std::string> texts = environment();
    std::vector<char*> variables;
    for (std::string& text : texts) variables.push_back(text.data());
    variables.push_back(nullptr);
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) fail("no socket");
    const pid_t parent = ::getpid();
    child_ = ::fork();
    if (child_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (::getppid() != parent) ::_exit(1);
      ::signal(SIGINT, SIG_IGN);  // Ctrl-C is the driver's affair
      ::dup2(ends[1], STDIN_FILENO);
      ::dup2(ends[1], STDOUT_FILENO);
      ::closefrom(STDERR_FILENO + 1);
      ::execle("/usr/bin/env", "env", program_.c_str(), script.c_str(), nullptr, variables.data());
      ::_exit(127);
    }
    ::close(ends[1]);
    socket_ = ends[0];
    if (child_ < 0) fail(std::strerror(errno));
  }
  Python(const Python&) = delete;
  Python& operator=(const Python&) = delete;
  ~Python() {
    ::close(socket_);
    if (child_ <= 0) return;
    ::kill(child_, SIGKILL);
    while (::waitpid(child_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }

  void say(const Words& words) {
    std::string line;
    for (const std::string& word : words) {
      if (word.find_first_of("\t\n") != std::string::npos)
        throw paribus::Error("search/optuna: '" + word + "' has a tab or a line break");
      line += (line.empty() ? "" : "\t") + word;
    }
    line += '\n';
    for (std::size_t done = 0; done < line.size();) {
      const ssize_t sent = ::send(socket_, line.data() + done, line.size() - done, MSG_NOSIGNAL);
      if (sent < 0 && errno != EINTR) fail(how_it_ended());
      if (sent > 0) done += static_cast<std::size_t>(sent);
    }
  }

  /// The answer to `words`: its first word is `wanted`, or this throws.
  Words ask(const Words& words, const std::string& wanted = "") {
    say(words);
    Words answer = split(read_line(words[0]));
    if (answer[0] == "error")
      throw paribus::Error("search/optuna: " + (answer.size() > 1 ? answer[1] : "no reason"));
    if (!wanted.empty() && answer[0] != wanted)
      fail("it answered '" + answer[0] + "' to '" + words[0] + "'");
    return answer;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw paribus::Error("search/optuna: its Python, " + program_ + ": " + what);
  }

  std::string how_it_ended() {
    int status = 0;
    const bool gone = ::waitpid(std::exchange(child_, -1), &status, 0) > 0;
    if (gone && WIFEXITED(status) && WEXITSTATUS(status) == 127)
      return "there is no such program; set PARIBUS_PYTHON to a Python that has Optuna";
    return "it ended; what it said is in the log";
  }

  /// What the user says, else that of the environment in which this program is installed, else the
  /// first on PATH.
  static std::string program() {
    const char* given = std::getenv("PARIBUS_PYTHON");
    if (given != nullptr && *given != '\0') return given;
    std::error_code error;
    const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
    const std::string beside = (self.parent_path() / "python3").string();
    return ::access(beside.c_str(), X_OK) == 0 ? beside : "python3";
  }

  static std::string beside_plugin(const char* file) {
    static const char kHere = 0;
    Dl_info found{};
    ::dladdr(&kHere, &found);
    return (std::filesystem::path(found.dli_fname).parent_path() / file).string();
  }

  /// Ours, with all that could change a bit of the numbers fixed: threads, and the order of sets.
  static std::vector<std::string> environment() {
    std::vector<std::string> result{"PYTHONHASHSEED=0", "OMP_NUM_THREADS=1", "MKL_NUM_THREADS=1",
                                    "OPENBLAS_NUM_THREADS=1"};
    const std::size_t fixed = result.size();
    for (char** variable = environ; *variable != nullptr; ++variable) {
      const std::string text = *variable, name = text.substr(0, text.find('=') + 1);
      bool is_fixed = false;
      for (std::size_t i = 0; i < fixed; ++i) is_fixed = is_fixed || result[i].starts_with(name);
      if (!is_fixed) result.push_back(text);
    }
    return result;
  }

  std::string read_line(const std::string& question) {
    using Clock = std::chrono::steady_clock;
    const auto until = Clock::now() + std::chrono::seconds(timeout_);
    std::size_t end = 0;
    while ((end = held_.find('\n')) == std::string::npos) {
      const auto left =
          std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now()).count();
      pollfd waiting{socket_, POLLIN, 0};
      const int ready = left > 0 ? ::poll(&waiting, 1, static_cast<int>(left)) : 0;
      if (ready < 0 && errno == EINTR) continue;
      if (ready == 0) {
        fail("no answer to '" + question + "' within " + std::to_string(timeout_) +
             " s; it hangs, or `timeout` is too short");
      }
      std::array<char, 4096> buffer{};
      const ssize_t count = ::recv(socket_, buffer.data(), buffer.size(), 0);
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) fail(how_it_ended());
      held_.append(buffer.data(), static_cast<std::size_t>(count));
    }
    std::string line = held_.substr(0, end);
    held_.erase(0, end + 1);
    return line;
  }

  static Words split(const std::string& line) {
    Words words;
    std::size_t from = 0;
    for (std::size_t tab = 0; (tab = line.find('\t', from)) != std::string::npos; from = tab + 1)
      words.push_back(line.substr(from, tab - from));
    words.push_back(line.substr(from));
    return words;
  }

  int timeout_;
  std::string program_;
  pid_t child_ = -1;
  int socket_ = -1;
  std::string held_;
};

}  // namespace

/// Points that Optuna proposes (Akiba et al. 2019), asked and told in logical order by a Python
/// process: TPE (Bergstra et al. 2011), Gaussian processes, CMA-ES, NSGA-II. Lists are categorical,
/// ranges are numbers. With `objectives`, points are sought that no other is better than in all of
/// them. Needs optuna, gp scipy and cmaes the package cmaes besides. $PARIBUS_PYTHON says which
/// Python, else it is the one beside the program, else python3.
struct Optuna : paribus::search::Told {
  struct Params {
    std::string_view sampler = "tpe";
    int trials = 20;
    int startup = 10;
    int population = 50;
    std::string_view objectives;
    std::string_view pruner = "none";
    int every = 1;
    int grace = 1;
    std::string_view storage;
    std::string_view study = "paribus";
    int timeout = 300;
    int at_once = 4;
    static constexpr auto fields() {
      using paribus::field;
      return std::tuple{
          field("sampler", &Params::sampler, "what proposes points")
              .one_of("tpe", "gp", "cmaes", "nsga2", "random"),
          field("trials", &Params::trials, "how many points").at_least(1).at_most(1'000'000),
          field("startup", &Params::startup, "random points before tpe or gp begin")
              .at_least(1)
              .at_most(1'000'000),
          field("population", &Params::population, "points of a generation of nsga2")
              .at_least(2)
              .at_most(1'000'000),
          field("objectives", &Params::objectives,
                "metrics that count besides the study's own, with commas between"),
          field("pruner", &Params::pruner, "what stops points early")
              .one_of("none", "median", "successive_halving", "hyperband"),
          field("every", &Params::every, "with a pruner, epochs from one decision to the next")
              .at_least(1)
              .unit("epochs"),
          field("grace", &Params::grace, "with a pruner, epochs that every point is trained for")
              .at_least(0)
              .unit("epochs"),
          field("storage", &Params::storage,
                "URL of a database that gets a copy of every trial, for Optuna's own tools"),
          field("study", &Params::study, "name of the study in that database"),
          field("timeout", &Params::timeout, "how long Python may take for an answer")
              .at_least(1)
              .at_most(1'000'000)
              .unit("s"),
          field("at_once", &Params::at_once, "jobs under way at a time: the most that -j can use")
              .at_least(1)
              .at_most(1024)};
    }
  } params;

  [[nodiscard]] std::int64_t at_once() const override { return params.at_once; }

  [[nodiscard]] std::vector<std::string> objectives() const override {
    std::vector<std::string> result;
    std::string name;
    for (const char letter : std::string(params.objectives) + ',') {
      if (letter != ',' && letter != ' ') name += letter;
      if (letter != ',' || name.empty()) continue;
      result.push_back(std::move(name));
      name.clear();
    }
    return result;
  }

  void check(const std::vector<paribus::Axis>& axes, std::int64_t epochs) const override {
    paribus::search::check_axes("search/optuna", axes);
    const std::size_t count = 1 + objectives().size();
    if (count > 1 && (params.pruner != "none" || params.sampler == "cmaes")) {
      throw paribus::Error(
          "search/optuna: with `objectives`, nothing can be pruned and cmaes can't "
          "be used; leave out `pruner`, or take sampler = \"nsga2\"");
    }
    Python python(params.timeout);
    open(python, axes, epochs, std::vector<bool>(count), /*seed=*/0, /*storage=*/"");
  }

 protected:
  void begin() override {
    python_.emplace(params.timeout);
    const std::uint64_t seed = stream().seed(0, 0) & 0x7FFFFFFF;
    open(*python_, axes(), epochs(), maximize(), seed, params.storage);
    asked_ = 0, pending_.reset(), ready_.clear();
  }

  void tell(const paribus::search::Event& event) override {
    const std::int64_t point = event.job.point;
    if (!event.ended && point < asked_ && !pending_) {
      ready_.erase(point);
    } else if (!event.ended) {
      if (!pending_) draw();
      if (!same(event.job.choices, *pending_)) {
        throw paribus::Error("search/optuna: this Optuna (" + version_ +
                             ") proposes another point " + std::to_string(point) +
                             " than the study has; install the version it began with, or begin it "
                             "again elsewhere");
      }
      pending_.reset();
    } else {
      if (pending_) throw paribus::Error("search/optuna: a job that it asked for never began");
      Words words{"ended", std::to_string(point), std::to_string(event.epochs)};
      if (std::isfinite(event.score)) {
        for (const double value : event.happening.values) words.push_back(number(value));
      }
      if (python_->ask(words)[0] == "go") ready_[point] = event.epochs;
    }
  }

  [[nodiscard]] std::optional<paribus::Job> ask() override {
    if (!ready_.empty()) {
      const auto& [point, trained] = *ready_.begin();
      return go_on(point, trained + params.every);
    }
    if (points() >= params.trials) return std::nullopt;
    if (!pending_) draw();
    paribus::Job job = go_on(points(), params.pruner == "none" ? epochs() : params.every);
    job.choices = *pending_;
    return job;
  }

 private:
  void open(Python& python, const std::vector<paribus::Axis>& axes, std::int64_t epochs,
            const std::vector<bool>& maximize, std::uint64_t seed, std::string_view storage) const {
    for (const auto& [key, value] : std::initializer_list<std::pair<const char*, std::int64_t>>{
             {"seed", static_cast<std::int64_t>(seed)},
             {"epochs", epochs},
             {"startup", params.startup},
             {"population", params.population},
             {"every", params.every},
             {"grace", params.grace},
             {"at_once", params.at_once}})
      python.say({key, std::to_string(value)});
    for (const auto& [key, value] : std::initializer_list<std::pair<const char*, std::string_view>>{
             {"sampler", params.sampler},
             {"pruner", params.pruner},
             {"storage", storage},
             {"study", params.study}})
      python.say({key, std::string(value)});
    for (const bool up : maximize) python.say({"direction", up ? "maximize" : "minimize"});
    for (const paribus::Axis& axis : axes) say(python, axis);
    version_ = python.ask({"open"}, "ready").at(1);
  }

  static void say(Python& python, const paribus::Axis& axis) {
    std::string name;
    for (const std::string& address : axis.addresses) name += (name.empty() ? "" : ", ") + address;
    if (axis.count > 0) return python.say({"axis", "list", name, std::to_string(axis.count)});
    const double low = axis.integer ? std::ceil(axis.low) : axis.low;
    const double high = axis.integer ? std::floor(axis.high) : axis.high;
    python.say({"axis", axis.integer ? "int" : "float", name, number(low), number(high),
                axis.log ? "1" : "0"});
  }

  void draw() {
    const Words words = python_->ask({"ask"}, "point");
    pending_.emplace();
    for (std::size_t i = 0; i < axes().size(); ++i) {
      const double value = std::strtod(words.at(i + 1).c_str(), nullptr);
      pending_->push_back(axes()[i].count > 0
                              ? paribus::Choice{.index = static_cast<std::int64_t>(value)}
                              : paribus::Choice{.value = value});
    }
    ++asked_;
  }

  static bool same(const paribus::Point& a, const paribus::Point& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
      return x.index == y.index && (x.index >= 0 || x.value == y.value);
    });
  }

  mutable std::string version_;
  std::optional<Python> python_;
  std::int64_t asked_ = 0;                      // points that Optuna gave
  std::optional<paribus::Point> pending_;       // the last of them, until its job begins
  std::map<std::int64_t, std::int64_t> ready_;  // points that are to go on, with their epochs
};
PARIBUS_PART(Optuna, "optuna",
             "what Optuna proposes: TPE, Gaussian processes, CMA-ES, NSGA-II, several objectives")
