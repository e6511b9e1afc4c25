#pragma once

// Small image files, made in memory.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/image/image.h"

namespace penult::testing {

using Bytes = std::vector<uint8_t>;

// A busy picture: no two pixels near each other are alike.
Image test_picture(int64_t h, int64_t w);

struct JpegKind {
  int components = 3;  // samples a pixel: 1 grey, 2 unknown, 3 RGB, 4 CMYK
  bool progressive = false;
  bool subsampled = false;      // chroma of half the width and height
  bool transform = true;        // stored as YCbCr or YCCK; false: as RGB or CMYK
  Bytes app1 = {};              // payload of an APP1 marker
  std::string_view scans = {};  // "one": a scan for each component; "many": 759 of them
};
Bytes encode_jpeg(int64_t h, int64_t w, std::span<const uint8_t> samples, const JpegKind& kind);
Bytes encode_jpeg(const Image& image, const JpegKind& kind = {});
// Where 0xFF `marker` stands at or behind `from`; the file's end if nowhere.
size_t find_marker(const Bytes& jpeg, uint8_t marker, size_t from = 0);

struct PngKind {
  uint8_t color_type = 2;  // 0 grey, 2 RGB
  bool interlaced = false;
};
// `samples` as PNG stores them: rows of whole bytes.
Bytes encode_png(int64_t h, int64_t w, std::span<const uint8_t> samples, const PngKind& kind);
Bytes encode_png(const Image& image, const PngKind& kind = {});
// A small RGB file with a colour profile of so many zeros: a thousandth of that in the file.
Bytes encode_png_with_profile(size_t profile_bytes);

struct Chunk {
  std::string type;
  Bytes data;
};
std::vector<Chunk> png_chunks(const Bytes& png);
Bytes png_of(const std::vector<Chunk>& chunks);  // with their CRCs
// The file with one more chunk before the first of the type `before`.
Bytes with_chunk(const Bytes& png, const Chunk& chunk, std::string_view before = "IDAT");

// A lossless file in the extended format, with an EXIF chunk unless that is empty.
Bytes encode_webp(const Image& image, const Bytes& exif = {});

struct BmpKind {
  int32_t h = 0, w = 0;  // h < 0: rows from the top
  uint16_t bits = 24;
  uint32_t method = 0;
  uint32_t colors = 0;  // of the palette; 0: as many as the bits allow
  uint32_t header_bytes = 40;
  uint32_t offset = 0;  // of the pixels; 0: where they are
};
// `colors`: palette or masks. `pixels`: as they are in the file.
Bytes bmp_of(const BmpKind& kind, const Bytes& colors, const Bytes& pixels);
Bytes encode_bmp(const Image& image);  // 24 bits

Bytes pnm_of(std::string_view header, const Bytes& pixels = {});
Bytes encode_ppm(const Image& image);  // P6

// A TIFF block with the orientation between two other entries. type: 3 SHORT, 4 LONG.
Bytes tiff_block(uint16_t orientation, bool big_endian, uint16_t type = 3, uint32_t count = 1);
Bytes exif_app1(const Bytes& tiff);  // as payload of JPEG's APP1

Bytes with_bytes(Bytes a, std::span<const uint8_t> b);  // a, then b

}  // namespace penult::testing
