// What decode_image takes and refuses whatever the decoder; limits from the header alone.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>

#include "engine/image/image.h"
#include "tests/engine/image/test_files.h"

namespace penult {
namespace {

using namespace testing;

StatusCode code_of(const Bytes& file, const DecodeOptions& options = {}) {
  return decode_image(file, options).status().code();
}

TEST(DecodeImage, RefusesOtherKindsByName) {
  const std::pair<const char*, std::string_view> files[] = {
      {"GIF", "GIF89a...."},
      {"TIFF", std::string_view("II*\0\x08\0\0\0", 8)},
      {"TIFF", std::string_view("MM\0*\0\0\0\x08", 8)},
      {"known kind", "Dear reader, this is a text."},
      {"known kind", "P7\nWIDTH 2\nHEIGHT 2\n"},
      {"known kind", "P0\n2 2\n255\n...."},
      {"known kind", std::string_view("RIFF\x24\0\0\0WAVEfmt ", 16)},
      {"known kind", std::string_view("\0\0\0\x18"
                                      "ftypheic",
                                      12)},
      {"known kind", "?"},
  };
  for (const auto& [name, text] : files) {
    const Status status = decode_image(Bytes(text.begin(), text.end()), {}).status();
    EXPECT_EQ(status.code(), StatusCode::kImageUnsupported) << name;
    EXPECT_THAT(status.message(), ::testing::HasSubstr(name));
    EXPECT_THAT(status.message(), ::testing::HasSubstr("JPEG, PNG, WebP, BMP, PPM"));
  }
}

TEST(DecodeImage, CallsNothingAndTheStartOfASignatureDamaged) {
  EXPECT_EQ(code_of({}), StatusCode::kImageCorrupt);
  const Image image = test_picture(2, 2);
  for (const Bytes& file : {encode_jpeg(image), encode_png(image), encode_webp(image),
                            encode_bmp(image), encode_ppm(image)}) {
    for (size_t size = 1; size < 12; ++size) {
      EXPECT_EQ(code_of(Bytes(file.begin(), file.begin() + size)), StatusCode::kImageCorrupt);
    }
  }
}

// The same file, whose header says another size; the CRC of a PNG is right.
Bytes with_size(const Bytes& file, uint32_t h, uint32_t w) {
  const auto write = [](uint8_t* to, uint32_t value, int bytes, bool big_endian = true) {
    for (int i = 0; i < bytes; ++i) {
      to[i] = static_cast<uint8_t>(value >> 8 * (big_endian ? bytes - 1 - i : i));
    }
  };
  if (file[0] == 'P') {
    const std::string start = "P6 " + std::to_string(w) + " " + std::to_string(h) + " 255\n";
    return pnm_of(start, Bytes(file.begin() + start.size(), file.end()));
  }
  if (file[0] == 'B' || file[0] == 'R') {
    const bool bmp = file[0] == 'B';
    Bytes other = file;
    write(&other[bmp ? 18 : 24], bmp ? w : w - 1, bmp ? 4 : 3, false);
    write(&other[bmp ? 22 : 27], bmp ? h : h - 1, bmp ? 4 : 3, false);
    return other;
  }
  if (file[0] == 0x89) {
    std::vector<Chunk> chunks = png_chunks(file);
    write(&chunks[0].data[0], w, 4);
    write(&chunks[0].data[4], h, 4);
    return png_of(chunks);
  }
  Bytes jpeg = file;
  const size_t frame = std::min(find_marker(jpeg, 0xC0), find_marker(jpeg, 0xC2));
  write(&jpeg.at(frame + 5), h, 2);
  write(&jpeg.at(frame + 7), w, 2);
  return jpeg;
}

std::map<std::string, Bytes> small_files() {
  const Image image = test_picture(16, 24);
  return {
      {"JPEG", encode_jpeg(image)}, {"progressive JPEG", encode_jpeg(image, {.progressive = true})},
      {"PNG", encode_png(image)},   {"interlaced PNG", encode_png(image, {.interlaced = true})},
      {"WebP", encode_webp(image)}, {"BMP", encode_bmp(image)},
      {"PPM", encode_ppm(image)}};
}

long peak_kilobytes() {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

// Refused at once, with no memory taken.
void expect_refused_cheaply(const Bytes& file, const DecodeOptions& options,
                            const std::string& what) {
  const long before = peak_kilobytes();
  const auto start = std::chrono::steady_clock::now();
  const Status status = decode_image(file, options).status();
  EXPECT_EQ(status.code(), StatusCode::kLimitExceeded) << what << ": " << status.to_string();
  EXPECT_LT(peak_kilobytes() - before, 8192) << what;
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(1)) << what;
}

TEST(DecodeImage, RefusesHugePicturesByTheirHeader) {
  for (const auto& [kind, file] : small_files()) {
    expect_refused_cheaply(with_size(file, 60'000, 60'000), {}, kind);
  }
}

TEST(DecodeImage, RefusesMorePixelsThanTheFileCanHold) {
  for (const auto& [kind, file] : small_files()) {
    const auto pixels = static_cast<uint32_t>(file.size()) * 50'000;
    expect_refused_cheaply(with_size(file, 10'000, pixels / 10'000 + 6), {}, kind);
    const Status status = decode_image(with_size(file, 1'000, pixels / 20'000), {}).status();
    EXPECT_EQ(status.code(), StatusCode::kImageCorrupt) << kind << ": " << status.to_string();
  }
}

TEST(DecodeImage, LimitsEachSide) {
  EXPECT_EQ(code_of(encode_png(test_picture(1, 65'535))), StatusCode::kOk);
  EXPECT_EQ(code_of(encode_png(test_picture(1, 65'536))), StatusCode::kLimitExceeded);
  EXPECT_EQ(code_of(encode_png(test_picture(65'536, 1))), StatusCode::kLimitExceeded);
  // libjpeg's own limit is lower.
  EXPECT_EQ(code_of(with_size(encode_jpeg(test_picture(8, 8)), 8, 65'501)),
            StatusCode::kLimitExceeded);
}

TEST(DecodeImage, TakesExactlyThePixelsOfTheBudget) {
  for (const auto& [kind, file] : small_files()) {
    EXPECT_EQ(code_of(file, {.max_pixels = 16 * 24}), StatusCode::kOk) << kind;
    EXPECT_EQ(code_of(file, {.max_pixels = 16 * 24 - 1}), StatusCode::kLimitExceeded) << kind;
  }
}

TEST(DecodeImage, CallsAnEmptyPictureDamaged) {
  for (const auto& [kind, file] : small_files()) {
    if (kind == "WebP") continue;  // stores its sides less one
    EXPECT_EQ(code_of(with_size(file, 0, 24)), StatusCode::kImageCorrupt) << kind;
    EXPECT_EQ(code_of(with_size(file, 16, 0)), StatusCode::kImageCorrupt) << kind;
  }
}

TEST(DecodeImage, BoundsTheMemoryOfAProgressivePicture) {
  Bytes file = with_size(encode_jpeg(test_picture(16, 16), {.progressive = true}), 20'000, 20'000);
  file.resize(20'000);  // enough for that many pixels
  expect_refused_cheaply(file, {.max_pixels = 400'000'000}, "2.4 GB of coefficients");
}

TEST(DecodeImage, IgnoresWhatFollowsThePicture) {
  for (const auto& [kind, file] : small_files()) {
    const Result<Image> alone = decode_image(file, {});
    ASSERT_TRUE(alone.ok()) << kind;
    for (const Bytes& tail : {Bytes{0}, Bytes(100, 'x'), file}) {
      const Result<Image> image = decode_image(with_bytes(file, tail), {});
      ASSERT_TRUE(image.ok()) << kind << ": " << image.status().to_string();
      EXPECT_EQ(image->rgb, alone->rgb) << kind;
    }
  }
}

TEST(DecodeImage, CallsEveryTruncationDamaged) {
  for (const auto& [kind, file] : small_files()) {
    ASSERT_EQ(code_of(file), StatusCode::kOk) << kind;
    for (size_t size = 0; size < file.size(); ++size) {
      const Bytes cut(file.begin(), file.begin() + size);
      ASSERT_EQ(code_of(cut), StatusCode::kImageCorrupt) << kind << " cut at " << size;
    }
  }
}

TEST(LoadImage, NamesTheFile) {
  const std::string name = "penult_image_test." + std::to_string(::getpid()) + ".png";
  const std::filesystem::path path = std::filesystem::temp_directory_path() / name;
  const Bytes png = encode_png(test_picture(3, 5));
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(png.data()), static_cast<long>(png.size()) - 1);
  const Status damaged = load_image(path.string(), {}).status();
  EXPECT_EQ(damaged.code(), StatusCode::kImageCorrupt);
  EXPECT_THAT(damaged.message(), ::testing::HasSubstr(name + "\": "));
  std::filesystem::remove(path);
  EXPECT_EQ(load_image(path.string(), {}).status().code(), StatusCode::kNotFound);
}

}  // namespace
}  // namespace penult
