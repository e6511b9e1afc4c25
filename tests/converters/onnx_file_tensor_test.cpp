// Numbers of ONNX tensors: every type, as bytes, one by one, and in another file.

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <bit>
#include <cmath>
#include <filesystem>
#include <limits>

#include "tests/converters/onnx_file_writer.h"
#include "tests/support/allocations.h"

namespace penult::converters::onnx::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr float kInf = std::numeric_limits<float>::infinity();

// Of a model with one initializer, "w".
std::string with(const std::string& encoded) { return model(relu_graph(initializer(encoded))); }

struct Written {
  const char* name;
  int64_t type;
  std::string as_bytes;  // the field raw_data
  std::string one_by_one, wrong_place;
  bool is_integer;
  std::vector<double> expected;
};
void PrintTo(const Written& written, std::ostream* out) { *out << written.name; }

template <typename T>
std::string floats(uint32_t field, const std::vector<T>& values) {
  return bytes(field, raw(values));
}

const std::vector<double> kSigned = {-2, 0, 1, 100};
template <typename T>
Written whole(const char* name, int64_t type, uint32_t field, std::vector<T> values) {
  const std::vector<int64_t> wide(values.begin(), values.end());
  return {name,
          type,
          raw_data(raw(values)),
          packed(field, wide),
          packed(field == 7 ? 5 : 7, wide),
          true,
          {values.begin(), values.end()}};
}

std::vector<Written> every_type() {
  const std::vector<uint16_t> half = {0xc000, 0, 0x3c00, 0x7c00},
                              brain = {0xc000, 0, 0x3f80, 0x7f80};
  const std::vector<double> numbers = {-2, 0, 1, kInf};
  const auto narrow = [&](const char* name, int64_t type, const std::vector<uint16_t>& bits) {
    return Written{name,
                   type,
                   raw_data(raw(bits)),
                   packed(5, {bits.begin(), bits.end()}),
                   packed(7, {bits.begin(), bits.end()}),
                   false,
                   numbers};
  };
  const std::vector<float> single(numbers.begin(), numbers.end());
  return {
      {"f32", kF32, raw_data(raw(single)), floats(4, single), floats(10, numbers), false, numbers},
      {"f64", kF64, raw_data(raw(numbers)), floats(10, numbers), floats(4, single), false, numbers},
      narrow("f16", kF16, half),
      narrow("bf16", kBf16, brain),
      whole<int8_t>("i8", kI8, 5, {-128, 0, 127}),
      whole<uint8_t>("u8", kU8, 5, {0, 255}),
      whole<int16_t>("i16", kI16, 5, {-32768, 32767}),
      whole<uint16_t>("u16", kU16, 5, {0, 65535}),
      whole<int32_t>("i32", kI32, 5, {-2147483648, 2147483647}),
      whole<uint32_t>("u32", kU32, 11, {0, 4294967295}),
      whole<int64_t>("i64", kI64, 7, {-(int64_t{1} << 53), int64_t{1} << 53}),
      whole<uint64_t>("u64", kU64, 11, {0, uint64_t{1} << 53}),
      whole<uint8_t>("bool", kBool, 5, {0, 1, 1}),
  };
}

class OnnxTypes : public ::testing::TestWithParam<Written> {
 protected:
  std::string tensor_with(const std::string& data) const {
    return with(
        tensor("w", {static_cast<int64_t>(GetParam().expected.size())}, GetParam().type, data));
  }
  void expect_numbers(const std::string& data) const {
    const auto read = folder_.read(tensor_with(data));
    ASSERT_TRUE(read.ok()) << read.status().message();
    const Tensor& w = read->initializers.at("w");
    EXPECT_EQ(w.is_integer, GetParam().is_integer);
    EXPECT_EQ(w.elems(), static_cast<int64_t>(GetParam().expected.size()));
    const std::vector<double> got = w.is_integer
                                        ? std::vector<double>(w.ints.begin(), w.ints.end())
                                        : std::vector<double>(w.floats.begin(), w.floats.end());
    EXPECT_EQ(got, GetParam().expected);
    EXPECT_TRUE((w.is_integer ? w.floats.size() : w.ints.size()) == 0);
  }
  StatusCode code_of(const std::string& data) const {
    return folder_.read(tensor_with(data)).status().code();
  }
  Folder folder_;
};

