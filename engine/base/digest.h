#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>

namespace penult {

// SHA-256 (FIPS 180-4), streaming.
class Sha256 {
 public:
  Sha256();
  void update(std::span<const uint8_t> bytes);
  // Ends the message; the object must not be used afterwards.
  std::string hex_digest();

 private:
  void compress(const uint8_t* block);
  std::array<uint32_t, 8> state_;
  std::array<uint8_t, 64> block_;
  uint64_t total_bytes_ = 0;
};

// CRC-32C (Castagnoli, polynomial 0x1EDC6F41 reflected, initial and final xor all ones) of bytes
// that follow others, whose CRC is `before`.
uint32_t crc32c(std::span<const uint8_t> bytes, uint32_t before = 0);
// The same on processors without SSE 4.2, which crc32c() chooses by itself.
uint32_t crc32c_by_tables(std::span<const uint8_t> bytes, uint32_t before = 0);

// CRC-32 as zip and PNG use it (polynomial 0x04C11DB7 reflected, initial and final xor all ones).
uint32_t crc32(std::span<const uint8_t> bytes);

}  // namespace penult
