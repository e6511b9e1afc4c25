#include "tools/fetch/answer.h"

#include <strings.h>

#include <algorithm>
#include <charconv>

namespace penult::fetch {
namespace {

// Removes what it reads.
std::optional<uint64_t> number(std::string_view& text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return value;
}

// Removes the prefix, in any case, and the blanks behind it; false if it is not there.
bool take(std::string_view& text, std::string_view prefix) {
  if (text.size() < prefix.size() || strncasecmp(text.data(), prefix.data(), prefix.size()) != 0) {
    return false;
  }
  text.remove_prefix(prefix.size());
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  return true;
}

void read_range(std::string_view value, Answer& answer) {
  if (!take(value, "bytes")) return;
  answer.range_begin = number(value);
  const size_t slash = value.find('/');
  if (slash == std::string_view::npos) return;
  value.remove_prefix(slash + 1);
  answer.range_total = number(value);
}

}  // namespace

void read_header(std::string_view line, Answer& answer) {
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r' || line.back() == ' ')) {
    line.remove_suffix(1);
  }
  if (take(line, "HTTP/")) {
    const size_t bytes = answer.bytes;
    answer = {};
    answer.bytes = bytes;
    line.remove_prefix(std::min(line.size(), line.find(' ')));
    take(line, "");
    answer.status = static_cast<int>(std::min<uint64_t>(number(line).value_or(0), 999));
  } else if (take(line, "ETag:")) {
    answer.tag = line;
  } else if (take(line, "Content-Length:")) {
    answer.length = number(line);
  } else if (take(line, "Content-Range:")) {
    read_range(line, answer);
  } else if (take(line, "Retry-After:")) {
    answer.retry_after_s = static_cast<double>(number(line).value_or(0));
  }
}

}  // namespace penult::fetch
