// SPDX-License-Identifier: Apache-2.0
#include <limits>

#include "judged.h"
#include "tiles.h"

namespace {

using paribus::Columns;
using Floats = std::vector<double>;
using Integers = std::vector<std::int64_t>;
using Texts = std::vector<std::string>;

/// 0 / 0 is 0, as metrics have it.
double share(double part, double whole) { return whole == 0 ? 0 : part / whole; }

/// Bins of confidence, of equal width (Guo et al. 2017): how much was claimed and how much was
/// right.
struct Reliability {
  Integers items;
  Floats claimed, right;

  void begin(std::size_t bins) { items.assign(bins, 0), claimed.assign(bins, 0), right = claimed; }
  void add(double confidence, bool is_right) {
    if (std::isnan(confidence)) confidence = 0;
    // A bin holds its upper edge, as in the paper's code.
    const double place = std::ceil(confidence * static_cast<double>(items.size())) - 1;
    const auto bin =
        static_cast<std::size_t>(std::clamp(place, 0.0, static_cast<double>(items.size() - 1)));
    ++items[bin], claimed[bin] += confidence, right[bin] += is_right ? 1 : 0;
  }
  [[nodiscard]] Columns columns() const {
    Floats low, high, confidence, accuracy;
    const auto bins = static_cast<double>(items.size());
    for (std::size_t i = 0; i < items.size(); ++i) {
      low.push_back(static_cast<double>(i) / bins);
      high.push_back(static_cast<double>(i + 1) / bins);
      const auto n = static_cast<double>(items[i]);
      confidence.push_back(n > 0 ? claimed[i] / n : std::numeric_limits<double>::quiet_NaN());
      accuracy.push_back(n > 0 ? right[i] / n : std::numeric_limits<double>::quiet_NaN());
    }
    return {{"low", low},
            {"high", high},
            {"items", items},
            {"confidence", confidence},
            {"accuracy", accuracy}};
  }
};

/// How often each class was taken for each.
class Counts {
 public:
  void begin(std::int64_t classes) {
    classes_ = static_cast<std::size_t>(classes);
    counts_.assign(classes_ * classes_, 0);
  }
  void add(std::int64_t truth, std::int64_t taken) {
    ++counts_[static_cast<std::size_t>(truth) * classes_ + static_cast<std::size_t>(taken)];
  }

  /// The cells that aren't empty, the fullest if they are very many.
  [[nodiscard]] Columns cells() const {
    constexpr std::size_t kMost = 100'000;
    std::vector<std::size_t> kept;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      if (counts_[i] > 0) kept.push_back(i);
    }
    if (kept.size() > kMost) {
      std::stable_sort(kept.begin(), kept.end(),
                       [&](std::size_t a, std::size_t b) { return counts_[a] > counts_[b]; });
      kept.resize(kMost);
      std::sort(kept.begin(), kept.end());
    }
    Integers truth, taken, count;
    for (const std::size_t i : kept) {
      truth.push_back(static_cast<std::int64_t>(i / classes_));
      taken.push_back(static_cast<std::int64_t>(i % classes_));
      count.push_back(counts_[i]);
    }
    return {{"class", truth}, {"taken", taken}, {"count", count}};
  }

  [[nodiscard]] Columns of_classes(const paribus::DataSpec& data) const {
    Integers number, actual(classes_), guessed(classes_), right(classes_);
    Texts names;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      actual[i / classes_] += counts_[i], guessed[i % classes_] += counts_[i];
      if (i / classes_ == i % classes_) right[i / classes_] = counts_[i];
    }
    Floats precision, recall, f1;
    for (std::size_t k = 0; k < classes_; ++k) {
      number.push_back(static_cast<std::int64_t>(k));
      names.push_back(paribus::callbacks::class_name(data, number.back()));
      const auto hits = static_cast<double>(right[k]), all = static_cast<double>(actual[k]),
                 taken = static_cast<double>(guessed[k]);
      precision.push_back(share(hits, taken));
      recall.push_back(share(hits, all));
      f1.push_back(share(2 * hits, taken + all));
    }
    return {{"class", number}, {"name", names},          {"items", actual},  {"taken", guessed},
            {"right", right},  {"precision", precision}, {"recall", recall}, {"f1", f1}};
  }

 private:
  std::size_t classes_ = 0;
  Integers counts_;  // by truth, then by what it was taken for
};

}  // namespace

