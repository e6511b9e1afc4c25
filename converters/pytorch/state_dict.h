#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "converters/importer.h"
#include "converters/pytorch/pickle.h"

namespace penult::converters {

// The raw little-endian bytes of a storage object; FormatCorrupt if the file has none of that key
// or size.
using StorageBytes = std::function<Result<std::span<const uint8_t>>(const Object& storage)>;

// The tensors of a state dict, in order, without the prefixes of wrappers: either the pickled
// object itself, or the entry of a checkpoint that holds them (choose_entry); what lies beside it
// is not looked at. `format`, then in the result's, says which. Views and transposed tensors are
// written out densely, but a file of `file_bytes` cannot claim a multiple of its size by sharing
// one storage between many tensors.
Result<StateDict> read_state_dict(const Pickle& pickle, uint64_t file_bytes,
                                  const StorageBytes& storage_bytes, std::string format,
                                  const std::string& entry = "");

// The name under which a kStorage object's elements are kept.
const std::string& storage_key(const Object& storage);

}  // namespace penult::converters
