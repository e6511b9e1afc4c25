// A safetensors file, and the architectures that it is recognised as.

#include <algorithm>
#include <cstring>
#include <vector>

#include "converters/importer.h"
#include "converters/safetensors/formats.h"
#include "engine/base/checked.h"
#include "tests/fuzz/target.h"

namespace {

using namespace penult;  // NOLINT(google-build-using-namespace)
using converters::NamedTensor;
using converters::StateDict;

constexpr size_t kLengthBytes = 8;

void check(const StateDict& weights, uint64_t file_bytes) {
  uint64_t total = 0;
  for (const NamedTensor& tensor : weights.tensors) {
    const auto elems = checked_product(tensor.dims);
    fuzz::require(elems && tensor.data.size() == (tensor.is_counter ? 0 : *elems),
                  "a tensor holds what its shape says");
    total += tensor.data.size() * sizeof(float);
  }
  // Half precision doubles, and no byte belongs to two tensors.
  fuzz::require(total <= 2 * file_bytes, "tensors are in proportion to their file");
  for (const auto& net : converters::all_architectures()) {
    if (!net.recognises(weights)) continue;
    const auto model = net.build(StateDict(weights));
    fuzz::require(model.status().code() != StatusCode::kInternal, "no internal error");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::MemoryFile::instance().replace({data, size});
  const auto weights = converters::read_safetensors(fuzz::MemoryFile::instance().path());
  fuzz::require(weights.status().code() != StatusCode::kInternal, "no internal error");
  if (weights.ok()) check(*weights, size);
  return 0;
}

// Mostly changes the header alone, and makes its length right: the data behind it stays.
extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size,
                                          unsigned int seed) {
  uint64_t length = 0;
  if (size > kLengthBytes) std::memcpy(&length, data, kLengthBytes);
  if (seed % 8 == 0 || size <= kLengthBytes || length == 0 || length > size - kLengthBytes) {
    return LLVMFuzzerMutate(data, size, max_size);
  }
  const std::vector<uint8_t> behind(data + kLengthBytes + length, data + size);
  const size_t room = max_size - kLengthBytes - behind.size();
  length = LLVMFuzzerMutate(data + kLengthBytes, length, room);
  std::memcpy(data, &length, kLengthBytes);
  std::copy(behind.begin(), behind.end(), data + kLengthBytes + length);
  return kLengthBytes + length + behind.size();
}
