// SPDX-License-Identifier: Apache-2.0
#pragma once

// Writes tar archives for tests.

#include <cstdio>
#include <string>

namespace paribus::test {

inline const std::string kTarEnd(1024, '\0');

inline std::string tar_header(const std::string& name, std::size_t bytes, char type) {
  std::string header(512, '\0');
  header.replace(0, name.size(), name);
  char number[16];
  std::snprintf(number, sizeof number, "%011zo", bytes);
  header.replace(124, 11, number);
  header[156] = type;
  header.replace(257, 8,
                 std::string("ustar\0"
                             "00",
                             8));
  header.replace(148, 8, 8, ' ');
  unsigned sum = 0;
  for (const char c : header) sum += static_cast<unsigned char>(c);
  std::snprintf(number, sizeof number, "%06o", sum);
  header.replace(148, 7, std::string(number, 7));
  return header;
}

inline std::string tar_entry(const std::string& name, const std::string& content, char type = '0') {
  return tar_header(name, content.size(), type) + content +
         std::string((512 - content.size() % 512) % 512, '\0');
}

}  // namespace paribus::test
