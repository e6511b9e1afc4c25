// Chunks get their right checksums, or nearly all mutations would end there.

#include <cstring>

#include "engine/base/digest.h"
#include "tests/fuzz/image_target.h"

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return penult::fuzz::decode_input(penult::decode_png, data, size);
}

#ifdef PENULT_LIBFUZZER
extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size,
                                          unsigned int seed) {
  size = LLVMFuzzerMutate(data, size, max_size);
  if (seed % 8 == 0) return size;  // wrong checksums, too
  for (size_t at = 8; at + 12 <= size;) {
    size_t length = 0;
    for (int i = 0; i < 4; ++i) length = length << 8 | data[at + i];
    if (length > size - at - 12) break;
    const uint32_t crc = penult::crc32({data + at + 4, length + 4});
    for (int i = 0; i < 4; ++i)
      data[at + 8 + length + i] = static_cast<uint8_t>(crc >> (24 - 8 * i));
    at += 12 + length;
  }
  return size;
}
#endif
