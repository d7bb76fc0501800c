// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "paribus/checkpoint.h"

namespace paribus {

/// The file from which a training goes on, `<folder>/step-N.safetensors`: a safetensors file of
/// small tensors. Those of 64 KiB or more are objects of the Store `<folder>/../objects`, pinned in
/// `<folder>/step-N.tensors`. In the file's metadata
///
///     sha256         of the header, with zeros in this place, and the data
///     large/<name>   type, shape, bytes and SHA-256 of a tensor kept as an object
///
/// Temporary file, fsync, rename, fsync of the folder, the pins first: a reader finds all or
/// nothing. `before_write` gets the bytes that will be new. Throws NoSpace or Error, with nothing
/// left behind.
void write_checkpoint(const std::filesystem::path& file, const NamedTensors& tensors,
                      const std::function<void(std::int64_t)>& before_write);

/// Throws Error naming what is missing or damaged: every byte is held against its sum.
TensorMap read_checkpoint(const std::filesystem::path& file);

/// Removes one, and objects that nobody else pins.
void remove_checkpoint(const std::filesystem::path& file);

/// Removes what a killed process left half-written.
void remove_leftovers(const std::filesystem::path& folder);

/// All of a folder, the newest first.
std::vector<std::filesystem::path> checkpoints_in(const std::filesystem::path& folder);

struct Found {
  std::string file;    // its name; "" if none is whole
  TensorMap tensors;   // of it
  std::string damage;  // what is wrong with newer ones, each with "; " behind it
};
Found newest_checkpoint(const std::filesystem::path& folder);

/// Writes plain weights, as a hard link where a file beside it holds the same bytes.
void write_weights(const std::filesystem::path& file, const NamedTensors& tensors,
                   const std::function<void(std::int64_t)>& before_write);

}  // namespace paribus
