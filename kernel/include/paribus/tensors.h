// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <utility>
#include <vector>

namespace paribus {

struct Made;
struct Scaled;
struct Product;
struct Quotient;

/// Tensors that a formula treats alike: each operation acts on all of them by one of LibTorch's
/// foreach kernels. What has a name is changed by += and its like alone; what an operation makes is
/// changed in place by the next one, and `a * x`, `a * x * y` and `a * x / y` with a number `a`
/// wait for the += that makes one kernel of them:
///
///     weights -= lr * mean / (sqrt(square) + eps);     // sqrt, add, addcdiv
class Tensors {
 public:
  Tensors() = default;
  // NOLINTNEXTLINE(google-explicit-constructor): a list of tensors is what it is
  Tensors(std::vector<at::Tensor> list) : list_(std::move(list)) {}

  [[nodiscard]] const std::vector<at::Tensor>& list() const& { return list_; }
  [[nodiscard]] std::vector<at::Tensor> list() && { return std::move(list_); }
  [[nodiscard]] std::size_t size() const { return list_.size(); }
  const at::Tensor& operator[](std::size_t i) const { return list_[i]; }

  // In place; the list itself stays.
  const Tensors& operator+=(const Tensors& x) const;
  const Tensors& operator-=(const Tensors& x) const;
  const Tensors& operator*=(const Tensors& x) const;
  const Tensors& operator/=(const Tensors& x) const;
  const Tensors& operator+=(const Scaled& x) const;
  const Tensors& operator-=(const Scaled& x) const;
  const Tensors& operator+=(const Product& x) const;
  const Tensors& operator-=(const Product& x) const;
  const Tensors& operator+=(const Quotient& x) const;
  const Tensors& operator-=(const Quotient& x) const;
  const Tensors& operator+=(double x) const;
  const Tensors& operator*=(double x) const;
  /// `each` is a tensor of one dimension: a number for each of the list.
  const Tensors& operator*=(const at::Tensor& each) const;
  /// this += share (x - this)
  const Tensors& go_towards(const Tensors& x, double share) const;
  /// The values of x.
  const Tensors& become(const Tensors& x) const;

 private:
  std::vector<at::Tensor> list_;
};

/// What an operation made: nobody else holds it.
struct Made : Tensors {
  using Tensors::Tensors;
};

struct Scaled {
  double by;
  Tensors of;
  // NOLINTNEXTLINE(google-explicit-constructor): computed where its value is wanted
  operator Made() const;
};
struct Product {
  double by;
  Tensors a, b;
  // NOLINTNEXTLINE(google-explicit-constructor)
  operator Made() const;
};
struct Quotient {
  double by;
  Tensors over, under;
  // NOLINTNEXTLINE(google-explicit-constructor)
  operator Made() const;
};

Made operator+(const Tensors& a, const Tensors& b);
Made operator+(Made&& a, const Tensors& b);
Made operator+(const Tensors& a, const Scaled& b);
Made operator+(const Tensors& a, double b);
Made operator+(Made&& a, double b);
Made operator-(const Tensors& a, const Tensors& b);
Made operator-(Made&& a, const Tensors& b);
Made operator*(const Tensors& a, const Tensors& b);
Made operator*(Made&& a, const Tensors& b);
Made operator*(const Tensors& a, const at::Tensor& each);
Made operator/(const Tensors& a, const Tensors& b);
Made operator/(Made&& a, const Tensors& b);

inline Scaled operator*(double by, const Tensors& of) { return {by, of}; }
inline Scaled operator*(const Tensors& of, double by) { return {by, of}; }
inline Scaled operator/(const Tensors& of, double by) { return {1 / by, of}; }
inline Scaled operator*(double by, const Scaled& x) { return {by * x.by, x.of}; }
inline Product operator*(const Scaled& a, const Tensors& b) { return {a.by, a.of, b}; }
inline Quotient operator/(const Scaled& a, const Tensors& b) { return {a.by, a.of, b}; }

Made sqrt(const Tensors& x);
Made sqrt(Made&& x);
Made abs(const Tensors& x);
Made sign(const Tensors& x);
Made sign(Made&& x);
/// No element below or above `bound`.
Made at_least(Made&& x, double bound);
Made at_most(Made&& x, double bound);
/// The larger of the two, element by element.
Made larger(const Tensors& x, const Tensors& y);
/// x + share (y - x)
Made between(const Tensors& x, const Tensors& y, double share);
Made copy(const Tensors& x);
/// The values of the two change places.
void swap_values(const Tensors& x, const Tensors& y);
/// The Euclidean norm of each: a tensor of one dimension, without waiting for a GPU.
at::Tensor norms(const Tensors& x);

}  // namespace paribus
