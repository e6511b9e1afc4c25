#pragma once

// Bytes of the file system as text of other kinds. What is no UTF-8 becomes U+DC80..U+DCFF, as
// Python's os.fsdecode does ("surrogateescape"), so that os.fsencode gives the bytes back.

#include <string>
#include <string_view>

namespace penult {

std::u32string decode_text(std::string_view bytes);

// A JSON string, quotes included: UTF-8 as it is, bytes that are none as \udc80..\udcff.
std::string json_string(std::string_view bytes);

// A field of a CSV file (RFC 4180), bytes as they are: in quotes if it holds a comma, a quote or a
// line break.
std::string csv_field(std::string_view bytes);

}  // namespace penult
