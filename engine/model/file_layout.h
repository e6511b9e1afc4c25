#pragma once

// Fixed numbers of the .penult format (docs/model-format.md), shared by loader and writer.

#include <array>
#include <cstdint>

#include "engine/base/checked.h"

namespace penult::layout {

// Like PNG's: the line break shows a transfer in text mode.
inline constexpr std::array<uint8_t, 8> kMagic = {'P', 'E', 'N', 'U', 'L', 'T', '\r', '\n'};
inline constexpr uint32_t kMajor = 1;
inline constexpr uint32_t kMinor = 0;
inline constexpr uint64_t kKnownFeatures = 0;

inline constexpr uint64_t kAlignment = 64;
inline constexpr uint64_t kHeaderBytes = 64;
inline constexpr uint64_t kMaxGraphBytes = uint64_t{64} << 20;
inline constexpr uint64_t kMaxTextBytes = uint64_t{64} << 10;  // of a text that is not a name
inline constexpr uint64_t kBlockBytes = uint64_t{1} << 20;     // unit of checksums within a tensor

// Byte offsets of the header's fields, all little-endian.
inline constexpr size_t kAtMagic = 0, kAtMajor = 8, kAtMinor = 12, kAtFeatures = 16,
                        kAtGraphBytes = 24, kAtGraphCrc = 32, kAtReserved = 36,
                        kAtWeightsOffset = 40, kAtFileBytes = 48, kAtReserved2 = 56,
                        kAtHeaderCrc = 60;

// The graph part starts right behind the header, the weights at the next multiple of 64.
constexpr uint64_t weights_offset(uint64_t graph_bytes) {
  return align_up(kHeaderBytes + graph_bytes, kAlignment);
}
constexpr uint64_t block_count(uint64_t bytes) {  // of any number that a file may hold
  return bytes / kBlockBytes + (bytes % kBlockBytes != 0 ? 1 : 0);
}

}  // namespace penult::layout
