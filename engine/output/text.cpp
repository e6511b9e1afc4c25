#include "engine/output/text.h"

#include "engine/base/text.h"

namespace penult {
namespace {

// \u00xx or \udcxx.
std::string json_escape(const char* start, unsigned char byte) {
  constexpr char kDigits[] = "0123456789abcdef";
  return std::string(start) + kDigits[byte >> 4] + kDigits[byte & 15];
}

}  // namespace

std::u32string decode_text(std::string_view bytes) {
  std::u32string decoded;
  while (!bytes.empty()) {
    const auto [value, length] = first_code_point(bytes);
    const bool invalid = value == CodePoint::kInvalid;
    decoded += static_cast<char32_t>(invalid ? 0xdc00 + static_cast<uint8_t>(bytes[0]) : value);
    bytes.remove_prefix(length);
  }
  return decoded;
}

std::string json_string(std::string_view bytes) {
  std::string json = "\"";
  while (!bytes.empty()) {
    const auto [value, length] = first_code_point(bytes);
    const auto lead = static_cast<unsigned char>(bytes[0]);
    if (value == CodePoint::kInvalid) {
      json += json_escape("\\udc", lead);
    } else if (value < 0x20) {
      json += json_escape("\\u00", lead);
    } else {
      if (value == '"' || value == '\\') json += '\\';
      json += bytes.substr(0, length);
    }
    bytes.remove_prefix(length);
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
