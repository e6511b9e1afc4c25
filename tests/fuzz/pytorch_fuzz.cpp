// A PyTorch state dict: zip and legacy, a pickle without either, and the architectures that it is
// recognised as.

#include "converters/importer.h"
#include "converters/pytorch/state_dict.h"
#include "engine/base/checked.h"
#include "tests/fuzz/checksums.h"
#include "tests/fuzz/target.h"

namespace {

using namespace penult;  // NOLINT(google-build-using-namespace)
using converters::NamedTensor;
using converters::StateDict;

// As a pickle alone; every storage is the bytes of the file itself.
Result<StateDict> read_bare(std::span<const uint8_t> bytes) {
  const auto pickle = converters::read_pickle(bytes, 0);
  if (!pickle.ok()) return pickle.status();
  fuzz::require(pickle->root != nullptr && pickle->end <= bytes.size(), "a pickle in its bytes");
  const auto storage = [&](const converters::Object& object) -> Result<std::span<const uint8_t>> {
    const auto needed =
        checked_mul(static_cast<uint64_t>(object.number), converters::dtype_bytes(object.dtype));
    if (needed && *needed <= bytes.size()) return bytes;
    return Status(StatusCode::kFormatCorrupt, "no such storage");
  };
  return converters::read_state_dict(*pickle, bytes.size(), storage, "bare");
}

void check(const Result<StateDict>& weights, uint64_t file_bytes) {
  fuzz::require(weights.status().code() != StatusCode::kInternal, "no internal error");
  if (!weights.ok()) return;
  uint64_t total = 0;
  for (const NamedTensor& tensor : weights->tensors) {
    const auto elems = checked_product(tensor.dims);
    fuzz::require(elems && tensor.data.size() == (tensor.is_counter ? 0 : *elems),
                  "a tensor holds what its shape says");
    total += tensor.data.size() * sizeof(float);
  }
  fuzz::require(total <= 4 * file_bytes, "tensors are in proportion to their file");
  for (const auto& net : converters::all_architectures()) {
    if (!net.recognises(*weights)) continue;
    const auto model = net.build(StateDict(*weights));
    fuzz::require(model.status().code() != StatusCode::kInternal, "no internal error");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::span bytes(data, size);
  bool recognised = false;
  for (const converters::Format& format : converters::all_formats()) {
    if (!format.recognises(bytes.first(std::min<size_t>(size, 64)), "")) continue;
    recognised = true;
    fuzz::MemoryFile::instance().replace(bytes);
    const auto source = format.read(fuzz::MemoryFile::instance().path(), {});
    const StateDict* weights = source.ok() ? std::get_if<StateDict>(&*source) : nullptr;
    if (weights != nullptr || !source.ok())
      check(weights != nullptr ? Result<StateDict>(*weights) : source.status(), size);
  }
  if (!recognised) check(read_bare(bytes), size);
  return 0;
}

// In a zip archive mostly the inside of an entry.
extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size,
                                          unsigned int seed) {
  const auto change = [](uint8_t* bytes, size_t count) { LLVMFuzzerMutate(bytes, count, count); };
  if (seed % 8 != 0 && fuzz::change_zip_entry({data, size}, seed / 8, change)) return size;
  return LLVMFuzzerMutate(data, size, max_size);
}
