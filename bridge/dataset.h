// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "paribus/dataset.h"
#include "recipe.h"

namespace paribus::python {

/// Items in Python, read once into memory that all trials share: after that no batch needs the
/// interpreter. A process of its own reads them, since theirs is code of a user; in a program
/// of Python's own that is the user's anyway.
class PythonDataset final : public TensorDataset, public Pythonic {
 public:
  using Pythonic::Pythonic;

  void open(const Files& files) override;

 private:
  /// The columns, as paribus.bridge makes them, into this file.
  void write(int file) const;
  /// The same in a process of its own, which may crash.
  void write_apart(int file) const;
};

}  // namespace paribus::python
