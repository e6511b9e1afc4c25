#pragma once

// Text for messages: no fmt here, since the core needs nothing but a compiler and FlatBuffers.

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace penult {

// A name from outside (file, tensor, tap) made safe for one line of a terminal or a log: control
// bytes, quotes, backslashes and invalid UTF-8 become \xNN; longer than 256 bytes is cut with
// "...".
std::string escape_name(std::string_view name);

// "quoted" form of escape_name.
std::string quote(std::string_view name);

// A code point of UTF-8.
struct CodePoint {
  static constexpr uint32_t kInvalid = 0xffffffff;
  uint32_t value;  // kInvalid if the first byte starts no well-formed sequence
  size_t bytes;    // length of the sequence; 1 if invalid
};

// The code point at the start of `text`, which is not empty (Unicode 15, table 3-7).
CodePoint first_code_point(std::string_view text);

// True if every byte sequence is well-formed UTF-8 (no overlong forms, no surrogates).
bool is_valid_utf8(std::string_view text);

// True for 1..kMaxNameBytes bytes of valid UTF-8 without control characters: what a name of a
// value, weight or tap must be.
inline constexpr size_t kMaxNameBytes = 255;
bool is_valid_name(std::string_view name);

inline std::string to_text(std::string_view v) { return std::string(v); }
template <std::integral T>
std::string to_text(T v) {
  return std::to_string(v);
}
std::string to_text(double v);  // shortest form that reads back equal
template <std::integral T>
std::string to_text(const std::vector<T>& v) {  // (1,2,3)
  std::string out = "(";
  for (size_t i = 0; i < v.size(); ++i) out += (i ? "," : "") + std::to_string(v[i]);
  return out + ")";
}

// concat("expected ", 3, ", got ", dims): one string from several pieces.
template <typename... Pieces>
std::string concat(const Pieces&... pieces) {
  std::string out;
  (out.append(to_text(pieces)), ...);
  return out;
}

bool is_letter_or_digit(char c);  // of ASCII
// Removes the first word, of letters and digits, and what stands before it; empty at the end.
std::string_view take_word(std::string_view& text);

// The up to `count` candidates nearest to `name`, for "did you mean": those with at most a third of
// its letters changed (one, if it is short), the nearest first. If there are none, those that begin
// with it or it with them, or that share a word of three letters and digits or more; in the list's
// order. Others have nothing to do with it: an empty list.
std::vector<std::string> nearest_names(std::string_view name,
                                       const std::vector<std::string>& candidates, size_t count);

}  // namespace penult
