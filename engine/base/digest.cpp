#include "engine/base/digest.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace penult {
namespace {

// FIPS 180-4, 4.2.2: fractional parts of the cube roots of the first 64 primes.
constexpr std::array<uint32_t, 64> kRoundConstants = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

uint32_t load_big_endian(const uint8_t* p) {
  return uint32_t{p[0]} << 24 | uint32_t{p[1]} << 16 | uint32_t{p[2]} << 8 | uint32_t{p[3]};
}

// Eight tables, so that eight bytes are looked up independently of each other ("slicing by 8",
// Kounavis and Berry, 2008): table[k][b] is the CRC of byte b followed by k zero bytes.
using CrcTables = std::array<std::array<uint32_t, 256>, 8>;
constexpr CrcTables make_crc_tables(uint32_t reflected_polynomial) {
  CrcTables tables{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? reflected_polynomial : 0);
    tables[0][byte] = crc;
  }
  for (size_t k = 1; k < tables.size(); ++k) {
    for (size_t byte = 0; byte < 256; ++byte) {
      const uint32_t shorter = tables[k - 1][byte];
      tables[k][byte] = shorter >> 8 ^ tables[0][shorter & 0xff];
    }
  }
  return tables;
}
constexpr CrcTables kCrc32c = make_crc_tables(0x82f63b78);
constexpr CrcTables kCrc32 = make_crc_tables(0xedb88320);

uint32_t crc(const CrcTables& t, std::span<const uint8_t> bytes, uint32_t before) {
  uint32_t value = ~before;
  while (bytes.size() >= 8) {
    const uint8_t* p = bytes.data();
    // The CRC so far is a polynomial over the next four bytes, lowest byte first.
    value = t[7][(value & 0xff) ^ p[0]] ^ t[6][(value >> 8 & 0xff) ^ p[1]] ^
            t[5][(value >> 16 & 0xff) ^ p[2]] ^ t[4][(value >> 24) ^ p[3]] ^ t[3][p[4]] ^
            t[2][p[5]] ^ t[1][p[6]] ^ t[0][p[7]];
    bytes = bytes.subspan(8);
  }
  for (const uint8_t byte : bytes) value = value >> 8 ^ t[0][(value ^ byte) & 0xff];
  return ~value;
}

#if defined(__x86_64__)
// What kStream zero bytes after it make of a CRC. It is linear over GF(2), so the images of single
// bits make a table for each byte (Adler's crc32c.c combines streams in this way).
constexpr size_t kStream = 4096;
using ShiftTables = std::array<std::array<uint32_t, 256>, 4>;
constexpr ShiftTables make_shift_tables() {
  std::array<uint32_t, 32> image{};  // of each bit, after a number of zero bytes that doubles
  for (size_t bit = 0; bit < 32; ++bit) {
    const uint32_t value = uint32_t{1} << bit;
    image[bit] = value >> 8 ^ kCrc32c[0][value & 0xff];
  }
  const auto apply = [&](uint32_t value) {
    uint32_t sum = 0;
    for (size_t bit = 0; bit < 32; ++bit) sum ^= (value >> bit & 1) ? image[bit] : 0;
    return sum;
  };
  for (size_t bytes = 1; bytes < kStream; bytes *= 2) {
    std::array<uint32_t, 32> twice{};
    for (size_t bit = 0; bit < 32; ++bit) twice[bit] = apply(image[bit]);
    image = twice;
  }
  ShiftTables tables{};
  for (size_t k = 0; k < tables.size(); ++k)
    for (uint32_t byte = 0; byte < 256; ++byte) tables[k][byte] = apply(byte << (8 * k));
  return tables;
}
constexpr ShiftTables kShift = make_shift_tables();

uint64_t shifted(uint64_t crc) {
  return kShift[0][crc & 0xff] ^ kShift[1][crc >> 8 & 0xff] ^ kShift[2][crc >> 16 & 0xff] ^
         kShift[3][crc >> 24 & 0xff];
}

uint64_t load_word(const uint8_t* p) {
  uint64_t word;
  std::memcpy(&word, p, sizeof(word));
  return word;
}

