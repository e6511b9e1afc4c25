// safetensors: a file of the Python library (fixtures/make_torch_fixtures.py), every truncation and
// changed byte of it, and headers made by hand.

#include <gmock/gmock.h>

#include <fstream>

#include "converters/safetensors/formats.h"
#include "converters/safetensors/header.h"
#include "engine/base/text.h"
#include "tests/support/tiny_model.h"

namespace penult::converters {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using namespace std::string_literals;

const std::string kFixture = PENULT_FIXTURES_DIR "/torch.safetensors";

std::string fixture() {
  std::ifstream in(kFixture, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string length_of(uint64_t bytes) {
  std::string length;
  for (int i = 0; i < 8; ++i) length += static_cast<char>(bytes >> (8 * i) & 255);
  return length;
}

Result<StateDict> read_bytes(const std::string& bytes, const std::string& name = "a.safetensors") {
  const penult::testing::TemporaryFile file(name);
  file.write(bytes);
  return read_safetensors(file.path());
}

Result<StateDict> read(const std::string& header, const std::string& data) {
  return read_bytes(length_of(header.size()) + header + data);
}

std::string entry(const std::string& name, const std::string& dtype, const std::string& shape,
                  const std::string& offsets) {
  return concat("\"", name, "\":{\"dtype\":\"", dtype, "\",\"shape\":[", shape,
                "],\"data_offsets\":[", offsets, "]}");
}

Result<std::vector<TensorEntry>> header(const std::string& json) {
  return read_header({reinterpret_cast<const uint8_t*>(json.data()), json.size()});
}

void expect_refused(const Status& status, StatusCode code, const std::string& words) {
  EXPECT_EQ(status.code(), code) << status.message();
  EXPECT_THAT(status.message(), HasSubstr(words));
}

TEST(Safetensors, TensorsOfAllKindsAreWidened) {
  const auto weights = read_safetensors(kFixture);
  ASSERT_TRUE(weights.ok()) << weights.status().message();
  EXPECT_EQ(weights->format, "safetensors");
  std::vector<std::string> names;
  for (const NamedTensor& tensor : weights->tensors) {
    names.push_back(tensor.name);
    for (size_t i = 0; i < tensor.data.size(); ++i) {
      EXPECT_EQ(tensor.data[i], static_cast<float>(i)) << tensor.name;
    }
    EXPECT_EQ(tensor.data.empty(), tensor.is_counter) << tensor.name;
  }
  EXPECT_THAT(names, ElementsAre("num_batches_tracked", "double", "contiguous", "parameter",
                                 "scalar", "shared", "shared_again", "strided_with_offset",
                                 "transposed", "bfloat16", "half"));
  EXPECT_TRUE(weights->tensors[0].is_counter);
  EXPECT_THAT(weights->tensors[2].dims, ElementsAre(2, 3));
  EXPECT_THAT(weights->tensors[4].dims, ElementsAre());
  EXPECT_EQ(weights->tensors[10].data.size(), 6u);
}

TEST(Safetensors, AreRecognisedByTheirFirstBytesOrTheirName) {
  const std::string bytes = fixture();
  const std::span head(reinterpret_cast<const uint8_t*>(bytes.data()), 64);
  EXPECT_TRUE(is_safetensors(head, ""));
  EXPECT_FALSE(is_safetensors(head.first(8), ""));
  EXPECT_FALSE(is_safetensors(head.subspan(1), ""));
  EXPECT_TRUE(is_safetensors({}, "dir/model.safetensors"));
  EXPECT_TRUE(is_safetensors({}, "dir/model.safetensors.index.json"));
  EXPECT_FALSE(is_safetensors({}, "model.json"));
  std::vector<uint8_t> long_header(head.begin(), head.end());
  long_header[4] = 1;
  EXPECT_FALSE(is_safetensors(long_header, ""));
}

TEST(Safetensors, NoTruncatedFileIsRead) {
  const std::string bytes = fixture();
  const penult::testing::TemporaryFile file("cut.safetensors");
  file.write(bytes);
  for (size_t size = bytes.size(); size-- > 0;) {
    file.resize(size);
    EXPECT_EQ(read_safetensors(file.path()).status().code(), StatusCode::kFormatCorrupt) << size;
  }
}

// A changed letter of a name gives another name: there is no checksum.
TEST(Safetensors, AreReadOrRefusedWhicheverByteIsChanged) {
  const std::string bytes = fixture();
  const penult::testing::TemporaryFile file("changed.safetensors");
  file.write(bytes);
  for (size_t at = 0; at < bytes.size(); ++at) {
    for (const char byte :
         {'\0', '\xff', static_cast<char>(bytes[at] ^ 1), static_cast<char>(bytes[at] ^ 0x80)}) {
      file.patch(at, std::string(1, byte));
      const StatusCode code = read_safetensors(file.path()).status().code();
      EXPECT_TRUE(code == StatusCode::kOk || code == StatusCode::kFormatCorrupt ||
                  code == StatusCode::kFormatUnsupported)
          << at << ": " << status_code_name(code);
    }
    file.patch(at, bytes.substr(at, 1));
  }
}

TEST(Safetensors, PrefixesOfWrappersGo) {
  const auto weights = read("{" + entry("module.a", "F32", "1", "0,4") + "}", std::string(4, '\0'));
  ASSERT_TRUE(weights.ok()) << weights.status().message();
  EXPECT_EQ(weights->tensors[0].name, "a");
  EXPECT_EQ(weights->format, "safetensors, names without \"module.\"");
}

TEST(Safetensors, NumbersBehindTheFirstMegabyteAreRead) {
  const size_t count = (size_t{3} << 19) + 1;  // of two bytes: three chunks and one more
  std::string data(2 * count, '\0');
  data[2 * count - 1] = 0x3c;  // one
  const auto weights = read(
      "{" + entry("a", "F16", std::to_string(count), "0," + std::to_string(2 * count)) + "}", data);
  ASSERT_TRUE(weights.ok()) << weights.status().message();
  ASSERT_EQ(weights->tensors[0].data.size(), count);
  EXPECT_EQ(weights->tensors[0].data[count - 2], 0.0f);
  EXPECT_EQ(weights->tensors[0].data[count - 1], 1.0f);
}

TEST(Safetensors, AnIndexOfSeveralFilesIsRefusedWithAWayOut) {
  expect_refused(read_bytes("{}", "m.safetensors.index.json").status(),
                 StatusCode::kFormatUnsupported, "save_file({**load_file(A)");
}

TEST(Safetensors, SizesOfFileAndHeaderMustFit) {
  const auto corrupt = StatusCode::kFormatCorrupt;
  expect_refused(read_bytes("").status(), corrupt, "ends before the length");
  expect_refused(read_bytes(length_of(3) + "{}").status(), corrupt, "ask for a header of 3 bytes");
  expect_refused(read_bytes(length_of(~uint64_t{0}) + "{}").status(), corrupt,
                 "ask for a header of 18446744073709551615 bytes");
  expect_refused(read_bytes(length_of((16 << 20) + 1) + std::string((16 << 20) + 1, ' ')).status(),
                 StatusCode::kLimitExceeded, "expected at most 16777216");
  expect_refused(read("{}", "").status(), corrupt, "no tensors");
}

TEST(SafetensorsHeader, TilesTheDataInAnyOrder) {
  const auto weights =
      read("{" + entry("b", "U8", "0", "2,2") + "," + entry("a", "U16", "1,1", "2,4") + "," +
               entry("c", "I8", "2", "0,2") + "}   ",
           "1234");
  ASSERT_TRUE(weights.ok()) << weights.status().message();
  EXPECT_EQ(weights->tensors.size(), 3u);
}

TEST(SafetensorsHeader, RangesMustHaveTheSizeOfTheShapeAndLeaveNothingOut) {
  const auto corrupt = StatusCode::kFormatCorrupt;
  const auto refused = [&](const std::string& entries, const std::string& words) {
    expect_refused(read("{" + entries + "}", std::string(8, '\0')).status(), corrupt, words);
  };
  refused(entry("a", "F32", "1", "0,8"), "which is not its size");
  refused(entry("a", "F32", "2", "8,0"), "which is not its size");
  refused(entry("a", "F32", "3", "0,12"), "the tensors end at byte 12 of the data");
  refused(entry("a", "F32", "1", "0,4"), "the tensors end at byte 4 of the data");
  refused(entry("a", "F32", "1", "4,8"), "starts at byte 4 of the data, expected 0");
  refused(entry("a", "F32", "2", "0,8") + "," + entry("b", "F32", "1", "4,8"), "expected 8");
  refused(entry("a", "F32", "2", "0,8") + "," + entry("b", "F32", "2", "0,8"), "expected 8");
  refused(entry("a", "F32", "2", "0,8") + "," + entry("b", "F32", "0", "4,4"), "expected 8");
  refused(entry("a", "F32", "4611686018427387904,4", "0,0"), "which is not its size");
  refused(entry("a", "F64", "2305843009213693952", "0,0"), "which is not its size");
}

TEST(SafetensorsHeader, HoldsNamesTypesShapesAndRangesOnly) {
  const auto corrupt = StatusCode::kFormatCorrupt;
  const std::string a = entry("a", "F32", "1", "0,4"), rest = R"("shape":[1],"data_offsets":[0,4])";
  for (const auto& [json, words] : std::initializer_list<std::pair<std::string, const char*>>{
           {"", "does not start with"},
           {" {}", "does not start with"},
           {"[]", "does not start with"},
           {"\xef\xbb\xbf{}", "does not start with"},
           {"{}\0"s, "zero byte"},
           {"{}{}", "no JSON at its byte 3"},
           {"{" + a, "no JSON"},
           {"{" + a + ",}", "no JSON"},
           {"{\"a\xff\":1}", "no JSON"},
           {"{/**/}", "no JSON"},
           {"{" + a + "," + a + "}", "tensor \"a\" occurs twice"},
           {"{\"a\":1}", "tensor \"a\" has a number"},
           {"{\"a\":null}", "has null"},
           {"{\"a\":[]}", "has a list"},
           {"{\"a\":\"x\"}", "has text"},
           {"{\"a\":{}}", "has no \"dtype\""},
           {"{\"a\":{" + rest + "}}", "has no \"dtype\""},
           {R"({"a":{"dtype":"F32","data_offsets":[0,4]}})", "has no \"shape\""},
           {R"({"a":{"dtype":"F32","shape":[1]}})", "has no \"data_offsets\""},
           {R"({"a":{"dtype":1}})", "has a number as \"dtype\""},
           {R"({"a":{"dtype":["F32"]}})", "has a list as \"dtype\""},
           {R"({"a":{"shape":"1"}})", "has text as \"shape\""},
           {R"({"a":{"shape":{}}})", "has an object as \"shape\""},
           {R"({"a":{"shape":[[1]]}})", "has a list"},
           {R"({"a":{"shape":["1"]}})", "has text"},
           {R"({"a":{"shape":[-1]}})", "has a number below 0"},
           {R"({"a":{"shape":[1.0]}})", "not whole"},
           {R"({"a":{"shape":[18446744073709551616]}})", "not whole"},
           {R"({"a":{"shape":[9223372036854775808]}})", "has the number 9223372036854775808"},
           {R"({"a":{"shape":[true]}})", "a truth value"},
           {R"({"a":{"data_offsets":[0]}})", "not two numbers"},
           {R"({"a":{"data_offsets":[0,1,2]}})", "not two numbers"},
           {R"({"a":{"dtype":"F32","dtype":"F32"}})", "has \"dtype\" twice"},
           {R"({"a":{"stride":[1]}})", "has \"stride\", which is not known"},
           {R"({"__metadata__":{"a":1}})", "its \"__metadata__\" has a number"},
           {R"({"__metadata__":{"a":{}}})", "its \"__metadata__\" has an object"},
           {R"({"__metadata__":{"a":"b","a":"b"}})", "its \"__metadata__\" has \"a\" twice"},
           {R"({"__metadata__":{},"__metadata__":{}})", "occurs twice"},
           {R"({"__metadata__":"x"})", "its \"__metadata__\" has text"},
           {std::string(100000, '{'), "no JSON"},
           {"{\"a\":" + std::string(100000, '['), "has a list"}}) {
    expect_refused(header(json).status(), corrupt, words);
  }
}

TEST(SafetensorsHeader, OfFrameworksWithOtherLayoutsIsRefused) {
  const auto of = [](const char* key, const char* name) {
    return header(concat("{\"__metadata__\":{\"", key, "\":\"", name, "\"},",
                         entry("a", "F32", "1", "0,4"), "}"))
        .status();
  };
  for (const char* name : {"mlx", "tf", "flax"}) {
    expect_refused(of("format", name), StatusCode::kFormatUnsupported,
                   concat("of ", quote(name), ", which keeps the weights of convolutions"));
    EXPECT_TRUE(of("author", name).ok());
  }
  for (const char* name : {"pt", "np", "mlx2", ""}) EXPECT_TRUE(of("format", name).ok()) << name;
}

TEST(SafetensorsHeader, UnknownTypesAreNamed) {
  for (const char* dtype : {"F8_E4M3", "C64", "f32", ""}) {
    expect_refused(header("{" + entry("a", dtype, "1", "0,4") + "}").status(),
                   StatusCode::kFormatUnsupported, concat("tensor \"a\" has dtype ", quote(dtype)));
    expect_refused(header("{" + entry("a", dtype, "1", "0,4") + "}").status(),
                   StatusCode::kFormatUnsupported,
                   "convert it to float32: save_file({k: v.float()");
  }
}

TEST(SafetensorsHeader, CountsAreLimited) {
  EXPECT_TRUE(header("{" + entry("a", "F32", "1,1,1,1,1,1,1,1", "0,4") + "}").ok());
  expect_refused(header("{" + entry("a", "F32", "1,1,1,1,1,1,1,1,1", "0,4") + "}").status(),
                 StatusCode::kLimitExceeded, "more than 8 numbers");
  std::string many = "{\"__metadata__\":{\"format\":\"pt\"}";
  for (int i = 0; i < 65536; ++i) many += "," + entry(std::to_string(i), "U8", "0", "0,0");
  EXPECT_TRUE(header(many + "}").ok());
  expect_refused(header(many + "," + entry("x", "U8", "0", "0,0") + "}").status(),
                 StatusCode::kLimitExceeded, "more than 65536 tensors");
}

}  // namespace
}  // namespace penult::converters
