// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace paribus::worker {

/// Forks. The child returns: it becomes the zygote. The parent stays as a guard that runs no code
/// of plugins: when the driver or the zygote dies, however, it kills all that is left below it, and
/// ends as the zygote did.
void leave_a_guard();

}  // namespace paribus::worker
