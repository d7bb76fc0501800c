// SPDX-License-Identifier: Apache-2.0
#include <paribus/dataset.h>
#include <paribus/files.h>

/// Handwritten digits, 60,000 and 10,000 grey images of 28 x 28 (LeCun, Cortes and Burges 1998).
struct Mnist : paribus::TensorDataset {
  struct Params {
    static constexpr auto fields() { return paribus::no_fields(); }
  } params;

  static constexpr std::array<paribus::DataFile, 4> files() {
    return {
        pinned("train-images-idx3-ubyte.gz",
               "https://ossci-datasets.s3.amazonaws.com/mnist/train-images-idx3-ubyte.gz",
               "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db", 9912422),
        pinned("train-labels-idx1-ubyte.gz",
               "https://ossci-datasets.s3.amazonaws.com/mnist/train-labels-idx1-ubyte.gz",
               "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5", 28881),
        pinned("t10k-images-idx3-ubyte.gz",
               "https://ossci-datasets.s3.amazonaws.com/mnist/t10k-images-idx3-ubyte.gz",
               "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7", 1648877),
        pinned("t10k-labels-idx1-ubyte.gz",
               "https://ossci-datasets.s3.amazonaws.com/mnist/t10k-labels-idx1-ubyte.gz",
               "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2", 4542),
    };
  }

  void open(const paribus::Files& files) override {
    train = split(files, "train");
    valid = split(files, "t10k");
    about.inputs = {{&paribus::kImage, {}}};
    about.targets = {{&paribus::kCategory, {}}};
    about.classes = 10;
    about.class_names = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};
    // Of all pixels of the training split, computed from the files pinned above.
    about.mean = {33.318421449829934};
    about.std = {78.56748998339799};
  }

 private:
  // Others compress the files again, so what is pinned is their content.
  static constexpr paribus::DataFile pinned(std::string_view name, std::string_view url,
                                            std::string_view content, std::int64_t bytes) {
    return {name, "mnist", url, "", content, bytes, ""};
  }

  static Columns split(const paribus::Files& files, const std::string& name) {
    const std::string who = "dataset/mnist";
    return paribus::read_idx_split(
        who, paribus::path_of(files, who, name + "-images-idx3-ubyte.gz"),
        paribus::path_of(files, who, name + "-labels-idx1-ubyte.gz"), 10);
  }
};

PARIBUS_PART(Mnist, "mnist", "handwritten digits, 60,000 + 10,000 grey 28 x 28 (LeCun et al. 1998)")
