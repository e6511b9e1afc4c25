#include "engine/output/text.h"

namespace penult {
namespace {

bool is_continuation(unsigned char byte) { return (byte & 0xc0) == 0x80; }

// Length of the well-formed UTF-8 sequence at `at`, or 0.
size_t sequence_length(std::string_view text, size_t at) {
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

// \u00xx or \udcxx.
std::string json_escape(const char* start, unsigned char byte) {
  constexpr char kDigits[] = "0123456789abcdef";
  return std::string(start) + kDigits[byte >> 4] + kDigits[byte & 15];
}

}  // namespace

std::u32string decode_text(std::string_view bytes) {
  std::u32string decoded;
  for (size_t at = 0; at < bytes.size();) {
    const size_t length = sequence_length(bytes, at);
    const auto lead = static_cast<unsigned char>(bytes[at]);
    if (length == 0) {
      decoded += static_cast<char32_t>(0xdc00 + lead);
      ++at;
      continue;
    }
    char32_t point = length == 1 ? lead : lead & (0x7fu >> length);
    for (size_t i = 1; i < length; ++i) {
      point = point << 6 | (static_cast<unsigned char>(bytes[at + i]) & 0x3fu);
    }
    decoded += point;
    at += length;
  }
  return decoded;
}

std::string json_string(std::string_view bytes) {
  std::string json = "\"";
  for (size_t at = 0; at < bytes.size();) {
    const size_t length = sequence_length(bytes, at);
    const auto lead = static_cast<unsigned char>(bytes[at]);
    if (length == 0) {
      json += json_escape("\\udc", lead);
    } else if (lead < 0x20) {
      json += json_escape("\\u00", lead);
    } else {
      if (lead == '"' || lead == '\\') json += '\\';
      json += bytes.substr(at, length);
    }
    at += length == 0 ? 1 : length;
  }
  return json + '"';
}

std::string csv_field(std::string_view bytes) {
  if (bytes.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(bytes);
  std::string quoted = "\"";
  for (const char c : bytes) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + "\"";
}

}  // namespace penult
