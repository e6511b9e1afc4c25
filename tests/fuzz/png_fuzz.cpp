#include "tests/fuzz/checksums.h"
#include "tests/fuzz/image_target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return penult::fuzz::decode_input(data, size);
}

// Chunks get their right checksums, or nearly all mutations would end there.
extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size,
                                          unsigned int seed) {
  size = LLVMFuzzerMutate(data, size, max_size);
  if (seed % 8 != 0) penult::fuzz::repair_png({data, size});
  return size;
}
