#pragma once

// The decoders behind decode_image. Each is given the whole file.

#include <cstdint>
#include <span>

#include "engine/image/image.h"

namespace penult {

Result<Image> decode_jpeg(std::span<const uint8_t> bytes, const DecodeOptions& options);
Result<Image> decode_png(std::span<const uint8_t> bytes, const DecodeOptions& options);
Result<Image> decode_webp(std::span<const uint8_t> bytes, const DecodeOptions& options);
Result<Image> decode_bmp(std::span<const uint8_t> bytes, const DecodeOptions& options);
Result<Image> decode_pnm(std::span<const uint8_t> bytes, const DecodeOptions& options);

// Orientation (1-8) in a TIFF block, as in JPEG's APP1, PNG's eXIf and WebP's EXIF, with or without
// "Exif\0\0" before it. 1 if there is none, or if the block is damaged: it only describes the
// picture.
int exif_orientation(std::span<const uint8_t> exif);
// The picture turned and mirrored so that it stands upright.
Image apply_orientation(Image image, int orientation);

// What the header says, against the limits; `file_bytes` is the size of the file. ImageCorrupt for
// an empty picture, LimitExceeded for one that is too large or cannot fit into so few bytes. Calls
// options.before_pixels, which may wait for memory: to be called once for each picture.
Status check_image_size(uint64_t h, uint64_t w, uint64_t file_bytes, const DecodeOptions& options);

}  // namespace penult
