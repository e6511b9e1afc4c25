// PBM, PGM and PPM, plain and raw (P1 to P6), with a reader of our own: the format is a page long.
// Pixels are those of Pillow, but for PGMs of more than 255 levels
// (docs/decisions/0008-images-as-pillow.md).
//
// Source: the netpbm manual, pages pbm(5), pgm(5), ppm(5).

#include <algorithm>
#include <cmath>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/check.h"
#include "engine/base/text.h"
#include "engine/image/decoders.h"

namespace penult {
namespace {

constexpr uint32_t kMaxLevel = 65'535;

Status damaged(const std::string& what) {
  return {StatusCode::kImageCorrupt, concat("a damaged PPM: ", what)};
}

bool is_space(uint8_t c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool is_digit(uint8_t c) { return c >= '0' && c <= '9'; }

class Reader {
 public:
  Reader(std::span<const uint8_t> bytes, size_t at) : bytes_(bytes), at_(at) {}

  bool at_end() const { return at_ == bytes_.size(); }
  std::span<const uint8_t> rest() const { return bytes_.subspan(at_); }

  // Up to the next byte that is neither white space nor in a comment.
  void skip_space() {
    for (; !at_end() && (is_space(bytes_[at_]) || bytes_[at_] == '#'); ++at_) {
      if (bytes_[at_] != '#') continue;
      while (!at_end() && bytes_[at_] != '\n' && bytes_[at_] != '\r') ++at_;
      if (at_end()) return;
    }
  }

  // A number of at most 10 digits with what separates it from what follows: one byte.
  Result<uint64_t> number() {
    skip_space();
    uint64_t value = 0;
    const size_t start = at_;
    for (; !at_end() && is_digit(bytes_[at_]); ++at_) {
      if (at_ - start == 10) return damaged("a number of too many digits");
      value = 10 * value + (bytes_[at_] - '0');
    }
    if (at_end() && at_ == start) return damaged("it ends too early");
    if (at_ == start || (!at_end() && !is_space(bytes_[at_]))) {
      return damaged("something else where a number should be");
    }
    if (!at_end()) ++at_;
    return value;
  }

  // '0' or '1'; they need no space between them.
  Result<bool> bit() {
    skip_space();
    if (at_end()) return damaged("it ends too early");
    const uint8_t c = bytes_[at_++];
    if (c != '0' && c != '1') return damaged("something else where a bit should be");
    return c == '1';
  }

 private:
  std::span<const uint8_t> bytes_;
  size_t at_;
};

struct Header {
  bool plain = false;  // numbers as text
  int channels = 0;    // 0: bits
  uint64_t h = 0, w = 0;
  uint32_t max_level = 1;

  // At least so many bytes hold the pixels.
  uint64_t bytes() const {
    if (channels == 0) return plain ? h * w : h * ((w + 7) / 8);
    const uint64_t samples = h * w * channels;
    return plain ? 2 * samples - 1 : samples * (max_level > 255 ? 2 : 1);
  }
};

Result<Header> read_header(char kind, Reader& reader) {
  Header header;
  header.plain = kind <= '3';
  header.channels = kind == '1' || kind == '4' ? 0 : kind == '2' || kind == '5' ? 1 : 3;
  PENULT_ASSIGN_OR_RETURN(header.w, reader.number());
  PENULT_ASSIGN_OR_RETURN(header.h, reader.number());
  if (header.channels > 0) {
    PENULT_ASSIGN_OR_RETURN(const uint64_t max_level, reader.number());
    if (max_level == 0 || max_level > kMaxLevel) {
      return damaged(concat("the largest level is ", max_level));
    }
    header.max_level = static_cast<uint32_t>(max_level);
  }
  return header;
}

// What a stored level is of 255, to nearest, ties to even, in the operations of Pillow. A raw level
// may be above the largest, which then counts as white.
std::vector<uint8_t> levels(uint32_t max_level) {
  std::vector<uint8_t> table(max_level > 255 ? kMaxLevel + 1 : 256);
  for (size_t i = 0; i < table.size(); ++i) {
    const double level = std::nearbyint(static_cast<double>(i) / max_level * 255);
    table[i] = static_cast<uint8_t>(std::min(level, 255.0));
  }
  return table;
}

void put(std::vector<uint8_t>& rgb, const Header& header, uint64_t sample, uint8_t value) {
  if (header.channels == 3) {
    rgb[sample] = value;
  } else {
    std::fill_n(&rgb[3 * sample], 3, value);
  }
}

// A one is black.
Status read_bits(const Header& header, Reader& reader, std::vector<uint8_t>& rgb) {
  const std::span<const uint8_t> raw = reader.rest();
  const uint64_t stride = (header.w + 7) / 8;
  for (uint64_t y = 0; y < header.h; ++y) {
    for (uint64_t x = 0; x < header.w; ++x) {
      bool bit;
      if (header.plain) {
        PENULT_ASSIGN_OR_RETURN(bit, reader.bit());
      } else {
        bit = (raw[y * stride + x / 8] >> (7 - x % 8) & 1) != 0;
      }
      put(rgb, header, y * header.w + x, bit ? 0 : 255);
    }
  }
  return {};
}

Status read_text(const Header& header, Reader& reader, std::vector<uint8_t>& rgb) {
  const std::vector<uint8_t> level = levels(header.max_level);
  const uint64_t samples = header.h * header.w * header.channels;
  for (uint64_t i = 0; i < samples; ++i) {
    const std::span<const uint8_t> before = reader.rest();
    PENULT_ASSIGN_OR_RETURN(const uint64_t value, reader.number());
    if (value > header.max_level) return damaged(concat("a level of ", value));
    // Without a separator behind it the last number may have lost digits.
    if (reader.at_end() && is_digit(before.back()) && 10 * value <= header.max_level) {
      return damaged("its last number may be cut off");
    }
    put(rgb, header, i, level[value]);
  }
  return {};
}

void read_raw(const Header& header, std::span<const uint8_t> raw, std::vector<uint8_t>& rgb) {
  const std::vector<uint8_t> level = levels(header.max_level);
  const uint64_t samples = header.h * header.w * header.channels;
  for (uint64_t i = 0; i < samples; ++i) {
    const uint32_t value =
        header.max_level > 255 ? uint32_t{raw[2 * i]} << 8 | raw[2 * i + 1] : raw[i];
    put(rgb, header, i, level[value]);
  }
}

}  // namespace

Result<Image> decode_pnm(std::span<const uint8_t> bytes, const DecodeOptions& options) {
  if (bytes.size() < 3) return damaged("it ends too early");
  Reader reader(bytes, 3);  // 'P', a digit, white space
  PENULT_ASSIGN_OR_RETURN(const Header header, read_header(static_cast<char>(bytes[1]), reader));
  PENULT_RETURN_IF_ERROR(check_image_size(header.h, header.w, bytes.size(), options));
  if (reader.rest().size() < header.bytes()) return damaged("it ends within its pixels");
  Image image{.h = static_cast<int64_t>(header.h), .w = static_cast<int64_t>(header.w), .rgb = {}};
  image.rgb.resize(image.h * image.w * 3);
  if (header.channels == 0) {
    PENULT_RETURN_IF_ERROR(read_bits(header, reader, image.rgb));
  } else if (header.plain) {
    PENULT_RETURN_IF_ERROR(read_text(header, reader, image.rgb));
  } else {
    read_raw(header, reader.rest(), image.rgb);
  }
  return image;
}

}  // namespace penult
