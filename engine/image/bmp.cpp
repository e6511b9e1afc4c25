// BMP, with a reader of our own: the headers are few, and no small library in Debian reads it.
// It takes what Pillow takes, with the same pixels (docs/decisions/0008-images-as-pillow.md says
// where not).
//
// Source: Microsoft, "Bitmap Storage" and "Bitmap Compression"; the OS/2 1.x header of 12 bytes.

#include <algorithm>
#include <array>
#include <bit>
#include <initializer_list>
#include <utility>
#include <vector>

#include "engine/base/check.h"
#include "engine/base/text.h"
#include "engine/image/decoders.h"

namespace penult {
namespace {

constexpr uint64_t kFileHeaderBytes = 14;
constexpr uint32_t kOs2HeaderBytes = 12;
enum Compression : uint32_t { kRaw = 0, kRle8 = 1, kRle4 = 2, kBitfields = 3 };

struct Channel {
  int shift = 0;     // of the lowest bit
  uint32_t max = 0;  // the largest value
};

struct Header {
  uint64_t h = 0, w = 0;
  bool top_down = false;
  uint32_t bits = 0;  // a pixel
  uint32_t compression = kRaw;
  uint64_t pixels_at = 0;                     // in the file
  Channel channels[3] = {};                   // red, green, blue; of pixels with more than 8 bits
  std::array<uint8_t, 256 * 3> palette = {};  // of the others; black where the file has none

