// A PyTorch state dict: zip and legacy, the pickle inside, and the recognition of architectures.

#include "converters/importer.h"
#include "tests/fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace penult;  // NOLINT(google-build-using-namespace)
  fuzz::MemoryFile& file = fuzz::MemoryFile::instance();
  file.replace({data, size});
  for (const converters::Format& format : converters::all_formats()) {
    const auto weights = format.read(file.path());
    if (!weights.ok()) {
      fuzz::require(weights.status().code() != StatusCode::kInternal, "no internal error");
      continue;
    }
    for (const converters::NamedTensor& tensor : weights->tensors) {
      uint64_t elems = 1;
      for (const int64_t dim : tensor.dims) elems *= static_cast<uint64_t>(dim);
      fuzz::require(tensor.is_counter ? tensor.data.empty() : tensor.data.size() == elems,
                    "a tensor holds what its shape says");
    }
    for (const auto& net : converters::all_architectures())
      static_cast<void>(net.recognises(*weights));
  }
  return 0;
}
