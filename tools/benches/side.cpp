// SPDX-License-Identifier: Apache-2.0
#include "side.h"

#include <cstdlib>
#include <iostream>
#include <sstream>

namespace paribus::bench {

int serve(const std::map<std::string, Variant>& variants) {
  std::cout << "ready" << std::endl;
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    std::string name;
    std::int64_t count = 0;
    words >> name >> count;
    const auto variant = variants.find(name);
    if (variant == variants.end() || count < 1) {
      std::cerr << "no such variant: " << line << '\n';
      return 2;
    }
    try {
      std::cout << variant->second(count).dump() << std::endl;
    } catch (const std::exception& problem) {
      std::cerr << name << ": " << problem.what() << '\n';
      return 1;
    }
  }
  return 0;
}

Folder::Folder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "paribus-bench-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("can't make " + pattern);
  path_ = pattern;
}

Folder::~Folder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace paribus::bench
