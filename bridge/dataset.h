// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "paribus/dataset.h"
#include "recipe.h"

namespace paribus::python {

/// Items in Python, read once into memory that all trials share: after that no batch needs the
/// interpreter. A process of its own reads them, since theirs is code of a user.
class PythonDataset final : public TensorDataset, public Pythonic {
 public:
  using Pythonic::Pythonic;

  void open(const Files& files) override;

 private:
  /// In the child: the columns, as paribus.bridge makes them, into this file.
  void write(int file) const;
};

}  // namespace paribus::python
