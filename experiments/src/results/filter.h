// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <vector>

#include "results/table.h"

namespace paribus::results {

/// The rows (their numbers, in order) for which all comparisons hold:
///
///     arm = lookahead and valid.accuracy > 0.9 and message != ""
///
/// Operators = == != < <= > >=; a column may be quoted with `, a text with ' or ". A comparison
/// with what is unknown or NaN never holds. Throws Error saying where the expression goes wrong,
/// with near misses of a column.
std::vector<std::size_t> matching_rows(const Table& table, std::string_view expression);

}  // namespace paribus::results
