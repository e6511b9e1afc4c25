#pragma once

// The table of published weight files, converters/weights.json: what `penult fetch` downloads, and
// what `penult convert` knows of a file by its SHA-256.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "penult/status.h"

namespace penult::converters {

// What is known of a published weight file.
struct KnownWeights {
  std::string name;                  // as `penult fetch` takes it: timm's NET.TAG where it has one
  std::vector<std::string> aliases;  // other names
  std::string arch;                  // as --arch
  std::string weights;               // name of the weight set, for people
  std::string file;                  // as published, without folders
  std::string url;                   // https; empty: not published as a file of its own
  std::string inside;                // what it is a part of, if there is no url
  uint64_t bytes = 0;                // 0: not known
  std::string sha256;                // hex, all 64 digits or the first 8 or more
  std::string licence;               // SPDX identifier, copyright and origin
  std::string preprocess;            // a preset
};

// The table, as it was when penult was built.
std::span<const KnownWeights> all_known_weights();

// Null if the file is not a known one. Where the table has some digits only, these are compared.
const KnownWeights* find_known_weights(const std::string& sha256);

// By name or alias. NotFound, with the nearest names.
Result<const KnownWeights*> find_weights(std::span<const KnownWeights> table,
                                         const std::string& name);

// A table from JSON text: an array of objects with these fields. FormatCorrupt names the row.
Result<std::vector<KnownWeights>> parse_weights_table(std::string_view json);

}  // namespace penult::converters
