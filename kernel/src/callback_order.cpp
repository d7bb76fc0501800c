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

/// One whose changes `reader` reads, or null.
Callback* writer_for(const Callback& reader, const std::vector<Callback*>& callbacks) {
  for (Callback* writer : callbacks) {
    if (writer != &reader && !shared(reader.reads(), writer->writes()).empty()) return writer;
  }
  return nullptr;
}

/// Each of `callbacks` reads what another of them writes: names a circle of those.
[[noreturn]] void refuse_circle(const std::vector<Callback*>& callbacks) {
  std::vector<Callback*> chain{callbacks.front()};
  while (std::count(chain.begin(), chain.end(), chain.back()) == 1)
    chain.push_back(writer_for(*chain.back(), callbacks));
  const auto first = std::find(chain.begin(), chain.end(), chain.back());
  std::string text = (*first)->address() + ": ";
  for (auto reader = first; reader + 1 != chain.end(); ++reader) {
    text += (reader == first ? "it reads '" : ", which reads '") +
            std::string(shared((*reader)->reads(), reader[1]->writes())) + "' that " +
            reader[1]->address() + " changes";
  }
  throw Error(text + "; no order serves them all, take one out");
}

}  // namespace

std::int64_t Callback::epochs(const Fit& fit) const {
  const Words words = reads();
  if (std::find(words.begin(), words.end(), "length") != words.end()) return fit.epochs_;
  throw Error(address() +
              ": it looks at the length of training without saying so; add \"length\" to the reads "
              "of its touches()");
}

std::vector<Callback*> ordered(std::vector<Callback*> callbacks) {
  std::sort(callbacks.begin(), callbacks.end(),
            [](const Callback* a, const Callback* b) { return a->address() < b->address(); });
  for (std::size_t i = 0; i < callbacks.size(); ++i) {
    for (std::size_t j = i + 1; j < callbacks.size(); ++j) {
      const std::string_view word = shared(callbacks[i]->writes(), callbacks[j]->writes());
      if (!word.empty()) {
        const std::string one = callbacks[j]->address(), other = callbacks[i]->address();
        throw Error(one + ": " + one + " and " + other + " both change '" + std::string(word) +
                    "', so the result would hang on their order; keep one of them");
      }
    }
  }
  std::vector<Callback*> order;
  while (!callbacks.empty()) {  // take the first by address whose readings nobody left writes
    const auto next = std::find_if(callbacks.begin(), callbacks.end(), [&](const Callback* reader) {
      return writer_for(*reader, callbacks) == nullptr;
    });
    if (next == callbacks.end()) refuse_circle(callbacks);
    order.push_back(*next);
    callbacks.erase(next);
  }
  return order;
}

}  // namespace paribus
