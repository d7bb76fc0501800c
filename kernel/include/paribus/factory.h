// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "paribus/plugin.h"
#include "paribus/spec.h"

namespace paribus {

/// Where parts come from: a registry of `.so` files, or Python. The kernel asks by kind and name
/// and can't tell which.
class PartFactory {
 public:
  virtual ~PartFactory() = default;
  /// Throws Error if there is no such part.
  [[nodiscard]] virtual const PartDescriptor& descriptor(const std::string& kind,
                                                         const std::string& name) const = 0;
};

/// A part that has been built from its spec, with the parts in its slots and the texts its
/// parameters refer to.
class Instance {
 public:
  /// Builds the part and all it holds. Throws Error naming the address and the parameter that
  /// doesn't fit.
  Instance(const PartSpec& spec, const PartFactory& factory);

  [[nodiscard]] PartBase& part() const { return *part_; }
  template <class Kind>
  [[nodiscard]] Kind& as() const {
    return dynamic_cast<Kind&>(*part_);
  }

  /// The field at an address such as "optimizer.inner.lr", or null if the address isn't within this
  /// part.
  struct Parameter {
    PartBase* part = nullptr;
    const FieldAccess* field = nullptr;
    explicit operator bool() const { return field != nullptr; }
    /// Rounds for integer parameters; throws Error for what they can't hold.
    void set(double value) const;
    [[nodiscard]] double get() const;
  };
  [[nodiscard]] Parameter find(const std::string& address) const;
  /// This part, then all within it.
  void each(const std::function<void(PartBase&)>& visit) const;
  /// Addresses of all numeric parameters, for near misses.
  [[nodiscard]] std::vector<std::string> numeric_addresses() const;

 private:
  const PartDescriptor* descriptor_;
  std::deque<Value> values_;  // a deque: texts that parameters refer to must not move
  std::unique_ptr<PartBase> part_;
  std::vector<std::unique_ptr<Instance>> inner_;
};

}  // namespace paribus