TEST_P(OnnxTypes, AreReadFromBytes) { expect_numbers(GetParam().as_bytes); }

TEST_P(OnnxTypes, AreReadOneByOne) { expect_numbers(GetParam().one_by_one); }

TEST_P(OnnxTypes, NumbersAreAsManyAsTheShapeSays) {
  std::string shorter = GetParam().as_bytes;
  shorter.pop_back();
  shorter[1] = static_cast<char>(shorter[1] - 1);  // a length below 128 is one byte
  std::string longer = GetParam().as_bytes + '\0';
  longer[1] = static_cast<char>(longer[1] + 1);
  EXPECT_EQ(code_of(shorter), StatusCode::kFormatCorrupt);
  EXPECT_EQ(code_of(longer), StatusCode::kFormatCorrupt);
  EXPECT_EQ(code_of(GetParam().one_by_one + GetParam().one_by_one), StatusCode::kFormatCorrupt);
  EXPECT_EQ(code_of(""), StatusCode::kFormatCorrupt);
}

TEST_P(OnnxTypes, NumbersAreGivenOnceAndWhereTheirTypeBelongs) {
  EXPECT_EQ(code_of(GetParam().as_bytes + GetParam().one_by_one), StatusCode::kFormatCorrupt);
  EXPECT_EQ(code_of(GetParam().wrong_place), StatusCode::kFormatCorrupt);
}

INSTANTIATE_TEST_SUITE_P(All, OnnxTypes, ::testing::ValuesIn(every_type()),
                         [](const auto& test) { return std::string(test.param.name); });

class OnnxTensors : public ::testing::Test {
 protected:
  Status status_of(const std::string& encoded) const {
    return folder_.read(with(encoded)).status();
  }
  void expect_error(const std::string& encoded, StatusCode code, const char* text) const {
    const Status status = status_of(encoded);
    EXPECT_EQ(status.code(), code) << status.message();
    EXPECT_THAT(status.message(), HasSubstr(text));
    EXPECT_THAT(status.message(), HasSubstr("initializer \"w\": "));
  }
  Folder folder_;
};

TEST_F(OnnxTensors, OtherTypesAreRefusedByName) {
  for (const auto& [type, name] : std::vector<std::pair<int64_t, const char*>>{{0, "undefined"},
                                                                               {8, "string"},
                                                                               {14, "complex64"},
                                                                               {15, "complex128"},
                                                                               {17, "float8e4m3fn"},
                                                                               {22, "int4"},
                                                                               {23, "float4e2m1"},
                                                                               {24, "number 24"},
                                                                               {-1, "number -1"}}) {
    expect_error(tensor("w", {1}, type, raw_data("abcd")), StatusCode::kFormatUnsupported, name);
  }
}

TEST_F(OnnxTensors, ListsMayBePackedOrNot) {
  const auto read = folder_.read(with(packed(1, {3}) + number(2, kI32) + bytes(8, "w") +
                                      unpacked(5, {1, -2}) + packed(5, {3})));
  ASSERT_TRUE(read.ok()) << read.status().message();
  EXPECT_THAT(read->initializers.at("w").ints, ElementsAre(1, -2, 3));
}

TEST_F(OnnxTensors, AScalarIsOneNumberAndAZeroNone) {
  const auto read =
      folder_.read(model(relu_graph(initializer(tensor("s", {}, kF32, float_field(4, 2.5f))) +
                                    initializer(tensor("none", {0, 4}, kF32, "")))));
  ASSERT_TRUE(read.ok()) << read.status().message();
  EXPECT_THAT(read->initializers.at("s").floats, ElementsAre(2.5f));
  EXPECT_EQ(read->initializers.at("s").elems(), 1);
  EXPECT_THAT(read->initializers.at("none").dims, ElementsAre(0, 4));
  EXPECT_TRUE(read->initializers.at("none").floats.empty());
}

TEST_F(OnnxTensors, InfinitiesAndNansOfF64AreKeptAndWhatDoesNotFitIsCounted) {
  const auto read = folder_.read(
      with(tensor("w", {3}, kF64, floats<double>(10, {std::nan(""), -INFINITY, 3.5}))));
  ASSERT_TRUE(read.ok()) << read.status().message();
  EXPECT_TRUE(std::isnan(read->initializers.at("w").floats[0]));
  EXPECT_EQ(read->initializers.at("w").floats[1], -kInf);
  expect_error(tensor("w", {3}, kF64, floats<double>(10, {1e39, 1, -1e300})),
               StatusCode::kFormatUnsupported, "2 of its 3 numbers are too large for float32");
}

