// SPDX-License-Identifier: Apache-2.0
#include "results/filter.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <numeric>
#include <optional>

#include "paribus/error.h"
#include "registry/nearest.h"

namespace paribus::results {
namespace {

struct Condition {
  const Column* column;
  std::string op;
  Cell wanted;
};

std::optional<double> number(const std::string& text) {
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, problem] = std::from_chars(text.data(), end, value);
  return problem == std::errc() && stop == end ? std::optional(value) : std::nullopt;
}

class Parser {
 public:
  Parser(const Table& table, std::string_view text) : table_(table), text_(text) {}

  std::vector<Condition> parse() {
    std::vector<Condition> all{condition()};
    while (skip_space(), at_ < text_.size()) {
      const std::size_t start = at_;
      if (word() != "and") fail(start, "expected 'and' or the end");
      all.push_back(condition());
    }
    return all;
  }

 private:
  [[noreturn]] void fail(std::size_t place, const std::string& what) const {
    throw Error(fmt::format("--where '{}', character {}: {}", text_, place + 1, what));
  }

  void skip_space() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t')) ++at_;
  }

  /// Quoted text, or all up to a space or an operator.
  std::string word() {
    skip_space();
    const std::size_t start = at_;
    if (at_ < text_.size() && std::string_view("'\"`").find(text_[at_]) != std::string_view::npos) {
      const std::size_t end = text_.find(text_[at_], at_ + 1);
      if (end == std::string_view::npos) fail(start, "a quotation mark without its partner");
      at_ = end + 1;
      return std::string(text_.substr(start + 1, end - start - 1));
    }
    at_ = std::min(text_.find_first_of(" \t=!<>", at_), text_.size());
    return std::string(text_.substr(start, at_ - start));
  }

  std::string comparison_operator() {
    skip_space();
    for (const std::string_view op : {"==", "!=", "<=", ">=", "=", "<", ">"}) {
      if (!text_.substr(at_).starts_with(op)) continue;
      at_ += op.size();
      return std::string(op == "==" ? "=" : op);
    }
    fail(at_, "expected one of = != < <= > >=");
  }

  Condition condition() {
    skip_space();
    const std::size_t start = at_;
    const std::string name = word();
    if (name.empty()) fail(start, "expected a column");
    const Column* column = table_.find(name);
    if (!column) {
      const std::string near = registry::did_you_mean(name, table_.names());
      fail(start, near.empty() ? fmt::format("no column '{}'; there are {}", name,
                                             fmt::join(table_.names(), ", "))
                               : fmt::format("no column '{}'{}", name, near));
    }
    std::string op = comparison_operator();
    skip_space();
    const std::size_t value_start = at_;
    if (at_ == text_.size()) fail(at_, "expected a value");
    return {column, std::move(op), value(*column, value_start)};
  }

  Cell value(const Column& column, std::size_t start) {
    const std::string got = word();
    if (column.type == ColumnType::text) return got;
    if (column.type == ColumnType::boolean) {
      if (got != "true" && got != "false")
        fail(start, fmt::format("got '{}', expected true or false", got));
      return got == "true";
    }
    const auto parsed = number(got);
    if (!parsed) fail(start, fmt::format("got '{}', expected a number for '{}'", got, column.name));
    return *parsed;
  }

  const Table& table_;
  std::string_view text_;
  std::size_t at_ = 0;
};

template <class T>
bool compare(const T& left, const std::string& op, const T& right) {
  if (op == "=") return left == right;
  if (op == "!=") return left < right || right < left;  // not for NaN
  if (op == "<") return left < right;
  if (op == "<=") return left <= right;
  if (op == ">") return left > right;
  return left >= right;
}

/// Takes away from `rows` those whose value does not fit.
template <class T, class Fits>
void keep(const Packed<T>& values, std::vector<std::size_t>& rows, const Fits& fits) {
  const auto all = values.view();
  std::erase_if(rows, [&](std::size_t row) { return !fits(all[row]); });
}

/// Each text is compared once, however many rows have it.
std::vector<bool> fitting_texts(const Condition& condition) {
  const Column& column = *condition.column;
  const std::string_view wanted = std::get<std::string>(condition.wanted);
  std::vector<bool> fits(column.texts());
  for (std::uint32_t code = 0; code < fits.size(); ++code)
    fits[code] = compare(column.text(code), condition.op, wanted);
  return fits;
}

void apply(const Condition& condition, std::vector<std::size_t>& rows) {
  const Column& column = *condition.column;
  const std::string& op = condition.op;
  if (column.type == ColumnType::text) {
    const std::vector<bool> fits = fitting_texts(condition);
    return keep(column.codes, rows,
                [&](std::uint32_t code) { return code != Column::kUnknownCode && fits[code]; });
  }
  if (column.type == ColumnType::boolean) {
    const bool wanted = std::get<bool>(condition.wanted);
    return keep(column.flags, rows, [&](std::uint8_t flag) {
      return flag != Column::kUnknownFlag && compare(flag != 0, op, wanted);
    });
  }
  const double wanted = std::get<double>(condition.wanted);
  if (column.type == ColumnType::integer) {
    return keep(column.integers, rows, [&](std::int64_t value) {
      return value != Column::kUnknownInteger && compare(static_cast<double>(value), op, wanted);
    });
  }
  keep(column.reals, rows, [&](double value) { return compare(value, op, wanted); });
}

}  // namespace

std::vector<std::size_t> matching_rows(const Table& table, std::string_view expression) {
  std::vector<std::size_t> rows(table.rows);
  std::iota(rows.begin(), rows.end(), 0);
  for (const Condition& condition : Parser(table, expression).parse()) apply(condition, rows);
  return rows;
}

}  // namespace paribus::results
