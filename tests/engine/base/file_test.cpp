#include "engine/base/file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace penult {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class FileTest : public testing::Test {
 protected:
  FileTest() {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    folder_ = fs::path(testing::TempDir()) / (std::string("penult_file_") + test->name());
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  ~FileTest() override { fs::remove_all(folder_); }

  std::string at(const std::string& name) const { return (folder_ / name).string(); }
  void put(const std::string& name, const std::string& text) { std::ofstream(at(name)) << text; }
  std::string get(const std::string& name) const {
    std::ifstream in(at(name));
    return {std::istreambuf_iterator<char>(in), {}};
  }
  size_t entries() const {
    return static_cast<size_t>(std::distance(fs::directory_iterator(folder_), {}));
  }

  fs::path folder_;
};

using InputFileTest = FileTest;
using AtomicFileTest = FileTest;

TEST_F(InputFileTest, ReadsAnyPartOfAFile) {
  put("f", "0123456789");
  const auto file = InputFile::open(at("f"));
  ASSERT_TRUE(file.ok()) << file.status().message();
  EXPECT_EQ(file->size(), 10u);
  std::vector<uint8_t> part(4);
  ASSERT_TRUE(file->read_at(5, part).ok());
  EXPECT_EQ(std::string(part.begin(), part.end()), "5678");
}

TEST_F(InputFileTest, ReportsAFileThatBecameShorter) {
  put("f", "0123456789");
  const auto file = InputFile::open(at("f"));
  ASSERT_TRUE(file.ok());
  fs::resize_file(at("f"), 6);
  std::vector<uint8_t> part(4);
  const Status status = file->read_at(5, part);
  EXPECT_EQ(status.code(), StatusCode::kIo);
  EXPECT_THAT(status.message(), HasSubstr("truncated while in use"));
  EXPECT_EQ(file->read_at(~uint64_t{0}, part).code(), StatusCode::kIo);
  EXPECT_TRUE(file->read_at(0, part).ok());
}

TEST_F(InputFileTest, RefusesWhatIsNoRegularFileWithoutHanging) {
  ASSERT_EQ(mkfifo(at("pipe").c_str(), 0600), 0);
  EXPECT_EQ(InputFile::open(at("pipe")).status().code(), StatusCode::kIo);
  const Status folder = InputFile::open(folder_.string()).status();
  EXPECT_EQ(folder.code(), StatusCode::kIo);
  EXPECT_THAT(folder.message(), HasSubstr("got a folder"));
  EXPECT_EQ(InputFile::open("/dev/null").status().code(), StatusCode::kIo);
}

TEST_F(InputFileTest, NamesAMissingFileOnOneLine) {
  const Status status = InputFile::open(at("no\nsuch")).status();
  EXPECT_EQ(status.code(), StatusCode::kNotFound);
  EXPECT_THAT(status.message(), HasSubstr("no\\x0asuch"));
  EXPECT_EQ(InputFile::open(std::string("a\0b", 3)).status().code(), StatusCode::kNotFound);
  put("plain", "");
  EXPECT_EQ(InputFile::open(at("plain/below")).status().code(), StatusCode::kNotFound);
}

TEST_F(InputFileTest, MovesItsDescriptorInsteadOfClosingIt) {
  put("a", "aaa");
  put("b", "bbbb");
  auto a = InputFile::open(at("a"));
  auto b = InputFile::open(at("b"));
  ASSERT_TRUE(a.ok() && b.ok());
  InputFile moved(std::move(*a));
  moved = std::move(*b);
  std::vector<uint8_t> all(4);
  EXPECT_TRUE(moved.read_at(0, all).ok());
  EXPECT_EQ(moved.path(), at("b"));
}

TEST_F(InputFileTest, WholeFilesHaveALimit) {
  put("f", "0123456789");
  EXPECT_EQ(read_file(at("f"), 10)->size(), 10u);
  EXPECT_EQ(read_file(at("f"), 9).status().code(), StatusCode::kLimitExceeded);
  EXPECT_EQ(read_file(at("g"), 9).status().code(), StatusCode::kNotFound);
}

