// A .penult file: loaded, validated, planned and, if it is small, run. The checksums of header and
// graph part are made right, so that the fuzzer gets behind them.

#include <algorithm>
#include <cstring>
#include <vector>

#include "engine/base/digest.h"
#include "engine/model/file_layout.h"
#include "penult/extractor.h"
#include "tests/fuzz/target.h"

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

namespace {

using namespace penult;  // NOLINT(google-build-using-namespace)

constexpr uint64_t kMaxMacs = 2'000'000, kMaxBytes = 64 << 20;

void run(const std::shared_ptr<const Model>& model) {
  const auto taps = model->taps();
  if (!taps.ok() || taps->empty()) return;
  uint64_t macs = 0;
  for (const TapInfo& tap : *taps) macs = std::max(macs, tap.macs);
  if (macs > kMaxMacs || model->input_h() * model->input_w() > 64 * 64) return;
  ExtractorOptions options;
  options.taps = {taps->back().name};
  options.max_batch = 2;
  const auto bytes = Extractor::planned_bytes(model, options);
  if (!bytes.ok() || *bytes > kMaxBytes) return;
  const auto extractor = Extractor::create(model, options);
  if (!extractor.ok()) return;  // a weight's checksum
  fuzz::require((*extractor)->memory_bytes() == *bytes, "memory is as planned");
  const int64_t elems = (*extractor)->outputs()[0].elems;
  if (elems > 1 << 20) return;
  const std::vector<float> images(2 * 3 * model->input_h() * model->input_w(), 0.5f);
  std::vector<float> values(2 * elems);
  const std::span<float> features[] = {values};
  fuzz::require((*extractor)->run(images, 2, features).ok(), "what was made runs");
  fuzz::require(std::memcmp(values.data(), values.data() + elems, elems * sizeof(float)) == 0,
                "equal images have equal features");
}

#ifdef PENULT_LIBFUZZER
void put_le(uint8_t* to, uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) to[i] = static_cast<uint8_t>(value >> (8 * i));
}
#endif

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::MemoryFile& file = fuzz::MemoryFile::instance();
  file.replace({data, size});
  const auto model = Model::load(file.path());
  if (!model.ok()) {
    fuzz::require(model.status().code() != StatusCode::kInternal, "no internal error");
    return 0;
  }
  run(*model);
  return 0;
}

#ifdef PENULT_LIBFUZZER
extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size,
                                          unsigned int seed) {
  size = LLVMFuzzerMutate(data, size, max_size);
  if (size < layout::kHeaderBytes || seed % 8 == 0) return size;
  uint64_t graph_bytes = 0;
  std::memcpy(&graph_bytes, data + layout::kAtGraphBytes, sizeof graph_bytes);
  if (graph_bytes > size - layout::kHeaderBytes) return size;
  if (seed % 8 == 1) put_le(data + layout::kAtFileBytes, size, 8);
  put_le(data + layout::kAtGraphCrc, crc32c({data + layout::kHeaderBytes, graph_bytes}), 4);
  put_le(data + layout::kAtHeaderCrc, crc32c({data, layout::kAtHeaderCrc}), 4);
  return size;
}
#endif
