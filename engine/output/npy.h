#pragma once

// NumPy's .npy format, version 1.0 (numpy/lib/format.py): header, then raw little-endian data.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/output/buffered_writer.h"
#include "engine/output/feature_writer.h"

namespace penult {

// Header for an array of `descr` ("<f4", "<U12") in C order, filled up to at least `bytes`.
std::string npy_header(const std::string& descr, const std::vector<int64_t>& dims,
                       size_t bytes = 0);

// An array of numbers that grows row by row, alone in a file that outlives it.
class NpyStream {
 public:
  NpyStream(OutputFile& file, ElementType type, std::vector<int64_t> row_dims, size_t buffer_bytes);

  Status start();                                // first: leaves room for the header
  Status append(std::span<const float> values);  // whole rows
  Status finish(int64_t rows);                   // last: the header, which says how many there are
  uint64_t overflows() const { return overflows_; }  // finite values that became infinity

 private:
  std::string header(int64_t rows, size_t bytes) const;

  OutputFile& file_;
  BufferedWriter writer_;
  ElementType type_;
  std::vector<int64_t> row_dims_;
  size_t header_bytes_;
  uint64_t overflows_ = 0;
};

// A whole .npy of unicode strings, as wide as the widest needs it: dims (n), or one as a scalar.
Status write_npy_strings(std::span<const std::string> texts, BufferedWriter& writer);
Status write_npy_string(const std::string& text, BufferedWriter& writer);

}  // namespace penult
