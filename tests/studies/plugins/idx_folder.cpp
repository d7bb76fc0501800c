// SPDX-License-Identifier: Apache-2.0
#include <paribus/dataset.h>
#include <paribus/files.h>

/// Four idx files of a folder, unpinned, so that the reader itself has to find what is wrong.
struct IdxFolder : paribus::TensorDataset {
  struct Params {
    std::string_view dir;
    int classes = 10;

    static constexpr auto fields() {
      return std::tuple{
          paribus::field("dir", &Params::dir, "the folder"),
          paribus::field("classes", &Params::classes, "labels are below this").at_least(1)};
    }
  } params;

  void open(const paribus::Files& /*files*/) override {
    train = split("train");
    valid = split("valid");
    about.inputs = {{&paribus::kImage, {}}};
    about.targets = {{&paribus::kCategory, {}}};
    about.classes = params.classes;
    about.mean = {127.5};
    about.std = {127.5};
  }

 private:
  [[nodiscard]] Columns split(const std::string& name) const {
    const std::string at = std::string(params.dir) + "/" + name;
    return paribus::read_idx_split("dataset/idx_folder", at + "-images", at + "-labels",
                                   params.classes);
  }
};

PARIBUS_PART(IdxFolder, "idx_folder", "four idx files of a folder")