TEST_F(InputFileTest, HashesFilesLargerThanOneChunk) {
  put("abc", "abc");
  EXPECT_EQ(*sha256_of_file(at("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  put("million", std::string(1000000, 'a'));
  EXPECT_EQ(*sha256_of_file(at("million")),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  EXPECT_EQ(sha256_of_file(at("none")).status().code(), StatusCode::kNotFound);
}

TEST_F(AtomicFileTest, AppearsOnlyWhenCommitted) {
  put("out", "old");
  auto file = AtomicFile::create(at("out"), Existing::kReplaced);
  ASSERT_TRUE(file.ok()) << file.status().message();
  ASSERT_TRUE(file->write("new text", 8).ok());
  EXPECT_EQ(get("out"), "old");
  EXPECT_TRUE(fs::exists(file->temporary_path()));
  EXPECT_EQ(fs::path(file->temporary_path()).parent_path(), folder_);
  ASSERT_TRUE(file->commit().ok());
  EXPECT_EQ(get("out"), "new text");
  EXPECT_EQ(entries(), 1u);
}

TEST_F(AtomicFileTest, LeavesNothingBehindWithoutCommit) {
  {
    auto file = AtomicFile::create(at("out"), Existing::kReplaced);
    ASSERT_TRUE(file.ok());
    AtomicFile moved(std::move(*file));
    ASSERT_TRUE(moved.write("text", 4).ok());
  }
  EXPECT_EQ(entries(), 0u);
}

TEST_F(AtomicFileTest, RemovesItsTemporaryFileWhenTheRenameFails) {
  {
    auto file = AtomicFile::create(at("out"), Existing::kReplaced);
    ASSERT_TRUE(file.ok());
    fs::create_directories(at("out/in the way"));
    EXPECT_EQ(file->commit().code(), StatusCode::kIo);
  }
  EXPECT_EQ(entries(), 1u);
}

TEST_F(AtomicFileTest, TwoWritersOfOneNameDoNotMeet) {
  auto a = AtomicFile::create(at("out"), Existing::kReplaced);
  auto b = AtomicFile::create(at("out"), Existing::kReplaced);
  ASSERT_TRUE(a.ok() && b.ok());
  EXPECT_NE(a->temporary_path(), b->temporary_path());
}

TEST_F(AtomicFileTest, KeepsAFileThatCameMeanwhileWhereThatIsWanted) {
  {
    auto file = AtomicFile::create(at("out"), Existing::kKept);
    ASSERT_TRUE(file.ok()) << file.status().message();
    ASSERT_TRUE(file->write("mine", 4).ok());
    put("out", "theirs");
    const Status status = file->commit();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
    EXPECT_THAT(status.message(), HasSubstr("is to be kept"));
  }
  EXPECT_EQ(get("out"), "theirs");
  EXPECT_EQ(entries(), 1u);
  const Status again = AtomicFile::create(at("out"), Existing::kKept).status();
  EXPECT_EQ(again.code(), StatusCode::kInvalidArgument);
}

TEST_F(AtomicFileTest, TakesAFreeNameThoughAnExistingFileIsToBeKept) {
  auto file = AtomicFile::create(at("out"), Existing::kKept);
  ASSERT_TRUE(file.ok()) << file.status().message();
  ASSERT_TRUE(file->write("mine", 4).ok());
  ASSERT_TRUE(file->commit().ok());
  EXPECT_EQ(get("out"), "mine");
  EXPECT_EQ(entries(), 1u);
}

TEST_F(AtomicFileTest, RefusesFoldersDevicesAndMissingFolders) {
  EXPECT_EQ(AtomicFile::create(folder_.string(), Existing::kReplaced).status().code(),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(AtomicFile::create("/dev/null", Existing::kReplaced).status().code(),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(AtomicFile::create("", Existing::kReplaced).status().code(),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(AtomicFile::create(at("no/out"), Existing::kReplaced).status().code(),
            StatusCode::kNotFound);
}

TEST_F(AtomicFileTest, TakesANameAsLongAsTheFileSystemAllows) {
  const std::string name(255, 'n');
  auto file = AtomicFile::create(at(name), Existing::kReplaced);
  ASSERT_TRUE(file.ok()) << file.status().message();
  EXPECT_TRUE(file->commit().ok());
  EXPECT_TRUE(fs::exists(at(name)));
}

TEST_F(AtomicFileTest, ReplacesBytesInTheMiddleAndGoesOnAtTheEnd) {
  auto file = AtomicFile::create(at("out"), Existing::kReplaced);
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE(file->write("0123456789", 10).ok());
  const uint8_t patch[] = {'a', 'b'};
  ASSERT_TRUE(file->write_at(3, patch).ok());
  ASSERT_TRUE(file->write("X", 1).ok());
  ASSERT_TRUE(file->commit().ok());
  EXPECT_EQ(get("out"), "012ab56789X");
}

TEST_F(AtomicFileTest, IsCompleteOnceSealedAndHasItsNameOnceCommitted) {
  auto file = AtomicFile::create(at("out"), Existing::kReplaced);
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE(file->write("text", 4).ok());
  ASSERT_TRUE(file->seal().ok());
  EXPECT_FALSE(fs::exists(at("out")));
  ASSERT_TRUE(file->commit().ok());
  EXPECT_EQ(get("out"), "text");
}

class SpoolFileTest : public FileTest {
 protected:
  void expect_no_name_and_its_bytes(Result<SpoolFile> spool) {
    ASSERT_TRUE(spool.ok()) << spool.status().message();
    ASSERT_TRUE(spool->write("0123456789", 10).ok());
    const uint8_t patch[] = {'a'};
    ASSERT_TRUE(spool->write_at(0, patch).ok());
    EXPECT_EQ(entries(), 0u);
    const Result<int> fd = spool->release();
    ASSERT_TRUE(fd.ok()) << fd.status().message();
    char text[16] = {};
    EXPECT_EQ(::read(*fd, text, sizeof text), 10);
    EXPECT_STREQ(text, "a123456789");
    ::close(*fd);
  }
};

TEST_F(SpoolFileTest, HasNoNameAndGivesItsBytesBack) {
  expect_no_name_and_its_bytes(SpoolFile::create(at("out")));
}

TEST_F(SpoolFileTest, NeedsNoSupportOfTheFileSystem) {
  expect_no_name_and_its_bytes(SpoolFile::create_unlinked(at("out")));
}

TEST_F(SpoolFileTest, SaysThatThereIsNoSuchFolder) {
  EXPECT_EQ(SpoolFile::create(at("no/out")).status().code(), StatusCode::kNotFound);
}

TEST(ErrnoStatus, SeparatesAFullDiskFromOtherErrors) {
  const auto code = [](int error) {
    errno = error;
    return errno_status("cannot write", "f").code();
  };
  EXPECT_EQ(code(ENOSPC), StatusCode::kNoSpace);
  EXPECT_EQ(code(EDQUOT), StatusCode::kNoSpace);
  EXPECT_EQ(code(EFBIG), StatusCode::kNoSpace);
  EXPECT_EQ(code(ENOENT), StatusCode::kNotFound);
  EXPECT_EQ(code(EACCES), StatusCode::kIo);
}

}  // namespace
}  // namespace penult
