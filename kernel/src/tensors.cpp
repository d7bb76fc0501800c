// SPDX-License-Identifier: Apache-2.0
#include "paribus/tensors.h"

#include <ATen/Functions.h>

namespace paribus {

const Tensors& Tensors::operator+=(const Tensors& x) const {
  at::_foreach_add_(list_, x.list_);
  return *this;
}
const Tensors& Tensors::operator-=(const Tensors& x) const {
  at::_foreach_sub_(list_, x.list_);
  return *this;
}
const Tensors& Tensors::operator*=(const Tensors& x) const {
  at::_foreach_mul_(list_, x.list_);
  return *this;
}
const Tensors& Tensors::operator/=(const Tensors& x) const {
  at::_foreach_div_(list_, x.list_);
  return *this;
}
const Tensors& Tensors::operator+=(const Scaled& x) const {
  at::_foreach_add_(list_, x.of.list_, x.by);
  return *this;
}
const Tensors& Tensors::operator-=(const Scaled& x) const {
  at::_foreach_add_(list_, x.of.list_, -x.by);
  return *this;
}
const Tensors& Tensors::operator+=(const Product& x) const {
  at::_foreach_addcmul_(list_, x.a.list_, x.b.list_, x.by);
  return *this;
}
const Tensors& Tensors::operator-=(const Product& x) const {
  at::_foreach_addcmul_(list_, x.a.list_, x.b.list_, -x.by);
  return *this;
}
const Tensors& Tensors::operator+=(const Quotient& x) const {
  at::_foreach_addcdiv_(list_, x.over.list_, x.under.list_, x.by);
  return *this;
}
const Tensors& Tensors::operator-=(const Quotient& x) const {
  at::_foreach_addcdiv_(list_, x.over.list_, x.under.list_, -x.by);
  return *this;
}
const Tensors& Tensors::operator+=(double x) const {
  at::_foreach_add_(list_, x);
  return *this;
}
const Tensors& Tensors::operator*=(double x) const {
  at::_foreach_mul_(list_, x);
  return *this;
}
const Tensors& Tensors::operator*=(const at::Tensor& each) const {
  at::_foreach_mul_(list_, each.unbind());
  return *this;
}
const Tensors& Tensors::go_towards(const Tensors& x, double share) const {
  at::_foreach_lerp_(list_, x.list_, share);
  return *this;
}
const Tensors& Tensors::become(const Tensors& x) const {
  at::_foreach_copy_(list_, x.list_);
  return *this;
}

Scaled::operator Made() const { return {at::_foreach_mul(of.list(), by)}; }
Product::operator Made() const {
  Made result = a * b;
  result *= by;
  return result;
}
Quotient::operator Made() const {
  Made result = over / under;
  result *= by;
  return result;
}

Made operator+(const Tensors& a, const Tensors& b) {
  return {at::_foreach_add(a.list(), b.list())};
}
Made operator+(Made&& a, const Tensors& b) {
  a += b;
  return std::move(a);
}
Made operator+(const Tensors& a, const Scaled& b) {
  return {at::_foreach_add(a.list(), b.of.list(), b.by)};
}
Made operator+(const Tensors& a, double b) { return {at::_foreach_add(a.list(), b)}; }
Made operator+(Made&& a, double b) {
  a += b;
  return std::move(a);
}
Made operator-(const Tensors& a, const Tensors& b) {
  return {at::_foreach_sub(a.list(), b.list())};
}
Made operator-(Made&& a, const Tensors& b) {
  a -= b;
  return std::move(a);
}
Made operator*(const Tensors& a, const Tensors& b) {
  return {at::_foreach_mul(a.list(), b.list())};
}
Made operator*(Made&& a, const Tensors& b) {
  a *= b;
  return std::move(a);
}
Made operator*(const Tensors& a, const at::Tensor& each) {
  return {at::_foreach_mul(a.list(), each.unbind())};
}
Made operator/(const Tensors& a, const Tensors& b) {
  return {at::_foreach_div(a.list(), b.list())};
}
Made operator/(Made&& a, const Tensors& b) {
  a /= b;
  return std::move(a);
}

Made sqrt(const Tensors& x) { return {at::_foreach_sqrt(x.list())}; }
Made sqrt(Made&& x) {
  at::_foreach_sqrt_(x.list());
  return std::move(x);
}
Made abs(const Tensors& x) { return {at::_foreach_abs(x.list())}; }
Made sign(const Tensors& x) { return {at::_foreach_sign(x.list())}; }
Made sign(Made&& x) {
  at::_foreach_sign_(x.list());
  return std::move(x);
}
Made at_least(Made&& x, double bound) {
  at::_foreach_clamp_min_(x.list(), bound);
  return std::move(x);
}
Made at_most(Made&& x, double bound) {
  at::_foreach_clamp_max_(x.list(), bound);
  return std::move(x);
}
Made larger(const Tensors& x, const Tensors& y) {
  return {at::_foreach_maximum(x.list(), y.list())};
}
Made between(const Tensors& x, const Tensors& y, double share) {
  return {at::_foreach_lerp(x.list(), y.list(), share)};
}
Made copy(const Tensors& x) {
  std::vector<at::Tensor> copies;
  for (const at::Tensor& tensor : x.list()) copies.push_back(tensor.clone());
  return {std::move(copies)};
}
void swap_values(const Tensors& x, const Tensors& y) {
  const Made held = copy(x);
  x.become(y);
  y.become(held);
}
at::Tensor norms(const Tensors& x) { return at::stack(at::_foreach_norm(x.list())); }

}  // namespace paribus