// SSE 4.2 has an instruction for this one polynomial. It takes three cycles, and a new one can
// start each cycle: hence three streams, put together by `shifted`.
__attribute__((target("sse4.2"))) uint32_t crc32c_by_instruction(std::span<const uint8_t> bytes,
                                                                 uint32_t before) {
  uint64_t value = ~before;
  const uint8_t *p = bytes.data(), *const end = p + bytes.size();
  for (; static_cast<size_t>(end - p) >= 3 * kStream; p += 3 * kStream) {
    uint64_t second = 0, third = 0;
    for (size_t i = 0; i < kStream; i += 8) {
      value = __builtin_ia32_crc32di(value, load_word(p + i));
      second = __builtin_ia32_crc32di(second, load_word(p + kStream + i));
      third = __builtin_ia32_crc32di(third, load_word(p + 2 * kStream + i));
    }
    value = shifted(shifted(value) ^ second) ^ third;
  }
  for (; end - p >= 8; p += 8) value = __builtin_ia32_crc32di(value, load_word(p));
  auto rest = static_cast<uint32_t>(value);
  for (; p != end; ++p) rest = __builtin_ia32_crc32qi(rest, *p);
  return ~rest;
}
#endif

}  // namespace

Sha256::Sha256()
    : state_{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
             0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19},
      block_{} {}

void Sha256::compress(const uint8_t* block) {
  std::array<uint32_t, 64> w;
  for (size_t i = 0; i < 16; ++i) w[i] = load_big_endian(block + 4 * i);
  for (size_t i = 16; i < 64; ++i) {
    const uint32_t s0 = std::rotr(w[i - 15], 7) ^ std::rotr(w[i - 15], 18) ^ w[i - 15] >> 3;
    const uint32_t s1 = std::rotr(w[i - 2], 17) ^ std::rotr(w[i - 2], 19) ^ w[i - 2] >> 10;
    w[i] = w[i - 16] + s0 + w[i - 7] + s1;
  }
  auto [a, b, c, d, e, f, g, h] = state_;
  for (size_t i = 0; i < 64; ++i) {
    const uint32_t sum1 = std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25);
    const uint32_t t1 = h + sum1 + ((e & f) ^ (~e & g)) + kRoundConstants[i] + w[i];
    const uint32_t sum0 = std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22);
    const uint32_t t2 = sum0 + ((a & b) ^ (a & c) ^ (b & c));
    h = g, g = f, f = e, e = d + t1;
    d = c, c = b, b = a, a = t1 + t2;
  }
  const std::array<uint32_t, 8> delta = {a, b, c, d, e, f, g, h};
  for (size_t i = 0; i < 8; ++i) state_[i] += delta[i];
}

void Sha256::update(std::span<const uint8_t> bytes) {
  while (!bytes.empty()) {
    const size_t used = total_bytes_ % block_.size();
    if (used == 0 && bytes.size() >= block_.size()) {  // whole blocks need no copy
      compress(bytes.data());
      total_bytes_ += block_.size();
      bytes = bytes.subspan(block_.size());
      continue;
    }
    const size_t taken = std::min(block_.size() - used, bytes.size());
    std::memcpy(block_.data() + used, bytes.data(), taken);
    total_bytes_ += taken;
    bytes = bytes.subspan(taken);
    if (used + taken == block_.size()) compress(block_.data());
  }
}

std::string Sha256::hex_digest() {
  const uint64_t bits = total_bytes_ * 8;
  const uint8_t one = 0x80, zero = 0;
  update({&one, 1});
  while (total_bytes_ % 64 != 56) update({&zero, 1});
  std::array<uint8_t, 8> length;
  for (size_t i = 0; i < 8; ++i) length[i] = static_cast<uint8_t>(bits >> (56 - 8 * i));
  update(length);

  constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  for (const uint32_t word : state_) {
    for (int shift = 28; shift >= 0; shift -= 4) hex += kDigits[word >> shift & 15];
  }
  return hex;
}

uint32_t crc32c(std::span<const uint8_t> bytes, uint32_t before) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("sse4.2")) return crc32c_by_instruction(bytes, before);
#endif
  return crc32c_by_tables(bytes, before);
}
uint32_t crc32c_by_tables(std::span<const uint8_t> bytes, uint32_t before) {
  return crc(kCrc32c, bytes, before);
}
uint32_t crc32(std::span<const uint8_t> bytes) { return crc(kCrc32, bytes, 0); }

}  // namespace penult
