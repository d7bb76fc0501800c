// SPDX-License-Identifier: Apache-2.0
#include "paribus/callback_order.h"

#include <algorithm>

#include "paribus/error.h"

namespace paribus {
namespace {

/// A word that both lists hold; empty if there is none.
std::string_view shared(const Callback::Words& a, const Callback::Words& b) {
  for (const std::string_view word : a) {
    if (word != "flow" && std::find(b.begin(), b.end(), word) != b.end()) return word;
  }
  return {};
}

}  // namespace

std::vector<Callback*> ordered(std::vector<Callback*> callbacks) {
  std::sort(callbacks.begin(), callbacks.end(),
            [](const Callback* a, const Callback* b) { return a->address() < b->address(); });
  for (std::size_t i = 0; i < callbacks.size(); ++i) {
    for (std::size_t j = i + 1; j < callbacks.size(); ++j) {
      const std::string_view word = shared(callbacks[i]->writes(), callbacks[j]->writes());
      if (!word.empty()) {
        throw Error(callbacks[j]->address() + ": it and " + callbacks[i]->address() +
                    " both change '" + std::string(word) +
                    "', so the result would hang on their order; keep one of them");
      }
    }
  }
  std::vector<Callback*> order;
  while (!callbacks.empty()) {  // take the first by address whose readings nobody left writes
    const auto next = std::find_if(callbacks.begin(), callbacks.end(), [&](const Callback* reader) {
      return std::none_of(callbacks.begin(), callbacks.end(), [&](const Callback* writer) {
        return writer != reader && !shared(reader->reads(), writer->writes()).empty();
      });
    });
    if (next == callbacks.end()) {
      throw Error(callbacks[0]->address() + ": it and " + callbacks[1]->address() +
                  " each read what the other changes; keep one of them");
    }
    order.push_back(*next);
    callbacks.erase(next);
  }
  return order;
}

}  // namespace paribus
