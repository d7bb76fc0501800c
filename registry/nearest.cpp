// SPDX-License-Identifier: Apache-2.0
#include "registry/nearest.h"

#include <algorithm>
#include <cctype>
#include <limits>
#include <utility>

namespace paribus::registry {
namespace {

constexpr std::size_t kLongest = 128;  // whoever typed more didn't mistype a name
constexpr std::size_t kFar = std::numeric_limits<std::size_t>::max();

std::string folded(std::string_view text) {
  std::string result(text);
  for (char& c : result)
    c = c == '-' ? '_' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return result;
}

/// Edits (insert, delete, replace, swap neighbours) between two words: optimal string alignment.
std::size_t edits(const std::string& a, const std::string& b) {
  std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replace = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, replace});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    std::swap(before, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

/// "weight_decay" -> "wd"
std::string initials(const std::string& word) {
  std::string result;
  for (std::size_t i = 0; i < word.size(); ++i) {
    if (word[i] != '_' && (i == 0 || word[i - 1] == '_' || word[i - 1] == '.')) result += word[i];
  }
  return result;
}

bool has_component(const std::string& whole, const std::string& component) {
  if (component.size() < 3) return false;
  for (std::size_t at = whole.find(component); at != std::string::npos;
       at = whole.find(component, at + 1)) {
    const std::size_t end = at + component.size();
    const bool starts = at == 0 || whole[at - 1] == '_' || whole[at - 1] == '.';
    const bool ends = end == whole.size() || whole[end] == '_' || whole[end] == '.';
    if (starts && ends) return true;
  }
  return false;
}

/// What two addresses have in common at their front tells nothing: "optimizer.learning_rate" is
/// near "optimizer.lr".
void drop_common_front(std::string& a, std::string& b) {
  const auto [in_a, in_b] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  const std::size_t same = static_cast<std::size_t>(in_a - a.begin());
  const std::size_t point = same == 0 ? std::string::npos : a.rfind('.', same - 1);
  if (point == std::string::npos) return;
  a.erase(0, point + 1);
  b.erase(0, point + 1);
}

std::size_t distance(std::string a, std::string b) {
  drop_common_front(a, b);
  if (a.empty() || b.empty()) return kFar;
  const std::size_t allowed = std::max<std::size_t>(1, a.size() / 3);
  const std::size_t count = edits(a, b);
  if (count <= allowed && count < std::max(a.size(), b.size())) return count;
  const bool abbreviated = (b.size() > 1 && initials(a) == b) || (a.size() > 1 && initials(b) == a);
  if (abbreviated) return 1;
  return has_component(a, b) || has_component(b, a) ? allowed + 1 : kFar;
}

}  // namespace

std::vector<std::string> nearest(std::string_view word, const std::vector<std::string>& candidates,
                                 std::size_t most) {
  if (word.empty() || word.size() > kLongest) return {};
  const std::string sought = folded(word);
  std::vector<std::pair<std::size_t, std::string>> near;
  for (const std::string& candidate : candidates) {
    if (candidate.empty() || candidate.size() > kLongest) continue;
    const std::size_t far = distance(sought, folded(candidate));
    if (far != kFar) near.emplace_back(far, candidate);
  }
  std::sort(near.begin(), near.end());
  near.erase(std::unique(near.begin(), near.end()), near.end());
  std::vector<std::string> result;
  for (auto& [far, candidate] : near) {
    if (result.size() == most) break;
    result.push_back(std::move(candidate));
  }
  return result;
}

std::string suggestion(const std::vector<std::string>& near) {
  std::string text;
  for (std::size_t i = 0; i < near.size(); ++i) {
    text += i == 0 ? "; did you mean '" : i + 1 == near.size() ? " or '" : ", '";
    text += near[i] + "'";
  }
  return near.empty() ? text : text + "?";
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates) {
  return suggestion(nearest(word, candidates));
}

}  // namespace paribus::registry
