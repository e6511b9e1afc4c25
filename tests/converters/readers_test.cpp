// The readers of both containers on files that PyTorch wrote (fixtures/make_torch_fixtures.py), and
// every truncation and changed byte of them.

#include <gmock/gmock.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <numeric>

#include "converters/importer.h"
#include "converters/pytorch/formats.h"
#include "tests/support/tiny_model.h"

namespace penult::converters {
namespace {

using ::testing::ElementsAre;

const std::string kFixtures = PENULT_FIXTURES_DIR;

struct Container {
  const char* file;
  Result<StateDict> (*read)(const std::string& path, const ReadOptions& options);
};
constexpr Container kLegacy = {"torch_legacy.pt", read_pytorch_legacy};
constexpr Container kZip = {"torch_zip.pt", read_pytorch_zip};

class Readers : public ::testing::TestWithParam<Container> {
 protected:
  StateDict read() const {
    auto dict = GetParam().read(kFixtures + "/" + GetParam().file, {});
    EXPECT_TRUE(dict.ok()) << dict.status().message();
    return dict.ok() ? std::move(*dict) : StateDict{};
  }
  std::string content() const {
    std::ifstream in(kFixtures + "/" + GetParam().file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
};

std::vector<float> numbers(size_t count) {
  std::vector<float> values(count);
  std::iota(values.begin(), values.end(), 0.0f);
  return values;
}

TEST_P(Readers, TensorsOfAllKindsAreWidenedAndDense) {
  const StateDict dict = read();
  ASSERT_EQ(dict.tensors.size(), 11u);
  for (const NamedTensor& tensor : dict.tensors) {
    if (tensor.is_counter) continue;
    EXPECT_EQ(tensor.data, numbers(tensor.data.size())) << tensor.name;
    EXPECT_FALSE(tensor.data.empty()) << tensor.name;
  }
}

TEST_P(Readers, OrderNamesAndShapesAreKept) {
  const StateDict dict = read();
  std::vector<std::string> names;
  for (const NamedTensor& tensor : dict.tensors) names.push_back(tensor.name);
  EXPECT_THAT(names, ElementsAre("contiguous", "half", "bfloat16", "double", "transposed",
                                 "strided_with_offset", "shared", "shared_again", "parameter",
                                 "scalar", "num_batches_tracked"));
  EXPECT_THAT(dict.tensors[4].dims, ElementsAre(2, 3));
  EXPECT_THAT(dict.tensors[5].dims, ElementsAre(5));
  EXPECT_THAT(dict.tensors[7].dims, ElementsAre(2, 2));
  EXPECT_THAT(dict.tensors[9].dims, ElementsAre());
}

TEST_P(Readers, IntegersAreCountersWithoutData) {
  const NamedTensor counter = read().tensors.back();
  EXPECT_TRUE(counter.is_counter);
  EXPECT_TRUE(counter.data.empty());
}

TEST_P(Readers, TheFormatIsRecognisedByItsFirstBytes) {
  const std::string bytes = content();
  const std::span head(reinterpret_cast<const uint8_t*>(bytes.data()), 64);
  size_t recognised = 0;
  for (const Format& format : all_formats())
    recognised += format.recognises(head, GetParam().file) ? 1 : 0;
  EXPECT_EQ(recognised, 1u);
  EXPECT_FALSE(is_pytorch_zip(head.first(3)));
  EXPECT_FALSE(is_pytorch_legacy(head.first(14)));
}

TEST_P(Readers, NoTruncatedFileIsRead) {
  const std::string bytes = content();
  const penult::testing::TemporaryFile file("cut.pt");
  file.write(bytes);
  for (size_t size = bytes.size(); size-- > 0;) {
    file.resize(size);
    EXPECT_EQ(GetParam().read(file.path(), {}).status().code(), StatusCode::kFormatCorrupt) << size;
  }
}

// Most changes are refused. Those that are not are in bytes that mean nothing here (a type's size,
// a number of batches) or, without a checksum as in the legacy format, in a weight.
TEST_P(Readers, NoChangedByteDoesHarm) {
  const std::string bytes = content();
  const penult::testing::TemporaryFile file("changed.pt");
  file.write(bytes);
  for (size_t at = 0; at < bytes.size(); ++at) {
    for (const char byte :
         {'\0', '\xff', static_cast<char>(bytes[at] ^ 1), static_cast<char>(bytes[at] ^ 0x80)}) {
      file.patch(at, std::string(1, byte));
      const StatusCode code = GetParam().read(file.path(), {}).status().code();
      EXPECT_TRUE(code == StatusCode::kOk || code == StatusCode::kFormatCorrupt ||
                  code == StatusCode::kFormatUnsupported || code == StatusCode::kLimitExceeded ||
                  code == StatusCode::kChecksumMismatch)
          << at << ": " << status_code_name(code);
    }
    file.patch(at, bytes.substr(at, 1));
  }
}

INSTANTIATE_TEST_SUITE_P(PyTorch, Readers, ::testing::Values(kLegacy, kZip), [](const auto& suite) {
  return std::string(suite.index == 0 ? "Legacy" : "Zip");
});

}  // namespace
}  // namespace penult::converters