TEST_F(OnnxTensors, NumbersOutsideTheirTypeAreRefused) {
  expect_error(tensor("w", {1}, kBool, raw_data("\2")), StatusCode::kFormatCorrupt, "0 to 1");
  expect_error(tensor("w", {1}, kI8, packed(5, {128})), StatusCode::kFormatCorrupt, "-128 to 127");
  expect_error(tensor("w", {1}, kF16, packed(5, {65536})), StatusCode::kFormatCorrupt,
               "0 to 65535");
  expect_error(tensor("w", {1}, kU32, packed(11, {int64_t{1} << 32})), StatusCode::kFormatCorrupt,
               "0 to 4294967295");
  const std::string most = raw(std::vector<uint64_t>{UINT64_MAX});
  expect_error(tensor("w", {1}, kU64, raw_data(most)), StatusCode::kFormatCorrupt, "uint64");
  expect_error(tensor("w", {1}, kU64, packed(11, {-1})), StatusCode::kFormatCorrupt, "uint64");
}

TEST_F(OnnxTensors, ShapesAreBounded) {
  expect_error(tensor("w", {-1}, kF32, ""), StatusCode::kFormatCorrupt, "(-1)");
  expect_error(tensor("w", {int64_t{1} << 31}, kF32, ""), StatusCode::kFormatCorrupt,
               "(2147483648)");
  const int64_t m = 1 << 30;
  expect_error(tensor("w", {m, m, m, m}, kF32, ""), StatusCode::kLimitExceeded, "numbers");
  expect_error(tensor("w", {1, 1, 1, 1, 1, 1, 1, 1, 1}, kF32, ""), StatusCode::kLimitExceeded,
               "9 dimensions");
  // 8 PiB that are not there are refused before anything is allocated.
  expect_error(tensor("w", {1 << 20, 1 << 20}, kF64, ""), StatusCode::kFormatCorrupt, "0 bytes");
}

// A weight's bytes are in memory twice: the file's, and as numbers.
TEST_F(OnnxTensors, LargeOnesAreNotCopiedBesides) {
  if (!::penult::testing::kCountsAllocations) GTEST_SKIP() << "a sanitizer owns the allocator";
  const std::vector<float> values(1 << 20, 1.5f);
  folder_.write("large.onnx", with(tensor("w", {1 << 20}, kF32, raw_data(raw(values)))));
  const uint64_t before = ::penult::testing::allocation_count().bytes;
  const auto read = read_onnx_model(folder_.path("large.onnx"), {});
  const uint64_t bytes = ::penult::testing::allocation_count().bytes - before;
  ASSERT_TRUE(read.ok()) << read.status().message();
  EXPECT_EQ(read->initializers.at("w").floats, values);
  EXPECT_GE(bytes, 2 * sizeof(float) * values.size());
  EXPECT_LE(bytes, 2 * sizeof(float) * values.size() + (64 << 10));
}

class OnnxExternalData : public ::testing::Test {
 protected:
  // Four floats at `offset` of the file `location`.
  static std::string external(const std::string& name, const std::string& location,
                              const std::string& offset, const std::string& length = "16",
                              const std::string& more = "") {
    return tensor(name, {4}, kF32,
                  bytes(13, entry("location", location)) + bytes(13, entry("offset", offset)) +
                      bytes(13, entry("length", length)) + number(14, 1) + more);
  }
  void expect_error(const std::string& encoded, StatusCode code, const char* text,
                    bool allowed = true) const {
    const auto read =
        allowed ? folder_.read_with_external_data(with(encoded)) : folder_.read(with(encoded));
    EXPECT_EQ(read.status().code(), code) << read.status().message();
    EXPECT_THAT(read.status().message(), HasSubstr(text));
  }
  void SetUp() override { folder_.write("w.data", raw(std::vector<float>{1, 2, 3, 4, 5})); }
  Folder folder_;
};

