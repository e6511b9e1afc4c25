#include <gtest/gtest.h>

#include <algorithm>

#include "engine/image/image.h"
#include "tests/engine/image/test_files.h"

namespace penult {
namespace {

using namespace testing;

StatusCode code_of(const Bytes& file) { return decode_image(file, {}).status().code(); }

TEST(Png, RgbIsReadAsItIs) {
  for (const bool interlaced : {false, true}) {
    for (const int64_t h : {1, 2, 5, 33}) {
      for (const int64_t w : {1, 3, 8, 47}) {
        const Image image = test_picture(h, w);
        const Result<Image> decoded =
            decode_image(encode_png(image, {.interlaced = interlaced}), {});
        ASSERT_TRUE(decoded.ok()) << decoded.status().to_string();
        EXPECT_EQ(decoded->h, h);
        EXPECT_EQ(decoded->w, w);
        EXPECT_EQ(decoded->rgb, image.rgb) << w << "x" << h << (interlaced ? " interlaced" : "");
      }
    }
  }
}

TEST(Png, GreyIsRepeatedInEachChannel) {
  const Bytes samples = {0, 1, 80, 127, 254, 255};
  const Result<Image> image = decode_image(encode_png(2, 3, samples, {.color_type = 0}), {});
  ASSERT_TRUE(image.ok());
  for (size_t i = 0; i < 3 * samples.size(); ++i) EXPECT_EQ(image->rgb[i], samples[i / 3]);
}

// Whatever bit is flipped, wherever. What the header says is judged before its CRC is, and the
// length of a chunk before it is known to be beyond the file's end.
TEST(Png, WithAFlippedBitIsNeverRead) {
  Bytes file = with_chunk(encode_png(test_picture(6, 5)), {"eXIf", tiff_block(6, true)});
  file = with_chunk(file, {"gAMA", {0, 0, 0xB1, 0x8F}});
  file = with_chunk(file, {"abCd", {1, 2, 3}});
  file = with_chunk(file, {"tEXt", {'a', 0, 'b'}}, "IEND");
  ASSERT_EQ(code_of(file), StatusCode::kOk);
  constexpr size_t kSignature = 8, kHeader = 25;
  size_t at = kSignature + kHeader;
  Bytes kinds(file.size(), 0);  // 1: type, data or CRC of a chunk behind the header
  for (const Chunk& chunk : png_chunks(file)) {
    if (chunk.type == "IHDR") continue;
    std::fill_n(&kinds[at + 4], 4 + chunk.data.size() + 4, uint8_t{1});
    at += 12 + chunk.data.size();
  }
  ASSERT_EQ(at, file.size());
  for (size_t i = 0; i < file.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      Bytes damaged = file;
      damaged[i] = static_cast<uint8_t>(damaged[i] ^ (1 << bit));
      const StatusCode code = code_of(damaged);
      EXPECT_NE(code, StatusCode::kOk) << "byte " << i << " bit " << bit;
      if (kinds[i] == 1) {
        EXPECT_EQ(code, StatusCode::kImageCorrupt) << "byte " << i << " bit " << bit;
      }
    }
  }
}

// CRCs are right, what is in the chunks is not.
TEST(Png, WithPixelsMissingOrDamagedIsNeverRead) {
  const std::vector<Chunk> chunks = png_chunks(encode_png(test_picture(20, 20)));
  ASSERT_EQ(chunks.size(), 3u);
  const Bytes& pixels = chunks[1].data;
  for (const size_t size :
       {size_t{0}, size_t{1}, size_t{2}, pixels.size() / 2, pixels.size() - 9}) {
    const Chunk cut{"IDAT", Bytes(pixels.begin(), pixels.begin() + size)};
    EXPECT_EQ(code_of(png_of({chunks[0], cut, chunks[2]})), StatusCode::kImageCorrupt) << size;
  }
  EXPECT_EQ(code_of(png_of({chunks[0], chunks[2]})), StatusCode::kImageCorrupt);
  EXPECT_EQ(code_of(png_of({chunks[0], chunks[1]})), StatusCode::kImageCorrupt);
  Chunk wrong = chunks[1];
  wrong.data[0] = 0;  // no zlib stream
  EXPECT_EQ(code_of(png_of({chunks[0], wrong, chunks[2]})), StatusCode::kImageCorrupt);
}

TEST(Png, InManyPiecesIsRead) {
  const Image image = test_picture(20, 20);
  const std::vector<Chunk> chunks = png_chunks(encode_png(image));
  std::vector<Chunk> pieces = {chunks[0]};
  for (const uint8_t byte : chunks[1].data) pieces.push_back({"IDAT", {byte}});
  pieces.push_back(chunks[2]);
  const Result<Image> decoded = decode_image(png_of(pieces), {});
  ASSERT_TRUE(decoded.ok()) << decoded.status().to_string();
  EXPECT_EQ(decoded->rgb, image.rgb);
}

// Gamma, colour profiles, texts and animation change no pixel; damaged ones do not matter.
TEST(Png, WhatIsBesidesThePixelsIsIgnored) {
  const Image image = test_picture(5, 5);
  const Bytes plain = encode_png(image);
  const Chunk extras[] = {{"gAMA", {0, 1, 0x86, 0xA0}},
                          {"gAMA", {0, 0, 0, 0}},
                          {"sRGB", {9}},
                          {"sBIT", {5, 6, 5}},
                          {"iCCP", {'x', 0, 0, 1, 2, 3}},
                          {"tEXt", {'x'}},
                          {"acTL", {0, 0, 0, 2, 0, 0, 0, 0}},
                          {"abCd", Bytes(1000, 7)}};
  for (const Chunk& extra : extras) {
    const Result<Image> decoded = decode_image(with_chunk(plain, extra), {});
    ASSERT_TRUE(decoded.ok()) << extra.type << ": " << decoded.status().to_string();
    EXPECT_EQ(decoded->rgb, image.rgb) << extra.type;
  }
}

TEST(Png, BoundsWhatACompressedProfileUnpacksTo) {
  const Bytes large = encode_png_with_profile(size_t{80} << 20);
  EXPECT_LT(large.size(), 200'000u);
  EXPECT_EQ(code_of(large), StatusCode::kLimitExceeded);
  EXPECT_EQ(code_of(encode_png_with_profile(size_t{8} << 20)), StatusCode::kOk);
}

}  // namespace
}  // namespace penult
