#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace penult {

// NumPy's .npy format, version 1.0 (numpy/lib/format.py): header, then raw little-endian data.

// Header for an array of `descr` ("<f4", "<U12") in C order.
std::string npy_header(const std::string& descr, const std::vector<int64_t>& dims);

// A whole .npy of unicode strings: dims (n), or a scalar.
std::string npy_strings(std::span<const std::string> texts);
std::string npy_string(const std::string& text);

}  // namespace penult
