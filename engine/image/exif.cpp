#include <string_view>
#include <utility>

#include "engine/image/decoders.h"

namespace penult {
namespace {

// Reads of a TIFF block in its own byte order; outside of it everything is zero.
struct Tiff {
  std::span<const uint8_t> bytes;
  bool big_endian;

  uint32_t read(uint64_t offset, int count) const {
    if (offset > bytes.size() || bytes.size() - offset < static_cast<uint64_t>(count)) return 0;
    uint32_t value = 0;
    for (int i = 0; i < count; ++i) {
      const int shift = 8 * (big_endian ? count - 1 - i : i);
      value |= static_cast<uint32_t>(bytes[offset + i]) << shift;
    }
    return value;
  }
};

constexpr uint32_t kOrientationTag = 0x0112, kShort = 3, kLong = 4;

// Where JPEG has "Exif\0\0", the other kinds should not, but files have it.
std::span<const uint8_t> without_prefix(std::span<const uint8_t> exif) {
  constexpr std::string_view kPrefix("Exif\0\0", 6);
  const auto text = [&] {
    return std::string_view(reinterpret_cast<const char*>(exif.data()), exif.size());
  };
  while (text().starts_with(kPrefix)) exif = exif.subspan(kPrefix.size());
  return exif;
}

}  // namespace

// Source: TIFF 6.0, section 2 (header, IFD), and Exif 2.3, tag 0x0112.
int exif_orientation(std::span<const uint8_t> exif) {
  const std::span<const uint8_t> tiff = without_prefix(exif);
  if (tiff.size() < 8) return 1;
  const bool big_endian = tiff[0] == 'M' && tiff[1] == 'M';
  if (!big_endian && !(tiff[0] == 'I' && tiff[1] == 'I')) return 1;
  const Tiff block{tiff, big_endian};
  if (block.read(2, 2) != 42) return 1;
  const uint64_t directory = block.read(4, 4);
  const uint32_t entries = block.read(directory, 2);
  for (uint32_t i = 0; i < entries; ++i) {
    const uint64_t entry = directory + 2 + 12 * uint64_t{i};
    if (block.read(entry, 2) != kOrientationTag) continue;
    // A LONG is not what the standard says, but Pillow takes it.
    const uint32_t type = block.read(entry + 2, 2);
    const uint32_t value = block.read(entry + 8, type == kLong ? 4 : 2);
    const bool well_formed = (type == kShort || type == kLong) && block.read(entry + 4, 4) == 1;
    return well_formed && value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
  }
  return 1;
}

Image apply_orientation(Image image, int orientation) {
  if (orientation <= 1 || orientation > 8) return image;
  // 2-4 mirror and turn by 180 degrees; 5-8 also swap rows and columns.
  const bool transposed = orientation >= 5;
  const bool flip_rows =
      orientation == 3 || orientation == 4 || orientation == 7 || orientation == 8;
  const bool flip_columns =
      orientation == 2 || orientation == 3 || orientation == 6 || orientation == 7;
  Image upright;
  upright.h = transposed ? image.w : image.h;
  upright.w = transposed ? image.h : image.w;
  upright.rgb.resize(image.rgb.size());
  for (int64_t y = 0; y < upright.h; ++y) {
    for (int64_t x = 0; x < upright.w; ++x) {
      const int64_t v = flip_rows ? upright.h - 1 - y : y;
      const int64_t u = flip_columns ? upright.w - 1 - x : x;
      const int64_t from = transposed ? u * image.w + v : v * image.w + u;
      for (int c = 0; c < 3; ++c)
        upright.rgb[(y * upright.w + x) * 3 + c] = image.rgb[from * 3 + c];
    }
  }
  return upright;
}

}  // namespace penult
