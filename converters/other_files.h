#pragma once

// Files that hold no weights that can be read, and what their owner can do.

#include <cstdint>
#include <span>
#include <string_view>

#include "penult/status.h"

namespace penult::converters {

// FormatCorrupt if the file is empty; FormatUnsupported if its first bytes are surely those of
// something else than a weight file of a known format, whatever the file is called (but for .pb:
// TensorFlow's begin as ONNX files of a version that nobody uses).
Status check_not_other(std::span<const uint8_t> head, std::string_view path);

// What a file seems to be that no format recognises: by its first bytes, else by the path's ending,
// else its first bytes are shown. `formats` are the known ones. FormatUnsupported.
Status unknown_file(std::span<const uint8_t> head, std::string_view path, std::string_view formats);

}  // namespace penult::converters