/// Records what a model of classes gets right and wrong in a validation pass, as tables: how often
/// each class is taken for each (`valid.confusion`), precision, recall and F1 of each class
/// (`valid.classes`), whether confidence is worth what it says (`valid.calibration`), and the items
/// of the greatest loss (`valid.worst`), of images with a picture of that name. The loss of an item
/// is -log of the probability of its class, whatever training minimizes.
struct Interpret : paribus::Callback {
  struct Params {
    int worst = 8, bins = 10, every = 1;
    static constexpr auto fields() {
      using paribus::field;
      return std::tuple{
          field("worst", &Params::worst, "how many items of the greatest loss")
              .at_least(0)
              .at_most(30),
          field("bins", &Params::bins, "of confidence, of equal width").at_least(1).at_most(1000),
          field("every", &Params::every, "from one to the next").at_least(1).unit("epoch")};
    }
  } params;
  static constexpr auto touches() { return paribus::Touches<2, 0>{{"batch", "outputs"}, {}}; }

  void before_fit(paribus::Fit& fit) override {
    constexpr std::int64_t kMostClasses = 1000;
    paribus::callbacks::require_classes("interpret", fit.data, kMostClasses);
    has_images_ = paribus::callbacks::is_image(fit.data.inputs.front());
  }

  void before_validate(paribus::Fit& fit) override {
    counts_.begin(fit.data.classes);
    reliability_.begin(static_cast<std::size_t>(params.bins));
    worst_.begin(params.worst, /*is_worst=*/true, has_images_);
  }

  void after_valid_batch(paribus::Fit& fit) override {
    const paribus::callbacks::Judgements judged = paribus::callbacks::judge("interpret", fit);
    if (!is_due(fit)) return;
    for (std::int64_t i = 0; i < fit.batch.size(); ++i) {
      const auto truth = judged.truth.const_data_ptr<std::int64_t>()[i];
      const auto taken = judged.taken.const_data_ptr<std::int64_t>()[i];
      if (truth < 0) continue;
      counts_.add(truth, taken);
      reliability_.add(judged.confidence.const_data_ptr<double>()[i], truth == taken);
    }
    worst_.add(fit.batch, judged);
  }

  void after_validate(paribus::Fit& fit) override {
    if (!is_due(fit)) return;
    fit.table("valid.confusion", counts_.cells());
    fit.table("valid.classes", counts_.of_classes(fit.data));
    fit.table("valid.calibration", reliability_.columns());
    if (!worst_.rows().empty()) record_worst(fit);
    worst_.begin(0, true, false);
  }

 private:
  [[nodiscard]] bool is_due(const paribus::Fit& fit) const {
    return (fit.epoch + 1) % params.every == 0;
  }

  void record_worst(paribus::Fit& fit) const {
    using namespace paribus::callbacks;
    Integers item, truth, taken;
    Texts name, taken_name;
    Floats loss, probability, confidence;
    for (const Judged& one : worst_.rows()) {
      item.push_back(one.item), truth.push_back(one.truth), taken.push_back(one.taken);
      name.push_back(class_name(fit.data, one.truth));
      taken_name.push_back(class_name(fit.data, one.taken));
      loss.push_back(one.loss), probability.push_back(std::exp(-one.loss));
      confidence.push_back(one.confidence);
    }
    fit.table("valid.worst", {{"item", item},
                              {"class", truth},
                              {"name", name},
                              {"taken", taken},
                              {"taken_name", taken_name},
                              {"loss", loss},
                              {"probability", probability},
                              {"confidence", confidence}});
    if (!has_images_) return;
    const at::Tensor shown = sized(colours(worst_.inputs().cpu()), true);
    fit.picture("valid.worst", pixels(row(framed(shown, worst_.right()))));
  }

  bool has_images_ = false;
  Counts counts_;
  Reliability reliability_;
  paribus::callbacks::Chosen worst_;
};
PARIBUS_PART(Interpret, "interpret",
             "records confusion, metrics of classes, calibration and the worst items")
