// Archives whose headers claim more than is there.

#include "engine/output/npz_reader.h"

#include <gtest/gtest.h>

#include "engine/base/digest.h"
#include "engine/output/npy.h"
#include "tests/engine/output/output_test.h"

namespace penult {
namespace {

std::string le(uint64_t value, int bytes) {
  std::string out;
  for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> 8 * i);
  return out;
}

std::string three_floats() { return npy_header("<f4", {3}) + std::string(12, '\0'); }

struct Claims {
  uint64_t packed, unpacked;
  int method = 0;  // stored
};

// A zip archive of one entry, "x.npy", whose headers say of its size what `claims` says.
std::string archive(const std::string& data, const Claims& claims) {
  const std::span bytes(reinterpret_cast<const uint8_t*>(data.data()), data.size());
  const std::string name = "x.npy";
  const std::string fields = le(20, 2) + le(0, 2) + le(claims.method, 2) + le(0x210000, 4) +
                             le(crc32(bytes), 4) + le(claims.packed, 4) + le(claims.unpacked, 4) +
                             le(name.size(), 2) + le(0, 2);
  const std::string local = "PK\3\4" + fields + name + data;
  const std::string central = "PK\1\2" + le(20, 2) + fields + le(0, 6) + le(0, 8) + name;
  return local + central + "PK\5\6" + le(0, 4) + le(1, 2) + le(1, 2) + le(central.size(), 4) +
         le(local.size(), 4) + le(0, 2);
}

class NpzReader : public testing::OutputTest {
 protected:
  Status read(const std::string& bytes) {
    std::ofstream(path("x.npz"), std::ios::binary) << bytes;
    return read_npz(path("x.npz")).status();
  }
};

TEST_F(NpzReader, ReadsAnEntryThatIsWhatItClaims) {
  const std::string data = three_floats();
  const Status status = read(archive(data, {data.size(), data.size()}));
  EXPECT_TRUE(status.ok()) << status.message();
}

TEST_F(NpzReader, RefusesAnEntryThatItsBytesCannotHold) {
  const std::string data = three_floats();
  const Status status = read(archive(data, {data.size(), 1033 * (data.size() + 1)}));
  EXPECT_EQ(status.code(), StatusCode::kFormatCorrupt);
  EXPECT_NE(status.message().find("larger than the file can hold"), std::string::npos);
}

TEST_F(NpzReader, RefusesAnEntryThatIsLargerThanTheFile) {
  const Status status = read(archive(three_floats(), {100'000'000, 100'000'000}));
  EXPECT_EQ(status.code(), StatusCode::kFormatCorrupt);
}

TEST_F(NpzReader, RefusesMethodsThatNumPyDoesNotUse) {
  const std::string data = three_floats();
  const Status status = read(archive(data, {data.size(), data.size(), 12}));
  EXPECT_EQ(status.code(), StatusCode::kFormatUnsupported) << status.message();
}

std::vector<std::byte> npy(const std::string& text) {
  const auto* bytes = reinterpret_cast<const std::byte*>(text.data());
  return {bytes, bytes + text.size()};
}

TEST(NpyArray, MayBeEmpty) {
  const auto array = parse_npy(npy(npy_header("<f4", {0, 3})));
  ASSERT_TRUE(array.ok()) << array.status().message();
  const auto values = array->values<float>();
  ASSERT_TRUE(values.ok());
  EXPECT_TRUE(values->empty());
}

TEST(NpyArray, HasAShapeOfNumbersOnly) {
  for (const char* shape : {"(-3,)", "(+3,)", "(3;)", "(x,)", "(99999999999999999999,)"}) {
    std::string text = npy_header("<f4", {3}) + std::string(12, '\0');
    text.replace(text.find("(3,)"), 4, shape);
    EXPECT_EQ(parse_npy(npy(text)).status().code(), StatusCode::kFormatCorrupt) << shape;
  }
}

}  // namespace
}  // namespace penult
