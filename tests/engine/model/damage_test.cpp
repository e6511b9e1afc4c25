// Every truncation and every changed byte of a small model file, in process: each load ends with a
// status or with a model that runs. Under sanitizers this is the proof that no byte of a file can
// do harm.

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <map>

#include "engine/base/digest.h"
#include "engine/model/file_layout.h"
#include "engine/model/loader.h"
#include "engine/model/writer.h"
#include "penult/extractor.h"
#include "penult/model.h"
#include "tests/support/tiny_model.h"

namespace penult {
namespace {

using testing::TemporaryFile;
using testing::tiny_model;

// {00, FF, ^01, ^80} of a byte.
std::array<char, 4> replacements(char byte) {
  return {'\0', '\xff', static_cast<char>(byte ^ 1), static_cast<char>(byte ^ 0x80)};
}

template <typename T>
void store(std::string& bytes, size_t at, T value) {
  std::memcpy(bytes.data() + at, &value, sizeof value);
}

uint32_t crc_of(const std::string& bytes, size_t begin, size_t size) {
  return crc32c({reinterpret_cast<const uint8_t*>(bytes.data()) + begin, size});
}

class Damage : public ::testing::Test {
 protected:
  void SetUp() override {
    ModelData model = tiny_model();
    ASSERT_TRUE(write_model(model, file_.path(), Existing::kReplaced).ok());
    bytes_ = file_.content();
    std::memcpy(&graph_bytes_, bytes_.data() + layout::kAtGraphBytes, sizeof graph_bytes_);
  }

  // Loads the file as it is and verifies all of it; a file that is still a model must run.
  Status try_file() {
    Result<ModelData> model = load_model(file_.path());
    if (!model.ok()) return model.status();
    const Status verified = verify_all_weights(*model);
    return verified.ok() ? run(std::move(*model)) : verified;
  }

  static Status run(ModelData data) {
    auto model = Model::from_data(std::move(data));
    if (!model.ok()) return model.status();
    ExtractorOptions options;
    options.taps = {(*model)->data().taps.back().name};
    options.input_h = options.input_w = 8;
    options.max_batch = 1;
    auto extractor = Extractor::create(*model, options);
    if (!extractor.ok()) return extractor.status();
    std::vector<float> input(3 * 8 * 8, 0.5f);
    std::vector<float> features((*extractor)->outputs()[0].elems);
    const std::array<std::span<float>, 1> spans = {features};
    return (*extractor)->run(input, 1, spans);
  }

  // With the checksums of the graph part and of the header made right again: what a file made on
  // purpose looks like.
  std::string repaired(std::string bytes) const {
    store(bytes, layout::kAtGraphCrc, crc_of(bytes, layout::kHeaderBytes, graph_bytes_));
    store(bytes, layout::kAtHeaderCrc, crc_of(bytes, 0, layout::kAtHeaderCrc));
    return bytes;
  }

  void expect_orderly(const Status& status, size_t at) {
    ++outcomes_[status.code()];
    EXPECT_NE(status.code(), StatusCode::kInternal) << "byte " << at << ": " << status.message();
    EXPECT_NE(status.code(), StatusCode::kOutOfMemory) << "byte " << at << ": " << status.message();
  }

  TemporaryFile file_{"damaged.penult"};
  std::string bytes_;
  uint64_t graph_bytes_ = 0;
  std::map<StatusCode, size_t> outcomes_;
};

TEST_F(Damage, NoTruncatedFileIsAModel) {
  for (size_t size = bytes_.size(); size-- > 0;) {
    file_.resize(size);
    EXPECT_EQ(try_file().code(), StatusCode::kFormatCorrupt) << size;
  }
}

TEST_F(Damage, NoChangedByteGoesUnnoticed) {
  for (size_t at = 0; at < bytes_.size(); ++at) {
    for (const char byte : replacements(bytes_[at])) {
      if (byte == bytes_[at]) continue;
      file_.patch(at, std::string(1, byte));
      const Status status = try_file();
      EXPECT_FALSE(status.ok()) << at;
      expect_orderly(status, at);
    }
    file_.patch(at, bytes_.substr(at, 1));
  }
  EXPECT_GT(outcomes_[StatusCode::kChecksumMismatch], bytes_.size());
}

TEST_F(Damage, NoByteOfAForgedGraphDoesHarm) {
  for (size_t at = 0; at < layout::kHeaderBytes + graph_bytes_; ++at) {
    for (const char byte : replacements(bytes_[at])) {
      std::string forged = bytes_;
      forged[at] = byte;
      forged = repaired(std::move(forged));
      // In place: some file systems write a file to disk when it was emptied and filled again.
      file_.patch(0, forged.substr(0, layout::kHeaderBytes));
      file_.patch(at, forged.substr(at, 1));
      expect_orderly(try_file(), at);
    }
    file_.patch(at, bytes_.substr(at, 1));
  }
  // Checksums no longer stop anything, so the rules behind them do.
  EXPECT_GT(outcomes_[StatusCode::kFormatCorrupt], 100u);
  EXPECT_GT(outcomes_[StatusCode::kModelInvalid], 100u);
  EXPECT_GT(outcomes_[StatusCode::kOk], 0u);
}

}  // namespace
}  // namespace penult
