// A .penult file: loaded, validated, planned and, if it is small, run.

#include <flatbuffers/flatbuffers.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <vector>

#include "engine/base/digest.h"
#include "engine/model/file_layout.h"
#include "engine/model/model_data.h"
#include "penult/extractor.h"
#include "penult_model_generated.h"
#include "tests/fuzz/checksums.h"
#include "tests/fuzz/target.h"

namespace {

using namespace penult;  // NOLINT(google-build-using-namespace)

constexpr uint64_t kMaxPlannedBytes = 64 << 20;
constexpr double kMaxWork = 2e6;  // multiply-accumulates, and elements at which windows look
constexpr int64_t kMaxElems = 1 << 20;

// What pooling looks at does not count as multiply-accumulates.
double work_of(const Graph& graph, const std::vector<TapInfo>& taps) {
  double work = 0;
  for (const TapInfo& tap : taps) work = std::max(work, static_cast<double>(tap.macs));
  for (const Node& node : graph.nodes) {
    double each = 1;
    if (const Attribute* kernel = node.attrs.find("kernel")) {
      for (const int64_t side : kernel->ints) each *= static_cast<double>(side);
    }
    work += each * static_cast<double>(graph.values[node.output].shape.elems());
  }
  return work;
}

// `choice` decides between the ways in which a model can be used.
ExtractorOptions options_of(const std::vector<TapInfo>& taps, uint8_t choice) {
  ExtractorOptions options;
  options.taps = {(choice & 8) != 0 ? "all" : taps.back().name};
  options.pooling = static_cast<Pooling>(choice & 3);
  options.max_batch = 2;
  if (choice % 8 == 4) options.backend = "reference";
  return options;
}

void run(Extractor& extractor, int64_t image_elems) {
  const std::vector<float> images(2 * image_elems, 0.5f);
  std::vector<std::vector<float>> values;
  for (const OutputInfo& output : extractor.outputs()) {
    if (output.elems > kMaxElems) return;
    values.emplace_back(2 * output.elems);
  }
  const std::vector<std::span<float>> features(values.begin(), values.end());
  fuzz::require(extractor.run(images, 2, features).ok(), "what was made runs");
  for (const std::vector<float>& v : values) {
    fuzz::require(std::memcmp(v.data(), &v[v.size() / 2], v.size() / 2 * sizeof(float)) == 0,
                  "equal images have equal features");
  }
}

void use(const std::shared_ptr<const Model>& model, uint8_t choice) {
  const auto taps = model->taps();
  if (!taps.ok()) return;
  fuzz::require(!taps->empty() && model->resolve("all").ok(), "a model has taps");
  for (const TapInfo& tap : *taps) {
    fuzz::require(model->resolve(tap.name).ok(), "a tap is found by its name");
  }
  static_cast<void>(model->resolve("block"));
  static_cast<void>(model->taps(model->input_h() + choice % 8, model->input_w() + choice % 5));
  ExtractorOptions options = options_of(*taps, choice);
  const bool is_reference = options.backend == "reference";  // it has no plan
  const int64_t image_elems = 3 * model->input_h() * model->input_w();
  if (image_elems > kMaxElems || work_of(model->data().graph, *taps) > kMaxWork) return;
  options.backend = "auto";
  const auto bytes = Extractor::planned_bytes(model, options);
  if (!bytes.ok() || *bytes > kMaxPlannedBytes) return;
  if (is_reference) options.backend = "reference";
  const auto extractor = Extractor::create(model, options);
  if (!extractor.ok()) return;  // a weight's checksum
  if (!is_reference) fuzz::require((*extractor)->memory_bytes() == *bytes, "memory is as planned");
  run(**extractor, image_elems);
}

template <typename T>
void set_field(const void* table, flatbuffers::voffset_t field, T value) {
  auto* changed = const_cast<flatbuffers::Table*>(static_cast<const flatbuffers::Table*>(table));
  changed->SetField<T>(field, value, 0);
}

// Gives each weight the place, size and checksum that its dimensions ask for. Returns the bytes
// that the weights take; 0 if they do not fit into `capacity`, or the graph part has no order.
uint64_t repair_weights(std::span<uint8_t> graph, uint8_t* weights, uint64_t capacity) {
  flatbuffers::Verifier verifier(graph.data(), graph.size());
  if (!fbs::VerifyModelBuffer(verifier)) return 0;
  uint64_t at = 0;
  for (const fbs::Weight* weight : *fbs::GetModel(graph.data())->weights()) {
    uint64_t bytes = sizeof(float);
    for (uint32_t d = 0; d < weight->dims()->size(); ++d) {
      int64_t dim = 0;  // may be misaligned
      std::memcpy(&dim, weight->dims()->Data() + d * sizeof dim, sizeof dim);
      if (dim < 1 || static_cast<uint64_t>(dim) > capacity) return 0;
      bytes *= static_cast<uint64_t>(dim);
      if (bytes > capacity) return 0;
    }
    const uint64_t end = align_up(at + bytes, layout::kAlignment);
    if (end > capacity) return 0;
    set_field<uint64_t>(weight, fbs::Weight::VT_OFFSET, at);
    set_field<uint64_t>(weight, fbs::Weight::VT_BYTES, bytes);
    std::fill(weights + at + bytes, weights + end, uint8_t{0});
    auto* crcs = const_cast<flatbuffers::Vector<uint32_t>*>(weight->block_crc32c());
    if (crcs->size() == 1) crcs->Mutate(0, crc32c({weights + at, bytes}));
    at = end;
  }
  return at;
}

// Some numbers of the graph part become small or extreme ones. References between its parts are
// numbers, too; most changes of those do not get past the verifier.
void change_numbers(std::span<uint8_t> graph, std::minstd_rand& random) {
  constexpr int64_t kNumbers[] = {0,         1,     2,  3,   4,
                                  5,         6,     7,  8,   9,
                                  12,        15,    16, 17,  31,
                                  32,        64,    96, 255, 256,
                                  1024,      65535, -1, -2,  int64_t{1} << 40,
                                  2147483647};
  for (auto left = 1 + random() % 3; left > 0; --left) {
    const size_t at = random() % (graph.size() / 4 - 1) * 4;
    const int64_t number = kNumbers[random() % std::size(kNumbers)];
    std::memcpy(&graph[at], &number, random() % 2 == 0 ? 4 : 8);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::MemoryFile& file = fuzz::MemoryFile::instance();
  file.replace({data, size});
  const auto model = Model::load(file.path());
  if (!model.ok()) {
    fuzz::require(model.status().code() != StatusCode::kInternal, "no internal error");
    return 0;
  }
  use(*model, data[layout::kAtHeaderCrc]);
  return 0;
}

// Changes the graph part where it stands, with everything right again that depends on it: the
// fuzzer must get behind checksums, and a changed size of a weight must find its bytes. Sometimes
// it changes the file as libFuzzer would.
extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size,
                                          unsigned int seed) {
  std::minstd_rand random(seed);
  random.discard(2);
  uint64_t graph_bytes = 0;
  if (size >= layout::kHeaderBytes) {
    std::memcpy(&graph_bytes, data + layout::kAtGraphBytes, sizeof graph_bytes);
  }
  const bool known = graph_bytes >= 16 && graph_bytes <= size - layout::kHeaderBytes &&
                     layout::weights_offset(graph_bytes) <= size;
  if (!known || random() % 8 == 0) {
    size = LLVMFuzzerMutate(data, size, max_size);
    if (random() % 4 != 0) fuzz::repair_penult_header({data, size});
    return size;
  }
  const std::span graph(data + layout::kHeaderBytes, graph_bytes);
  if (random() % 3 == 0) {
    LLVMFuzzerMutate(graph.data(), graph.size(), graph.size());
  } else {
    change_numbers(graph, random);
  }
  // Where dimensions grow so do the weights, up to twice the file.
  const uint64_t start = layout::weights_offset(graph_bytes);
  const uint64_t room = std::max<uint64_t>(size, std::min<uint64_t>(max_size, 2 * size));
  std::fill(data + size, data + room, uint8_t{0x3d});
  const uint64_t used = repair_weights(graph, data + start, room - start);
  if (used > 0) size = start + used;
  fuzz::repair_penult_header({data, size});
  return size;
}
