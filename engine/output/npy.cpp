#include "engine/output/npy.h"

#include <algorithm>

namespace penult {
namespace {

bool is_continuation(unsigned char byte) { return (byte & 0xc0) == 0x80; }

// Length of the well-formed UTF-8 sequence at `at`, or 0.
size_t sequence_length(const std::string& text, size_t at) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[at + i]); };
  const size_t left = text.size() - at;
  const unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  const size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || length > left) return 0;
  for (size_t i = 1; i < length; ++i) {
    if (!is_continuation(byte(i))) return 0;
  }
  // Overlong forms, surrogates, beyond U+10FFFF.
  const unsigned char second = byte(1);
  const bool bad = (lead == 0xe0 && second < 0xa0) || (lead == 0xed && second >= 0xa0) ||
                   (lead == 0xf0 && second < 0x90) || (lead == 0xf4 && second >= 0x90);
  return bad ? 0 : length;
}

std::u32string decode(const std::string& text) {
  std::u32string decoded;
  for (size_t at = 0; at < text.size();) {
    const size_t length = sequence_length(text, at);
    const auto lead = static_cast<unsigned char>(text[at]);
    if (length == 0) {  // Python's "surrogateescape"
      decoded += static_cast<char32_t>(0xdc00 + lead);
      ++at;
      continue;
    }
    char32_t point = length == 1 ? lead : lead & (0x7fu >> length);
    for (size_t i = 1; i < length; ++i) {
      point = point << 6 | (static_cast<unsigned char>(text[at + i]) & 0x3fu);
    }
    decoded += point;
    at += length;
  }
  return decoded;
}

std::string strings(std::span<const std::string> texts, const std::vector<int64_t>& dims) {
  std::vector<std::u32string> decoded;
  size_t width = 1;  // NumPy has no "<U0" arrays in files
  for (const std::string& text : texts) {
    decoded.push_back(decode(text));
    width = std::max(width, decoded.back().size());
  }
  std::string out = npy_header("<U" + std::to_string(width), dims);
  for (std::u32string& text : decoded) {
    text.resize(width, U'\0');
    for (const char32_t point : text) {
      for (int shift = 0; shift < 32; shift += 8) out += static_cast<char>(point >> shift & 0xff);
    }
  }
  return out;
}

}  // namespace

std::string npy_header(const std::string& descr, const std::vector<int64_t>& dims) {
  std::string shape;
  for (const int64_t dim : dims) shape += std::to_string(dim) + (dims.size() == 1 ? "," : ", ");
  if (dims.size() > 1) shape.resize(shape.size() - 2);
  std::string dict =
      "{'descr': '" + descr + "', 'fortran_order': False, 'shape': (" + shape + "), }";
  constexpr size_t kPrefix = 10, kAlignment = 64;
  const size_t total = (kPrefix + dict.size() + 1 + kAlignment - 1) / kAlignment * kAlignment;
  dict.resize(total - kPrefix - 1, ' ');
  dict += '\n';
  std::string header = std::string("\x93NUMPY\x01\x00", 8);
  header += static_cast<char>(dict.size() & 0xff);
  header += static_cast<char>(dict.size() >> 8);
  return header + dict;
}

std::string npy_strings(std::span<const std::string> texts) {
  return strings(texts, {static_cast<int64_t>(texts.size())});
}

std::string npy_string(const std::string& text) { return strings({&text, 1}, {}); }

}  // namespace penult
