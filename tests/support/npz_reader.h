#pragma once

// Reads what numpy.savez wrote: goldens, and nothing that a stranger could send. Little-endian,
// C order; the types that tools/make_golden.py uses.

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "penult/status.h"

namespace penult::testing {

struct NpyArray {
  std::string dtype;  // as NumPy spells it: "<f4", "<f8", "<i4", "|u1", "<U123"
  std::vector<int64_t> dims;
  std::vector<std::byte> bytes;

  int64_t elems() const;
  // The elements, if they are of type T (float, double, int32_t, uint8_t); else InvalidArgument.
  template <class T>
  Result<std::vector<T>> values() const;
  // The one string of an array without dimensions. ASCII only.
  Result<std::string> text() const;
};

// An .npy file's bytes. FormatCorrupt, FormatUnsupported.
Result<NpyArray> parse_npy(const std::vector<std::byte>& file);

// All arrays of an .npz file by key (entry name without ".npy").
Result<std::map<std::string, NpyArray>> read_npz(const std::string& path);

}  // namespace penult::testing
