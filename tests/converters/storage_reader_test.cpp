#include "converters/pytorch/storage_reader.h"

#include <gmock/gmock.h>

#include "engine/base/digest.h"
#include "tests/support/tiny_model.h"

namespace penult::converters {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// A file of the bytes 0 to 9.
class StorageReaderTest : public ::testing::Test {
 protected:
  StorageReaderTest() : file_("file.pt") {
    std::string bytes;
    for (char byte = 0; byte < 10; ++byte) bytes += byte;
    file_.write(bytes);
  }
  StorageReader open() {
    auto reader = StorageReader::open(file_.path());
    EXPECT_TRUE(reader.ok()) << reader.status().message();
    return std::move(*reader);
  }
  penult::testing::TemporaryFile file_;
};

TEST_F(StorageReaderTest, ReadsTheFileAndPlacesInIt) {
  StorageReader reader = open();
  EXPECT_EQ(reader.file_bytes(), 10u);
  const auto all = reader.read_all();
  ASSERT_TRUE(all.ok());
  EXPECT_EQ(all->size(), 10u);
  const auto part = reader.read("0", {3, 2, {}});
  ASSERT_TRUE(part.ok());
  EXPECT_THAT(*part, ElementsAre(3, 4));
  const auto none = reader.read("1", {3, 0, {}});
  ASSERT_TRUE(none.ok());
  EXPECT_TRUE(none->empty());
}

TEST_F(StorageReaderTest, ComparesTheChecksum) {
  StorageReader reader = open();
  const std::vector<uint8_t> expected = {3, 4};
  EXPECT_TRUE(reader.read("0", {3, 2, crc32(expected)}).ok());
  for (int i = 0; i < 2; ++i) {  // also when it is asked again
    const Status status = reader.read("key", {4, 2, crc32(expected)}).status();
    EXPECT_EQ(status.code(), StatusCode::kChecksumMismatch);
    EXPECT_THAT(status.message(), HasSubstr("storage \"key\""));
  }
}

TEST_F(StorageReaderTest, ReadsOnceWhatIsAskedForAgain) {
  StorageReader reader = open();
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(reader.read("0", {0, 10, {}}).ok());
}

TEST_F(StorageReaderTest, ReadsAtMostFourTimesTheFile) {
  StorageReader reader = open();
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(reader.read("a", {uint64_t(i % 2), 9, {}}).ok());
  EXPECT_TRUE(reader.read("b", {0, 7, {}}).ok());
  const Status status = reader.read("c", {1, 9, {}}).status();
  EXPECT_EQ(status.code(), StatusCode::kLimitExceeded);
  EXPECT_THAT(status.message(), HasSubstr("storage \"c\""));
}

TEST_F(StorageReaderTest, AFileThatBecomesShorterIsAnError) {
  StorageReader reader = open();
  file_.resize(5);
  EXPECT_EQ(reader.read("0", {3, 4, {}}).status().code(), StatusCode::kIo);
  EXPECT_EQ(reader.read_all().status().code(), StatusCode::kIo);
}

}  // namespace
}  // namespace penult::converters
