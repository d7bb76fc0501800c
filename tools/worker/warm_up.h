// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace paribus::worker {

/// Runs one small training step of LibTorch's own operators, so that what each process does at its
/// first one (MKL and oneDNN look at the CPU, the linker binds symbols, operators are looked up) is
/// done before trials fork and not by each of them. Starts no thread and draws no random number.
void warm_up();

}  // namespace paribus::worker
