// SPDX-License-Identifier: Apache-2.0
#include <paribus/dataset.h>
#include <paribus/files.h>

/// Articles of Zalando's, 60,000 and 10,000 grey images of 28 x 28 (Xiao, Rasul and Vollgraf 2017).
struct FashionMnist : paribus::TensorDataset {
  struct Params {
    static constexpr auto fields() { return paribus::no_fields(); }
  } params;

  static constexpr std::array<paribus::DataFile, 4> files() {
    return {
        pinned(
            "train-images-idx3-ubyte.gz",
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/train-images-idx3-ubyte.gz",
            "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888", 26421880),
        pinned(
            "train-labels-idx1-ubyte.gz",
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/train-labels-idx1-ubyte.gz",
            "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9", 29515),
        pinned(
            "t10k-images-idx3-ubyte.gz",
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/t10k-images-idx3-ubyte.gz",
            "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b", 4422102),
        pinned(
            "t10k-labels-idx1-ubyte.gz",
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/t10k-labels-idx1-ubyte.gz",
            "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34", 5148),
    };
  }

  void open(const paribus::Files& files) override {
    train = split(files, "train");
    valid = split(files, "t10k");
    about.inputs = {{&paribus::kImage, {}}};
    about.targets = {{&paribus::kCategory, {}}};
    about.classes = 10;
    about.class_names = {"t-shirt", "trouser", "pullover", "dress", "coat",
                         "sandal",  "shirt",   "sneaker",  "bag",   "ankle boot"};
    // Of all pixels of the training split, computed from the files pinned above.
    about.mean = {72.94035223214286};
    about.std = {90.02118235130526};
  }

 private:
  // Others compress the files again, so what is pinned is their content.
  static constexpr paribus::DataFile pinned(std::string_view name, std::string_view url,
                                            std::string_view content, std::int64_t bytes) {
    return {name, "fashion-mnist", url, "", content, bytes, ""};
  }

  static Columns split(const paribus::Files& files, const std::string& name) {
    const std::string who = "dataset/fashion_mnist";
    return paribus::read_idx_split(
        who, paribus::path_of(files, who, name + "-images-idx3-ubyte.gz"),
        paribus::path_of(files, who, name + "-labels-idx1-ubyte.gz"), 10);
  }
};

PARIBUS_PART(FashionMnist, "fashion_mnist",
             "clothing, 60,000 + 10,000 grey 28 x 28 (Xiao et al. 2017)")
