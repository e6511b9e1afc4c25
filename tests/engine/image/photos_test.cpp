// The sample photos, from the bytes of the file on, as Pillow and torchvision have them. Skipped
// where PENULT_ASSETS does not name the folder of tools/fetch_assets.sh.

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "engine/base/digest.h"
#include "engine/base/file.h"
#include "engine/image/image.h"

namespace penult {
namespace {

class Photos : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* assets = std::getenv("PENULT_ASSETS");
    folder_ = std::filesystem::path(assets != nullptr ? assets : "") / "photos";
    if (assets != nullptr && std::filesystem::is_directory(folder_)) return;
    const char* required = std::getenv("PENULT_REQUIRE_ASSETS");
    ASSERT_FALSE(required != nullptr && std::string(required) == "1") << "no folder " << folder_;
    GTEST_SKIP() << "PENULT_ASSETS names no folder with photos";
  }

  // The lines of the golden that begin with this word, without it.
  static std::vector<std::string> golden(const std::string& word) {
    std::ifstream file(PENULT_GOLDEN_DIR "/pillow_photos.txt");
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);) {
      if (line.starts_with(word + " ")) lines.push_back(line.substr(word.size() + 1));
    }
    return lines;
  }

  Image load(const std::string& name) const {
    const Result<Image> image = load_image((folder_ / name).string(), {});
    EXPECT_TRUE(image.ok()) << image.status().to_string();
    return image.ok() ? *image : Image{};
  }

  static std::string sha256(const std::vector<uint8_t>& bytes) {
    Sha256 digest;
    digest.update(bytes);
    return digest.hex_digest();
  }

  std::filesystem::path folder_;
};

TEST_F(Photos, DecodeAsInPillow) {
  const std::vector<std::string> lines = golden("decode");
  EXPECT_EQ(lines.size(), 9u);
  for (const std::string& line : lines) {
    std::istringstream words(line);
    std::string name, digest;
    int64_t h = 0, w = 0;
    ASSERT_TRUE(words >> name >> h >> w >> digest) << line;
    const Image image = load(name);
    EXPECT_EQ(image.h, h) << name;
    EXPECT_EQ(image.w, w) << name;
    EXPECT_EQ(sha256(image.rgb), digest) << name;
  }
}

TEST_F(Photos, AreResizedAndCroppedAsInTorchvision) {
  const std::vector<std::string> lines = golden("crop");
  EXPECT_EQ(lines.size(), 18u);
  for (const std::string& line : lines) {
    std::istringstream words(line);
    std::string name, filter, digest;
    int64_t h = 0, w = 0;
    ASSERT_TRUE(words >> name >> filter >> h >> w >> digest) << line;
    Preprocess preprocess;
    preprocess.filter =
        filter == "bicubic" ? Preprocess::Filter::kBicubic : Preprocess::Filter::kBilinear;
    const Result<Image> crop = resize_and_crop(load(name), preprocess);
    ASSERT_TRUE(crop.ok()) << crop.status().to_string();
    EXPECT_EQ(sha256(crop->rgb), digest) << name << " " << filter << " " << w << "x" << h;
  }
}

TEST_F(Photos, CutAtAnyPercentAreDamaged) {
  for (const char* name : {"camera.png", "rocket.jpg"}) {
    const Result<std::vector<uint8_t>> file = read_file((folder_ / name).string(), 1 << 20);
    ASSERT_TRUE(file.ok());
    for (size_t percent = 1; percent < 100; ++percent) {
      const std::span cut = std::span(*file).first(file->size() * percent / 100);
      EXPECT_EQ(decode_image(cut, {}).status().code(), StatusCode::kImageCorrupt)
          << name << " " << percent << " %";
    }
  }
}

}  // namespace
}  // namespace penult