  bool indexed() const { return bits <= 8; }
  bool runs() const { return compression == kRle8 || compression == kRle4; }
};

Status damaged(const std::string& what) {
  return {StatusCode::kImageCorrupt, concat("a damaged BMP: ", what)};
}

Status unsupported(const std::string& what) {
  return {StatusCode::kImageUnsupported, concat("a BMP ", what)};
}

// Little-endian; zeros behind the end.
uint32_t get(std::span<const uint8_t> bytes, uint64_t at, int count) {
  uint32_t value = 0;
  for (int i = 0; i < count; ++i) {
    if (at + i < bytes.size()) value |= uint32_t{bytes[at + i]} << 8 * i;
  }
  return value;
}

Channel channel_of(uint32_t mask) {
  const int shift = mask == 0 ? 0 : std::countr_zero(mask);
  return {shift, mask >> shift};
}

// `masks_at`: where the file has the masks of red, green and blue.
Status read_channels(std::span<const uint8_t> bytes, uint64_t masks_at, Header& header) {
  uint32_t masks[3] = {0xFF0000, 0xFF00, 0xFF};
  if (header.bits == 16) masks[0] = 0x7C00, masks[1] = 0x3E0, masks[2] = 0x1F;
  if (header.compression == kBitfields) {
    if (bytes.size() < masks_at + 12) return damaged("it ends within its header");
    uint32_t stored[3];
    for (int c = 0; c < 3; ++c) stored[c] = get(bytes, masks_at + 4 * c, 4);
    // Without any mask Pillow takes the usual ones for 32 bits.
    const bool none = header.bits == 32 && (stored[0] | stored[1] | stored[2]) == 0;
    for (int c = 0; c < 3 && !none; ++c) masks[c] = stored[c];
  }
  for (int c = 0; c < 3; ++c) header.channels[c] = channel_of(masks[c]);
  const auto& [red, green, blue] = header.channels;
  const bool bytes_each = red.max == 255 && green.max == 255 && blue.max == 255 &&
                          (masks[0] | masks[1] | masks[2]) >> (header.bits - 1) >> 1 == 0;
  const bool fives = masks[0] == 0x7C00 && masks[1] == 0x3E0 && masks[2] == 0x1F;
  const bool five_six_five = masks[0] == 0xF800 && masks[1] == 0x7E0 && masks[2] == 0x1F;
  if (header.bits == 16 ? fives || five_six_five : bytes_each) return {};
  return unsupported(concat("whose ", header.bits, " bits are shared out in an unusual way"));
}

// `entry_bytes`: of a colour; blue comes first.
void read_palette(std::span<const uint8_t> bytes, uint64_t at, uint32_t colors, int entry_bytes,
                  Header& header) {
  for (uint32_t i = 0; i < colors; ++i) {
    for (int c = 0; c < 3; ++c) {
      header.palette[3 * i + c] = static_cast<uint8_t>(get(bytes, at + i * entry_bytes + 2 - c, 1));
    }
  }
}

// What follows the header: masks or a palette, and where the pixels are.
Status read_colors(std::span<const uint8_t> bytes, uint32_t header_bytes, uint32_t colors,
                   Header& header) {
  const uint64_t behind = kFileHeaderBytes + header_bytes;
  const int entry_bytes = header_bytes == kOs2HeaderBytes ? 3 : 4;
  uint64_t next = behind;
  if (header.indexed()) {
    if (colors == 0) colors = 1u << header.bits;
    if (colors > 256) return damaged(concat("a palette of ", colors, " colours"));
    read_palette(bytes, behind, colors, entry_bytes, header);
    next += uint64_t{colors} * entry_bytes;
  } else {
    constexpr uint32_t kPlainHeaderBytes = 40;  // the larger ones have room for the masks
    PENULT_RETURN_IF_ERROR(read_channels(bytes, kFileHeaderBytes + kPlainHeaderBytes, header));
    const bool masks_follow = header.compression == kBitfields && header_bytes == kPlainHeaderBytes;
    if (masks_follow) next += 12;
  }
  header.pixels_at = get(bytes, 10, 4);
  // Some writers forget the palette there.
  if (header.pixels_at == 0 || (header.indexed() && header.pixels_at == behind)) {
    header.pixels_at = next;
  }
  return {};
}

bool is_one_of(uint32_t value, std::initializer_list<uint32_t> values) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

Status check_kind(const Header& header) {
  if (!is_one_of(header.bits, {1, 4, 8, 16, 24, 32})) {
    return unsupported(concat("of ", header.bits, " bits a pixel"));
  }
  const uint32_t method = header.compression;
  const bool fits = method == kRaw || (method == kRle8 && header.bits == 8) ||
                    (method == kRle4 && header.bits == 4) ||
                    (method == kBitfields && !header.indexed());
  if (fits) return {};
  return unsupported(concat("of ", header.bits, " bits a pixel, compressed by method ", method));
}

Result<Header> read_header(std::span<const uint8_t> bytes) {
  if (bytes.size() < kFileHeaderBytes + 4) return damaged("it ends within its header");
  const uint32_t header_bytes = get(bytes, kFileHeaderBytes, 4);
  const bool os2 = header_bytes == kOs2HeaderBytes;
  if (!os2 && !is_one_of(header_bytes, {40, 52, 56, 64, 108, 124})) {
    return unsupported(concat("with a header of ", header_bytes, " bytes"));
  }
  if (bytes.size() < kFileHeaderBytes + header_bytes) return damaged("it ends within its header");
  Header header;
  header.w = get(bytes, 18, os2 ? 2 : 4);
  header.h = get(bytes, os2 ? 20 : 22, os2 ? 2 : 4);
  header.bits = get(bytes, os2 ? 24 : 28, 2);
  if (!os2) header.compression = get(bytes, 30, 4);
  header.top_down = header.h >> 24 == 0xFF;  // a negative height
  if (header.top_down) header.h = (uint64_t{1} << 32) - header.h;
  const uint32_t colors = os2 ? 0 : get(bytes, 46, 4);
  PENULT_RETURN_IF_ERROR(check_kind(header));
  PENULT_RETURN_IF_ERROR(read_colors(bytes, header_bytes, colors, header));
  return header;
}

uint32_t index_of(const uint8_t* row, int64_t x, uint32_t bits) {
  if (bits == 8) return row[x];
  if (bits == 4) return row[x / 2] >> (x % 2 == 0 ? 4 : 0) & 15;
  return row[x / 8] >> (7 - x % 8) & 1;
}

// `bits`: of a pixel in this row, which for expanded runs is 8.
void convert_row(const Header& header, const uint8_t* row, uint32_t bits, uint8_t* dst) {
  const auto w = static_cast<int64_t>(header.w);
  for (int64_t x = 0; x < w && header.indexed(); ++x) {
    const uint8_t* color = &header.palette[3 * index_of(row, x, bits)];
    for (int c = 0; c < 3; ++c) dst[3 * x + c] = color[c];
  }
  const int pixel_bytes = static_cast<int>(bits / 8);
  for (int64_t x = 0; x < w && !header.indexed(); ++x) {
    uint32_t pixel = 0;
    for (int i = 0; i < pixel_bytes; ++i) pixel |= uint32_t{row[x * pixel_bytes + i]} << 8 * i;
    for (int c = 0; c < 3; ++c) {
      const Channel& channel = header.channels[c];
      const uint32_t value = pixel >> channel.shift & channel.max;
      dst[3 * x + c] = static_cast<uint8_t>(value * 255 / channel.max);
    }
  }
}

// Run-length coding to one byte for each pixel, rows in the order of the file.
class Runs {
 public:
  Runs(std::span<const uint8_t> bytes, const Header& header)
      : bytes_(bytes), at_(header.pixels_at), w_(header.w), four_(header.compression == kRle4) {
    indices_.resize(header.h * header.w);
  }

