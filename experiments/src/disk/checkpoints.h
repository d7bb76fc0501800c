// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "journal/journal.h"

/// The folder `checkpoints` of a study as the kernel writes it (kernel/src/checkpoint_file.h), for
/// those who tend it without LibTorch: per trial a folder with `step-N.safetensors` and its pinned
/// tensors in `step-N.tensors`, and with whole weights (`final.safetensors`, what callbacks keep);
/// beside them `objects`, each tensor once. `branch-N.safetensors` is such a checkpoint that other
/// trials begin with.
namespace paribus::disk {

inline constexpr const char* kObjects = "objects";

/// All `step-N.safetensors` of a trial's folder, the newest first.
std::vector<std::filesystem::path> checkpoints_in(const std::filesystem::path& folder);

/// Makes a trial's folder fit to go on from: removes what is half-written, and each checkpoint that
/// the journal doesn't confirm by an event that still counts; points that such a one stands for may
/// be lost. Returns whether a checkpoint is left.
bool prepare(const std::filesystem::path& folder, const journal::Record& journal);

/// What stays of a trial that is done, by `[study] keep`: "final" weights and callbacks' files,
/// "all" also the last checkpoint, "none".
void tidy(const std::filesystem::path& folder, const std::string& keep);

/// Removes one, and those of its tensors that nobody else needs.
void remove_checkpoint(const std::filesystem::path& file);

/// Gives a checkpoint, whole or not at all, a second name, in another trial's folder too, at the
/// cost of a few names. Throws Error or NoSpace.
void link_checkpoint(const std::filesystem::path& file, const std::filesystem::path& target);

/// Files in a study's directory that a process which is no more was writing in place of others.
std::vector<std::filesystem::path> stale_drafts(const std::filesystem::path& study);

/// Removes what killed processes left of trials that are done, stale drafts and objects that nobody
/// needs; of a study that is `finished` also branches, and the checkpoints of trials that their
/// search paused. REQUIRES: the study's lock. Trials may still be dying.
void tidy_study(const std::filesystem::path& study, bool finished = false);

}  // namespace paribus::disk
