#pragma once

// Checksums made right again after a change, so that what lies behind them is reached: what a file
// looks like that was made on purpose.

#include <cstdint>
#include <span>

namespace penult::fuzz {

// The CRC-32 of each chunk of a PNG, as far as its lengths lead.
void repair_png(std::span<uint8_t> file);

// Changes the inside of an entry of a zip archive where it stands, with `change` (bytes, size), and
// makes its CRC-32 right in all places. False if `file` is no archive of stored entries.
bool change_zip_entry(std::span<uint8_t> file, uint32_t choice, void (*change)(uint8_t*, size_t));

// A .penult file: the sizes in its header are made to fit, the padding behind the graph part zero,
// and both checksums of the header right.
void repair_penult_header(std::span<uint8_t> file);

}  // namespace penult::fuzz
