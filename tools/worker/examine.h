// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

namespace paribus::worker {

/// `paribus-worker --examine REQUEST REPLY`: a training of one process under the eyes of `paribus
/// plugins check`. Reads a JSON object from one file: `spec` and `files` of a trial, `plugins` as
/// in `load`, `part` {kind, name} under test, `steps`, `seconds` (the most). Writes one to the
/// other:
///
///     devices   that LibTorch has here
///     bytes     [step, bytes allocated and not freed] now and then
///     threads   before loading, after loading, after training: [count, names...]
///     state     instances of the part, things they keep, `problem` where they don't come back
///
/// A crash is the caller's to see. Returns the exit status.
int examine(const std::filesystem::path& request, const std::filesystem::path& reply);

constexpr const char* kExamineFlag = "--examine";

}  // namespace paribus::worker
