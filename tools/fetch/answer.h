#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace penult::fetch {

// What the header of an HTTP answer says, as far as a download needs it.
struct Answer {
  int status = 0;
  size_t bytes = 0;                                  // of all headers of the request
  std::string tag;                                   // ETag
  std::optional<uint64_t> length;                    // Content-Length
  std::optional<uint64_t> range_begin, range_total;  // Content-Range
  double retry_after_s = 0;                          // Retry-After, unless it is a date
};

// A line, as it arrives. A status line starts anew: there is one before it after 100 Continue.
void read_header(std::string_view line, Answer& answer);

}  // namespace penult::fetch