TEST_F(OnnxExternalData, IsReadOnlyWhenAskedTo) {
  const auto read = folder_.read_with_external_data(with(external("w", "w.data", "4")));
  ASSERT_TRUE(read.ok()) << read.status().message();
  EXPECT_THAT(read->initializers.at("w").floats, ElementsAre(2, 3, 4, 5));
  expect_error(external("w", "w.data", "4"), StatusCode::kFormatUnsupported,
               "\"w.data\", which is read only when asked to: give --external-data, or export with "
               "external_data=False",
               false);
}

TEST_F(OnnxExternalData, WithoutOffsetAndLengthBeginsAtTheStart) {
  const std::string place = bytes(13, entry("location", "w.data")) + number(14, 1);
  const auto read = folder_.read_with_external_data(with(tensor("w", {2}, kF32, place)));
  ASSERT_TRUE(read.ok()) << read.status().message();
  EXPECT_THAT(read->initializers.at("w").floats, ElementsAre(1, 2));
}

TEST_F(OnnxExternalData, IsOnlyLookedForBesideTheModel) {
  for (const char* location :
       {"/etc/passwd", "../w.data", "sub/w.data", "..", ".", "", "sub\\w.data", "w.data\n"}) {
    expect_error(external("w", location, "0"), StatusCode::kFormatUnsupported,
                 "expected the plain name of a file beside the model");
  }
  expect_error(external("w", "absent", "0"), StatusCode::kNotFound, "absent");
}

TEST_F(OnnxExternalData, IsARegularFileAndNoLink) {
  std::filesystem::create_symlink(folder_.path("w.data"), folder_.path("link"));
  std::filesystem::create_directory(folder_.path("folder"));
  ASSERT_EQ(::mkfifo(folder_.path("fifo").c_str(), 0600), 0);
  expect_error(external("w", "link", "0"), StatusCode::kFormatUnsupported, "a symbolic link");
  expect_error(external("w", "folder", "0"), StatusCode::kIo, "expected a regular file");
  expect_error(external("w", "fifo", "0"), StatusCode::kIo, "expected a regular file");
}

TEST_F(OnnxExternalData, LiesInsideItsFile) {
  expect_error(external("w", "w.data", "5"), StatusCode::kFormatCorrupt, "file of 20 bytes");
  expect_error(external("w", "w.data", "18446744073709551615"), StatusCode::kFormatCorrupt,
               "outside");
  expect_error(external("w", "w.data", "0", "12"), StatusCode::kFormatCorrupt,
               "12 bytes, expected 16");
  for (const char* number : {"", "-4", "4.0", "0x4", " 4", "18446744073709551616"}) {
    expect_error(external("w", "w.data", number), StatusCode::kFormatCorrupt,
                 "expected a number of bytes");
  }
}

TEST_F(OnnxExternalData, AmbiguousOrMissingPlacesAreRefused) {
  expect_error(external("w", "w.data", "0", "16", bytes(13, entry("offset", "4"))),
               StatusCode::kFormatCorrupt, "two entries \"offset\"");
  expect_error(external("w", "w.data", "0", "16", bytes(13, entry("location", "a"))),
               StatusCode::kFormatCorrupt, "two entries \"location\"");
  expect_error(external("w", "w.data", "0", "16", bytes(13, entry("length", "16"))),
               StatusCode::kFormatCorrupt, "two entries \"length\"");
  expect_error(external("w", "w.data", "0", "16", float_field(4, 1)), StatusCode::kFormatCorrupt,
               "given twice");
  expect_error(tensor("w", {4}, kF32, number(14, 1)), StatusCode::kFormatCorrupt, "names no file");
  expect_error(tensor("w", {4}, kF32, number(14, 2)), StatusCode::kFormatCorrupt,
               "data_location is 2");
}

// Else a small file could stand for any amount of memory.
TEST_F(OnnxExternalData, TensorsAreTogetherNoLargerThanTheirFile) {
  const auto read = folder_.read_with_external_data(model(relu_graph(
      initializer(external("v", "w.data", "0")) + initializer(external("w", "w.data", "4")))));
  EXPECT_EQ(read.status().code(), StatusCode::kLimitExceeded);
  EXPECT_THAT(read.status().message(), HasSubstr("they overlap"));
}

}  // namespace
}  // namespace penult::converters::onnx::testing
