// Without these repairs fuzzing would be busy with checksums, and nobody would notice.

#include "tests/fuzz/checksums.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "converters/pytorch/zip_reader.h"
#include "engine/model/file_layout.h"
#include "engine/model/loader.h"
#include "engine/model/writer.h"
#include "tests/support/tiny_model.h"

namespace penult::fuzz {
namespace {

std::vector<uint8_t> bytes_of(std::string_view text) { return {text.begin(), text.end()}; }

TEST(RepairPng, MakesTheCrcOfEachChunkRight) {
  constexpr std::string_view kGood(
      "\x89PNG\r\n\x1a\n\0\0\0\0IEND\xae\x42\x60\x82\0\0\0\0IEND\xae\x42\x60\x82", 32);
  std::vector<uint8_t> file = bytes_of(kGood);
  file[16] ^= 1;
  file[31] ^= 1;
  repair_png(file);
  EXPECT_EQ(file, bytes_of(kGood));
}

TEST(RepairPng, StopsWhereALengthLeadsOutOfTheFile) {
  std::vector<uint8_t> file =
      bytes_of(std::string_view("\x89PNG\r\n\x1a\n\xff\xff\xff\xffIHDRabcd", 20));
  const std::vector<uint8_t> before = file;
  repair_png(file);
  EXPECT_EQ(file, before);
}

TEST(ChangeZipEntry, LeavesAnArchiveWhoseEntriesCanBeRead) {
  std::ifstream in(PENULT_FIXTURES_DIR "/torch_zip.pt", std::ios::binary);
  std::vector<uint8_t> file{std::istreambuf_iterator<char>(in), {}};
  const std::vector<uint8_t> before = file;
  ASSERT_TRUE(change_zip_entry(file, 0, [](uint8_t* data, size_t) { data[0] ^= 1; }));
  EXPECT_NE(file, before);
  const auto zip = converters::ZipReader::open(file);
  ASSERT_TRUE(zip.ok()) << zip.status().message();
  for (const auto& entry : zip->entries()) {
    EXPECT_TRUE(zip->read(entry.name).ok()) << entry.name;
  }
}

TEST(RepairPenultHeader, LeavesNothingButTheGraphPartToComplainAbout) {
  const testing::TemporaryFile file("changed.penult");
  ModelData model = testing::tiny_model();
  ASSERT_TRUE(write_model(model, file.path(), Existing::kReplaced).ok());
  std::vector<uint8_t> bytes = bytes_of(file.content());
  for (const size_t at : {layout::kAtHeaderCrc, layout::kAtGraphCrc, layout::kAtFileBytes}) {
    bytes[at] ^= 1;
  }
  repair_penult_header(bytes);
  EXPECT_EQ(bytes, bytes_of(file.content()));
  bytes[layout::kHeaderBytes] = 0xff;  // the offset of the root table
  repair_penult_header(bytes);
  file.write({bytes.begin(), bytes.end()});
  EXPECT_EQ(load_model(file.path()).status().code(), StatusCode::kFormatCorrupt);
}

}  // namespace
}  // namespace penult::fuzz
