// A golden in .npz, and .npy by itself.

#include "engine/base/checked.h"
#include "engine/output/npz_reader.h"
#include "tests/fuzz/checksums.h"
#include "tests/fuzz/target.h"
#include "tools/golden/golden.h"

namespace {

void check(const penult::NpyArray& array) {
  const auto elems = penult::checked_product(array.dims);
  const size_t bytes = array.bytes.size();
  penult::fuzz::require(elems && (*elems == 0 ? bytes == 0 : bytes % *elems == 0),
                        "an array holds what its shape says");
  const auto floats = array.values<float>();
  penult::fuzz::require(!floats.ok() || floats->size() == *elems, "all numbers are there");
  const auto text = array.text();
  penult::fuzz::require(!text.ok() || text->size() == bytes / 4, "all characters are there");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace penult;  // NOLINT(google-build-using-namespace)
  const auto* bytes = reinterpret_cast<const std::byte*>(data);
  if (const auto array = parse_npy({bytes, bytes + size}); array.ok()) check(*array);
  fuzz::MemoryFile& file = fuzz::MemoryFile::instance();
  file.replace({data, size});
  const auto arrays = read_npz(file.path());
  fuzz::require(arrays.status().code() != StatusCode::kInternal, "no internal error");
  if (arrays.ok()) {
    for (const auto& [name, array] : *arrays) check(array);
  }
  static_cast<void>(golden::read_golden(file.path()).ok());
  return 0;
}

// In an archive of stored entries mostly the inside of one.
extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size,
                                          unsigned int seed) {
  const auto change = [](uint8_t* bytes, size_t count) { LLVMFuzzerMutate(bytes, count, count); };
  if (seed % 4 != 0 && penult::fuzz::change_zip_entry({data, size}, seed / 4, change)) return size;
  return LLVMFuzzerMutate(data, size, max_size);
}
