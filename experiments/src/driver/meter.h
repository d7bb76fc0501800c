// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

/// Pieces of text that a display is made of. All take and give UTF-8.
namespace paribus::driver {

/// `cells` wide, filled to `fraction` (0 to 1) in eighths of a cell; `ascii` for terminals that
/// know no more.
std::string bar(double fraction, int cells, bool ascii = false);

/// "350 ms", "4 s", "2 min 05 s", "1 h 03 min"; "?" for what isn't a finite number of at least 0.
std::string duration(double seconds);

/// "12 B", "3.4 MiB".
std::string byte_count(double bytes);

/// Columns that a terminal gives to a text; control characters and bytes that are no UTF-8 count as
/// the one '?' that `clip` makes of them.
int columns(std::string_view text);

/// At most `most` columns of a text, with "…" where it was cut; safe to print whatever it held.
std::string clip(std::string_view text, int most);

/// `clip`, then filled up with blanks.
std::string padded(std::string_view text, int width);

}  // namespace paribus::driver
