// A golden in .npz, and .npy by itself.

#include "engine/output/npz_reader.h"
#include "tests/fuzz/target.h"
#include "tools/golden/golden.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace penult;  // NOLINT(google-build-using-namespace)
  const auto* bytes = reinterpret_cast<const std::byte*>(data);
  static_cast<void>(parse_npy({bytes, bytes + size}).ok());
  fuzz::MemoryFile& file = fuzz::MemoryFile::instance();
  file.replace({data, size});
  static_cast<void>(golden::read_golden(file.path()).ok());
  return 0;
}