  Result<std::vector<uint8_t>> expand() {
    while (done_ < indices_.size()) {
      if (at_ + 2 > bytes_.size()) return damaged("it ends within its pixels");
      const uint8_t count = bytes_[at_], value = bytes_[at_ + 1];
      at_ += 2;
      PENULT_RETURN_IF_ERROR(count > 0 ? repeat(count, value) : escape(value));
    }
    return std::move(indices_);
  }

 private:
  uint8_t pixel(uint8_t byte, uint64_t i) const {
    return four_ ? static_cast<uint8_t>(byte >> (i % 2 == 0 ? 4 : 0) & 15) : byte;
  }

  // What goes beyond the row is dropped, as in Pillow.
  Status repeat(uint64_t count, uint8_t value) {
    for (uint64_t i = 0; i < count && x_ < w_; ++i, ++x_) indices_[done_++] = pixel(value, i);
    return {};
  }

  Status escape(uint8_t code) {
    if (code == 0) return end_row();
    if (code == 1) return damaged("its last rows are missing");
    return code == 2 ? skip() : copy(code);
  }

  // Readers disagree on what the end of a row is that has no pixels.
  Status end_row() {
    if (x_ == 0) return damaged("a row without pixels");
    while (done_ % w_ != 0) ++done_;
    x_ = 0;
    return {};
  }

  Status skip() {
    if (at_ + 2 > bytes_.size()) return damaged("it ends within its pixels");
    const uint64_t pixels = bytes_[at_] + bytes_[at_ + 1] * w_;
    at_ += 2;
    done_ += std::min<uint64_t>(pixels, indices_.size() - done_);
    x_ = done_ % w_;
    return {};
  }

  Status copy(uint64_t count) {
    if (count > w_ - x_) return damaged("pixels behind the end of a row");
    const uint64_t size = four_ ? (count + 1) / 2 : count;
    if (at_ + size > bytes_.size()) return damaged("it ends within its pixels");
    for (uint64_t i = 0; i < count; ++i) {
      indices_[done_++] = pixel(bytes_[at_ + (four_ ? i / 2 : i)], i);
    }
    x_ += count;
    at_ += size + size % 2;
    return {};
  }

  std::span<const uint8_t> bytes_;
  uint64_t at_;  // of the next code
  uint64_t w_;
  bool four_;          // two pixels in a byte
  uint64_t x_ = 0;     // of the next pixel in its row
  uint64_t done_ = 0;  // pixels, also skipped ones
  std::vector<uint8_t> indices_;
};

}  // namespace

Result<Image> decode_bmp(std::span<const uint8_t> bytes, const DecodeOptions& options) {
  PENULT_ASSIGN_OR_RETURN(const Header header, read_header(bytes));
  PENULT_RETURN_IF_ERROR(check_image_size(header.h, header.w, bytes.size(), options));
  std::vector<uint8_t> indices;
  std::span<const uint8_t> pixels = bytes;
  uint64_t first = header.pixels_at, stride = (header.w * header.bits + 31) / 32 * 4;
  const uint64_t row_bytes = (header.w * header.bits + 7) / 8;
  if (header.runs()) {
    PENULT_ASSIGN_OR_RETURN(indices, Runs(bytes, header).expand());
    pixels = indices;
    first = 0;
    stride = header.w;
  } else if (first + stride * (header.h - 1) + row_bytes > bytes.size()) {
    return damaged("it ends within its pixels");
  }
  Image image{.h = static_cast<int64_t>(header.h), .w = static_cast<int64_t>(header.w), .rgb = {}};
  image.rgb.resize(image.h * image.w * 3);
  for (int64_t y = 0; y < image.h; ++y) {
    const int64_t row = header.top_down ? y : image.h - 1 - y;
    convert_row(header, &pixels[first + row * stride], header.runs() ? 8 : header.bits,
                &image.rgb[y * image.w * 3]);
  }
  return image;
}

}  // namespace penult
