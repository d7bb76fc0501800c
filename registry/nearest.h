// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace paribus::registry {

/// The candidates that a person may have meant by `word`, nearest first, at most `most`; none if
/// nothing is near.
std::vector<std::string> nearest(std::string_view word, const std::vector<std::string>& candidates,
                                 std::size_t most = 3);

/// "; did you mean 'momentum'?" or "; did you mean 'sgd' or 'adam'?", or "" if nothing is near.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates);

/// The same text for suggestions found in another way.
std::string suggestion(const std::vector<std::string>& near);

}  // namespace paribus::registry
