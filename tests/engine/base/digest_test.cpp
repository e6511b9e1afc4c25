#include "engine/base/digest.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace penult {
namespace {

std::span<const uint8_t> bytes_of(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

std::string sha256(const std::string& text) {
  Sha256 hash;
  hash.update(bytes_of(text));
  return hash.hex_digest();
}

// Examples of FIPS 180-4 (one block, two blocks, a million letters).
TEST(Sha256, GivesThePublishedDigests) {
  EXPECT_EQ(sha256(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(sha256(std::string(1000000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, DoesNotDependOnHowTheMessageIsCut) {
  std::string text;
  for (int i = 0; i < 300; ++i) text += static_cast<char>(i * 7);
  for (const size_t step : {1, 3, 55, 63, 64, 65, 128, 299}) {
    Sha256 hash;
    for (size_t at = 0; at < text.size(); at += step) hash.update(bytes_of(text.substr(at, step)));
    EXPECT_EQ(hash.hex_digest(), sha256(text)) << "step " << step;
  }
}

// RFC 3720, B.4.
TEST(Crc32c, GivesThePublishedSums) {
  EXPECT_EQ(crc32c(bytes_of("123456789")), 0xe3069283u);
  EXPECT_EQ(crc32c({}), 0u);
  EXPECT_EQ(crc32c(std::vector<uint8_t>(32, 0)), 0x8a9136aau);
  EXPECT_EQ(crc32c(std::vector<uint8_t>(32, 0xff)), 0x62a8ab43u);
  std::vector<uint8_t> ascending(32);
  for (size_t i = 0; i < 32; ++i) ascending[i] = static_cast<uint8_t>(i);
  EXPECT_EQ(crc32c(ascending), 0x46dd794eu);
}

TEST(Crc32c, AgreesWithBitwiseDivisionAtEveryLength) {
  std::vector<uint8_t> bytes;
  for (int length = 0; length < 70; ++length) {
    uint32_t crc = ~0u;
    for (const uint8_t byte : bytes) {
      crc ^= byte;
      for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
    }
    EXPECT_EQ(crc32c(bytes), ~crc) << "length " << length;
    EXPECT_EQ(crc32c_by_tables(bytes), ~crc) << "length " << length;
    bytes.push_back(static_cast<uint8_t>(length * 37 + 11));
  }
}

// Long ones are cut into three streams by the instruction's code: around one, two and four times
// their length, and whatever is left.
TEST(Crc32c, AgreesWithTheTablesOnLongMessages) {
  std::vector<uint8_t> bytes(5 * 3 * 4096);
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<uint8_t>(i * i * 31 + i / 251);
  for (const size_t length : {12287, 12288, 12289, 12295, 24575, 24576, 24583, 49152, 61439}) {
    const auto message = std::span(bytes).first(length);
    EXPECT_EQ(crc32c(message), crc32c_by_tables(message)) << "length " << length;
  }
}

TEST(Crc32c, ContinuesBehindOtherBytes) {
  std::vector<uint8_t> bytes(40000);
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<uint8_t>(i * 131 + i / 255);
  const std::span<const uint8_t> message(bytes);
  for (const size_t cut : {0, 1, 7, 8, 4096, 12288, 39999, 40000}) {
    const uint32_t before = crc32c(message.first(cut));
    EXPECT_EQ(crc32c(message.subspan(cut), before), crc32c(message)) << "cut at " << cut;
    EXPECT_EQ(crc32c_by_tables(message.subspan(cut), before), crc32c(message)) << "cut at " << cut;
  }
}

}  // namespace
}  // namespace penult
