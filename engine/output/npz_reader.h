#pragma once

// Reads what numpy.savez wrote: little-endian, C order, .npy version 1.0. Sizes are checked against
// the bytes that are there before anything is made of them.

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "penult/status.h"

namespace penult {

struct NpyArray {
  std::string dtype;  // as NumPy spells it: "<f4", "<f8", "<i4", "|u1", "<U123"; others are refused
  std::vector<int64_t> dims;
  std::vector<std::byte> bytes;

  // The elements, if they are of type T (float, double, int32_t, uint8_t); else InvalidArgument.
  template <class T>
  Result<std::vector<T>> values() const;
  // The one string of an array without dimensions; what is not ASCII becomes a question mark.
  Result<std::string> text() const;
};

// An .npy file's bytes. FormatCorrupt, FormatUnsupported.
Result<NpyArray> parse_npy(const std::vector<std::byte>& file);

// All arrays of an .npz file by key (entry name without ".npy"). NotFound, Io, FormatCorrupt,
// FormatUnsupported; LimitExceeded above 1 GiB unpacked.
Result<std::map<std::string, NpyArray>> read_npz(const std::string& path);

}  // namespace penult
