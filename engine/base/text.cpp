#include "engine/base/text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

namespace penult {
namespace {

constexpr size_t kMaxEscapedBytes = 256;

bool is_control(uint32_t c) { return c < 0x20 || (c >= 0x7f && c <= 0x9f); }

// Line and paragraph separators break a line; direction marks can make a terminal show a message
// in another order than it was written.
bool reorders_line(uint32_t c) {
  return c == 0x2028 || c == 0x2029 || (c >= 0x202a && c <= 0x202e) ||
         (c >= 0x2066 && c <= 0x2069) || c == 0x200e || c == 0x200f;
}

void append_hex(std::string& out, std::string_view bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  for (const char c : bytes) {
    const auto byte = static_cast<uint8_t>(c);
    out += {'\\', 'x', kDigits[byte >> 4], kDigits[byte & 15]};
  }
}

// Levenshtein distance, or any number above `bound` as soon as it must be above it.
size_t edit_distance(std::string_view a, std::string_view b, size_t bound) {
  const size_t gap = a.size() > b.size() ? a.size() - b.size() : b.size() - a.size();
  if (gap > bound) return gap;
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i);
    size_t smallest = row[0];
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
      smallest = std::min(smallest, row[j]);
    }
    if (smallest > bound) return smallest;
  }
  return row.back();
}

// One begins with the other, or they share a word; see nearest_names.
bool are_related(std::string_view a, std::string_view b) {
  constexpr size_t kFewest = 3;  // letters: "bn" and "1" say nothing
  if (a.size() >= kFewest && b.starts_with(a)) return true;
  if (b.size() >= kFewest && a.starts_with(b)) return true;
  for (std::string_view word = take_word(a); !word.empty(); word = take_word(a)) {
    if (word.size() < kFewest) continue;
    std::string_view rest = b;
    for (std::string_view other = take_word(rest); !other.empty(); other = take_word(rest)) {
      if (word == other) return true;
    }
  }
  return false;
}

}  // namespace

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

std::string_view take_word(std::string_view& text) {
  while (!text.empty() && !is_letter_or_digit(text.front())) text.remove_prefix(1);
  size_t size = 0;
  while (size < text.size() && is_letter_or_digit(text[size])) ++size;
  const std::string_view word = text.substr(0, size);
  text.remove_prefix(size);
  return word;
}

CodePoint first_code_point(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  const size_t bytes = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < bytes) return {CodePoint::kInvalid, 1};
  uint32_t value = lead & (0x7f >> bytes);
  for (size_t i = 1; i < bytes; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return {CodePoint::kInvalid, 1};
    value = value << 6 | (byte(i) & 0x3f);
  }
  constexpr std::array<uint32_t, 5> kSmallest = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = value >= 0xd800 && value <= 0xdfff;
  if (value < kSmallest[bytes] || value > 0x10ffff || surrogate) return {CodePoint::kInvalid, 1};
  return {value, bytes};
}

std::string escape_name(std::string_view name) {
  std::string out;
  while (!name.empty()) {
    const auto [value, bytes] = first_code_point(name);
    const std::string_view piece = name.substr(0, bytes);
    const size_t before = out.size();
    if (value == CodePoint::kInvalid || is_control(value) || reorders_line(value) || value == '"' ||
        value == '\'' || value == '\\') {
      append_hex(out, piece);
    } else {
      out.append(piece);
    }
    name.remove_prefix(bytes);
    if (out.size() > kMaxEscapedBytes) {
      out.resize(before);
      return out + "...";
    }
  }
  return out;
}

std::string quote(std::string_view name) { return "\"" + escape_name(name) + "\""; }

bool is_valid_utf8(std::string_view text) {
  while (!text.empty()) {
    const auto [value, bytes] = first_code_point(text);
    if (value == CodePoint::kInvalid) return false;
    text.remove_prefix(bytes);
  }
  return true;
}

bool is_valid_name(std::string_view name) {
  if (name.empty() || name.size() > kMaxNameBytes) return false;
  while (!name.empty()) {
    const auto [value, bytes] = first_code_point(name);
    if (value == CodePoint::kInvalid || is_control(value)) return false;
    name.remove_prefix(bytes);
  }
  return true;
}

std::string to_text(double v) {
  if (std::isnan(v)) return "nan";
  std::array<char, 32> buffer;  // the longest shortest form of a double has 24 characters
  const auto result = std::to_chars(buffer.data(), buffer.data() + buffer.size(), v);
  return std::string(buffer.data(), result.ptr);
}

std::vector<std::string> nearest_names(std::string_view name,
                                       const std::vector<std::string>& candidates, size_t count) {
  // A name typed by a person is short; the bound keeps a hostile list of long names cheap.
  name = name.substr(0, kMaxNameBytes);
  const size_t plausible = std::max<size_t>(1, name.size() / 3);
  std::vector<std::pair<size_t, size_t>> best;  // (distance, index), ascending, at most `count`
  std::vector<size_t> related;                  // taken if there is no slip of the pen
  for (size_t i = 0; i < candidates.size() && count > 0; ++i) {
    const std::string_view candidate = std::string_view(candidates[i]).substr(0, kMaxNameBytes);
    const size_t bound = best.size() == count ? best.back().first - 1 : plausible;
    const size_t distance = edit_distance(name, candidate, bound);
    if (distance <= bound) {
      const std::pair entry(distance, i);
      best.insert(std::upper_bound(best.begin(), best.end(), entry), entry);
      if (best.size() > count) best.pop_back();
    } else if (best.empty() && related.size() < count && are_related(name, candidate)) {
      related.push_back(i);
    }
    if (best.size() == count && best.back().first == 0) break;
  }
  std::vector<std::string> names;
  for (const auto& [distance, index] : best) names.push_back(candidates[index]);
  if (!names.empty()) return names;
  for (const size_t index : related) names.push_back(candidates[index]);
  return names;
}

}  // namespace penult
