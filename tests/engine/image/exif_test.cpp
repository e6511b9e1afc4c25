#include <gtest/gtest.h>

#include <array>
#include <map>

#include "engine/image/decoders.h"
#include "tests/engine/image/test_files.h"

namespace penult {
namespace {

using namespace testing;

// What Pillow's ImageOps.exif_transpose makes of the rows "abc" and "def", orientation 1 to 8.
constexpr const char* kUpright[] = {"abc/def",  "cba/fed",  "fed/cba",  "def/abc",
                                    "ad/be/cf", "da/eb/fc", "fc/eb/da", "cf/be/ad"};

Image decoded(const Bytes& file, bool apply_exif) {
  const Result<Image> image = decode_image(file, {.apply_exif = apply_exif});
  EXPECT_TRUE(image.ok()) << image.status().to_string();
  return image.ok() ? *image : Image{};
}

using Pixel = std::array<uint8_t, 3>;

Pixel pixel(const Image& image, int64_t i) {
  return {image.rgb[3 * i], image.rgb[3 * i + 1], image.rgb[3 * i + 2]};
}

// The upright picture in letters; the pixels as they are stored are "abc/def".
std::string letters(const Bytes& file) {
  const Image stored = decoded(file, false);
  if (stored.h != 2 || stored.w != 3) return "?";
  std::map<Pixel, char> names;
  for (int i = 0; i < 6; ++i) names[pixel(stored, i)] = static_cast<char>('a' + i);
  EXPECT_EQ(names.size(), 6u) << "the test needs six different pixels";
  const Image upright = decoded(file, true);
  std::string text;
  for (int64_t i = 0; i < upright.h * upright.w; ++i) {
    if (i > 0 && i % upright.w == 0) text += '/';
    text += names[pixel(upright, i)];
  }
  return text;
}

Image six_pixels() {
  Image image{.h = 2, .w = 3, .rgb = {}};
  for (int i = 0; i < 6; ++i) image.rgb.insert(image.rgb.end(), 3, static_cast<uint8_t>(50 * i));
  return image;
}

// Each kind of file with this EXIF block.
std::map<std::string, Bytes> files_with(const Bytes& tiff) {
  const Bytes png = encode_png(six_pixels());
  return {{"JPEG", encode_jpeg(six_pixels(), {.app1 = exif_app1(tiff)})},
          {"PNG", with_chunk(png, {"eXIf", tiff})},
          {"PNG, eXIf behind the pixels", with_chunk(png, {"eXIf", tiff}, "IEND")},
          {"WebP", encode_webp(six_pixels(), tiff)},
          {"WebP, with the prefix of JPEG", encode_webp(six_pixels(), exif_app1(tiff))}};
}

TEST(Exif, OrientationTurnsThePictureAsPillowDoes) {
  for (const bool big_endian : {false, true}) {
    for (uint16_t orientation = 1; orientation <= 8; ++orientation) {
      for (const auto& [kind, file] : files_with(tiff_block(orientation, big_endian))) {
        EXPECT_EQ(letters(file), kUpright[orientation - 1])
            << kind << " " << orientation << (big_endian ? " MM" : " II");
      }
    }
  }
}

TEST(Exif, IsIgnoredOnRequest) {
  for (const auto& [kind, file] : files_with(tiff_block(6, false))) {
    EXPECT_EQ(decoded(file, false).h, 2) << kind;
    EXPECT_EQ(decoded(file, true).h, 3) << kind;
  }
}

TEST(Exif, LongOrientationCountsAsInPillow) {
  for (const bool big_endian : {false, true}) {
    EXPECT_EQ(exif_orientation(tiff_block(6, big_endian, 4)), 6);
  }
}

std::map<std::string, Bytes> damaged_blocks() {
  Bytes far = tiff_block(6, true);
  far[4] = 0xFF;  // the directory is outside of the block
  Bytes many = tiff_block(6, true);
  many[10] = many[11] = 0xFF;  // 65535 entries
  many[12 + 12 + 1] = 0x13;    // none of them the orientation
  Bytes other_order = tiff_block(6, true);
  other_order[0] = other_order[1] = 'I';
  Bytes big_tiff = tiff_block(6, false);
  big_tiff[2] = 43;
  return {{"orientation 0", tiff_block(0, true)},
          {"orientation 9", tiff_block(9, false)},
          {"orientation 0x0106", tiff_block(0x0106, true)},
          {"a BYTE", tiff_block(6, false, 1)},
          {"two values", tiff_block(6, false, 3, 2)},
          {"no byte order", Bytes(64, 'x')},
          {"directory outside", far},
          {"too many entries", many},
          {"wrong byte order", other_order},
          {"BigTIFF", big_tiff},
          {"a few bytes", {'I', 'I', 42, 0}},
          {"one byte", {'I'}}};
}

TEST(Exif, DamagedBlockLeavesThePictureAsItIs) {
  for (const auto& [what, tiff] : damaged_blocks()) {
    EXPECT_EQ(exif_orientation(tiff), 1) << what;
    for (const auto& [kind, file] : files_with(tiff)) {
      EXPECT_EQ(letters(file), kUpright[0]) << kind << ", " << what;
    }
  }
}

TEST(Exif, CutBlockIsReadUpToItsEnd) {
  for (const bool big_endian : {false, true}) {
    const Bytes whole = tiff_block(6, big_endian);
    for (size_t size = 0; size <= whole.size(); ++size) {
      // A copy of its own, so that AddressSanitizer sees the end.
      const Bytes cut(whole.begin(), whole.begin() + size);
      const bool complete = size >= 12 + 12 + 10;  // up to the value
      EXPECT_EQ(exif_orientation(cut), complete ? 6 : 1) << size;
    }
  }
}

TEST(Exif, ComesFromTheFirstExifMarkerAndFromNoOther) {
  const Bytes plain = encode_jpeg(six_pixels());
  const auto file = [&](const std::vector<Bytes>& payloads) {
    Bytes jpeg(plain.begin(), plain.begin() + 2);
    for (const Bytes& payload : payloads) {
      jpeg.insert(jpeg.end(), {0xFF, 0xE1, 0, static_cast<uint8_t>(payload.size() + 2)});
      jpeg = with_bytes(jpeg, payload);
    }
    return with_bytes(jpeg, std::span(plain).subspan(2));
  };
  const Bytes xmp = {'h', 't', 't', 'p', ':', '/', '/', 0};
  const Bytes six = exif_app1(tiff_block(6, true)), eight = exif_app1(tiff_block(8, true));
  EXPECT_EQ(letters(file({xmp, six, eight})), kUpright[5]);
  EXPECT_EQ(letters(file({xmp, eight, six})), kUpright[7]);
  EXPECT_EQ(letters(file({xmp, {}, {'E', 'x', 'i', 'f'}})), kUpright[0]);
}

}  // namespace
}  // namespace penult
