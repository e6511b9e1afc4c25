// An ONNX file, with a file beside it that it may name; the graph that becomes of it, the network
// that it may be, and, if it is small, one run of that.

#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>
#include <vector>

#include "converters/architectures/follow.h"
#include "converters/onnx/import.h"
#include "converters/onnx/node_scope.h"
#include "converters/onnx/onnx_model.h"
#include "engine/model/model_data.h"
#include "penult/extractor.h"
#include "tests/fuzz/target.h"

namespace {

using namespace penult;  // NOLINT(google-build-using-namespace)
using converters::onnx::Attribute;
using converters::onnx::OnnxModel;
using converters::onnx::Tensor;

constexpr size_t kDataBytes = 256;
constexpr double kMaxWork = 2e6;  // of a run: multiply-accumulates, elements that windows look at
constexpr int64_t kMaxElems = 1 << 18;

// A folder with the model, which lies in memory, and data that it may name: "w.data".
class Folder {
 public:
  static const Folder& instance() {
    static const Folder folder;
    return folder;
  }
  std::string model() const { return path_ + "/model.onnx"; }

 private:
  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "penult_fuzz.XXXXXX").string();
    fuzz::require(::mkdtemp(pattern.data()) != nullptr, "a folder");
    path_ = pattern;
    std::filesystem::create_symlink(fuzz::MemoryFile::instance().path(), model());
    std::ofstream(path_ + "/w.data", std::ios::binary) << std::string(kDataBytes, '\1');
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string path_;
};

// Bytes of its numbers.
uint64_t check(const Tensor& tensor) {
  fuzz::require(tensor.dims.size() <= 8, "few dimensions");
  const uint64_t elems = static_cast<uint64_t>(tensor.elems());
  fuzz::require(tensor.floats.size() == (tensor.is_integer ? 0 : elems) &&
                    tensor.ints.size() == (tensor.is_integer ? elems : 0),
                "a tensor holds what its shape says");
  return tensor.is_integer ? elems * sizeof(int64_t) : elems * sizeof(float);
}

void check(const OnnxModel& model, uint64_t file_bytes) {
  uint64_t total = 0;
  std::set<std::string> known;
  for (const auto& [name, tensor] : model.initializers) {
    total += check(tensor);
    known.insert(name);
  }
  for (const auto& input : model.inputs) known.insert(input.name);
  for (const auto& node : model.nodes) {
    for (const std::string& name : node.inputs) {
      fuzz::require(name.empty() || known.contains(name), "values before their readers");
    }
    known.insert(node.outputs.begin(), node.outputs.end());
    for (const auto& [name, attribute] : node.attributes) {
      if (attribute.kind == Attribute::Kind::kTensor) total += check(attribute.tensor);
      total += attribute.ints.size() * sizeof(int64_t) + attribute.floats.size() * sizeof(float);
    }
  }
  for (const std::string& name : model.outputs) {
    fuzz::require(known.contains(name), "outputs that something yields");
  }
  // A byte may be a number, which takes eight.
  fuzz::require(total <= 8 * (file_bytes + kDataBytes), "numbers are in proportion to their file");
}

// Bytes of numbers that `model` holds, which its file or the importer's budget must account for.
void check_weights(const Graph& graph, uint64_t file_bytes) {
  uint64_t elems = 0;
  for (const WeightInfo& weight : graph.weights) elems += weight.elems();
  fuzz::require(elems <= 3 * (file_bytes + kDataBytes) + converters::onnx::kFreeNumbers,
                "weights are in proportion to their file");
  std::vector<float> numbers;
  for (size_t i = 0; i < graph.weights.size(); ++i) {
    if (graph.weights[i].elems() > static_cast<uint64_t>(kMaxElems)) continue;
    numbers.resize(graph.weights[i].elems());
    fuzz::require(graph.source->read(static_cast<WeightId>(i), numbers).ok(), "weights are there");
  }
}

// What the importer knew of shapes is what the engine infers.
void check_graph(const Graph& imported, const ModelInfo& info) {
  Graph graph = imported;
  fuzz::require(validate(graph).ok(), "an accepted graph is valid");
  const Status inferred = infer_shapes(graph, info.input_c, info.input_h, info.input_w);
  fuzz::require(inferred.ok() || inferred.code() == StatusCode::kLimitExceeded, "shapes fit");
  if (!inferred.ok()) return;
  for (size_t i = 0; i < graph.values.size(); ++i) {
    fuzz::require(graph.values[i].shape == imported.values[i].shape, "shapes are as imported");
  }
}

bool is_small(const Model& model) {
  const Graph& graph = model.data().graph;
  const auto taps = model.taps();
  fuzz::require(taps.ok() && !taps->empty(), "a model has taps");
  double work = 0;
  int64_t elems = 0;
  for (const TapInfo& tap : *taps) work = std::max(work, static_cast<double>(tap.macs));
  for (const penult::Node& node : graph.nodes) {
    double each = 1;
    if (const penult::Attribute* kernel = node.attrs.find("kernel")) {
      for (const int64_t side : kernel->ints) each *= static_cast<double>(side);
    }
    const int64_t size = graph.values[static_cast<size_t>(node.output)].shape.elems();
    work += each * static_cast<double>(size);
    elems = std::max(elems, size);
  }
  return work <= kMaxWork && elems <= kMaxElems && graph.nodes.size() <= 256 &&
         3 * model.input_h() * model.input_w() <= kMaxElems;
}

void run(const std::shared_ptr<const Model>& model) {
  ExtractorOptions options;
  options.taps = {"all"};
  options.pooling = Pooling::kNone;
  options.max_batch = 2;
  options.backend = "reference";
  const auto extractor = Extractor::create(model, options);
  fuzz::require(extractor.ok(), "what was made can be run");
  const auto image_elems = static_cast<size_t>(3 * model->input_h() * model->input_w());
  const std::vector<float> images(2 * image_elems, 0.5f);
  std::vector<std::vector<float>> values;
  for (const OutputInfo& output : (*extractor)->outputs()) {
    values.emplace_back(static_cast<size_t>(2 * output.elems));
  }
  const std::vector<std::span<float>> features(values.begin(), values.end());
  fuzz::require((*extractor)->run(images, 2, features).ok(), "what was made runs");
  for (const std::vector<float>& v : values) {
    fuzz::require(std::memcmp(v.data(), &v[v.size() / 2], v.size() / 2 * sizeof(float)) == 0,
                  "equal images have equal features");
  }
}

// A small one where the file leaves it open; another than the file's own would be refused.
converters::onnx::InputSize input_size(const OnnxModel& model) {
  if (model.inputs.size() != 1 || model.inputs[0].dims.size() != 4) return {};
  const std::vector<int64_t>& dims = model.inputs[0].dims;
  const size_t first = dims[1] != 3 && dims[3] == 3 ? 1 : 2;
  return {.h = dims[first] < 0 ? 16 : 0, .w = dims[first + 1] < 0 ? 16 : 0};
}

void import_and_run(OnnxModel&& onnx, uint64_t file_bytes) {
  const converters::onnx::InputSize size = input_size(onnx);
  auto source = converters::onnx::import_model(std::move(onnx), size);
  fuzz::require(source.status().code() != StatusCode::kInternal, "no internal error");
  if (!source.ok()) return;
  converters::recognise_graph("model.onnx", *source);  // names only: all below holds as before
  ModelData& data = source->model;
  fuzz::require(source->names.size() == data.graph.values.size(), "each value has its names");
  check_weights(data.graph, file_bytes);
  check_graph(data.graph, data.info);
  data.info.source_sha256.assign(64, '0');
  const auto model = Model::from_data(std::move(data));
  if (!model.ok()) {
    const StatusCode code = model.status().code();  // the work, or one weight used too often
    fuzz::require(code == StatusCode::kLimitExceeded, "only limits forbid an accepted graph");
    return;
  }
  if (is_small(**model)) run(*model);
}

// Mutations of the encoded message `bytes` that keep the lengths around them right.
class Mutator {
 public:
  explicit Mutator(unsigned int seed) : state_(seed) {}

  std::string change(std::string_view bytes, int depth) {
    std::vector<Field> fields;
    if (!split(bytes, fields) || fields.empty() || chance(16)) return any_change(bytes);
    Field& field = fields[random() % fields.size()];
    std::vector<Field> inner;
    const bool is_message = field.wire_type == 2 && split(field.payload, inner) && !inner.empty();
    if (is_message && depth < 8 && !chance(4)) {
      field.payload = change(field.payload, depth + 1);
    } else {
      change_field(field, fields);
    }
    std::string out;
    for (const Field& f : fields) append(f, out);
    return out;
  }

 private:
  struct Field {
    uint64_t number = 0, wire_type = 0;
    std::string payload;  // a varint as it is
    int times = 1;
  };

  uint64_t random() {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return state_ >> 33;
  }
  bool chance(unsigned int one_of) { return random() % one_of == 0; }

  // What libFuzzer makes of it, up to 8 bytes longer.
  static std::string any_change(std::string_view bytes) {
    std::string out(bytes);
    out.resize(bytes.size() + 8);
    out.resize(LLVMFuzzerMutate(reinterpret_cast<uint8_t*>(out.data()), bytes.size(), out.size()));
    return out;
  }

  void change_field(Field& field, const std::vector<Field>& fields) {
    switch (random() % 5) {
      case 0:
        field.times = 0;
        return;
      case 1:
        field.times = chance(8) ? 300 : 2;
        return;
      case 2:
        field.payload = fields[random() % fields.size()].payload;
        return;
      case 3:
        field.number = random() % 26 + 1;
        return;
      default:
        field.payload =
            field.wire_type == 0 ? varint(random() >> random() % 31) : any_change(field.payload);
    }
  }

  static std::string varint(uint64_t value) {
    std::string out;
    for (; value >= 0x80; value >>= 7) out += static_cast<char>(0x80 | (value & 0x7f));
    return out + static_cast<char>(value);
  }

  static bool take_varint(std::string_view& from, uint64_t& value) {
    value = 0;
    for (unsigned shift = 0; shift < 64 && !from.empty(); shift += 7) {
      const auto byte = static_cast<uint8_t>(from.front());
      from.remove_prefix(1);
      value |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return true;
    }
    return false;
  }

  static bool split(std::string_view from, std::vector<Field>& fields) {
    while (!from.empty()) {
      uint64_t tag = 0, length = 0;
      if (!take_varint(from, tag) || tag < 8) return false;
      const std::string_view before = from;
      switch (tag & 7) {
        case 0:
          if (!take_varint(from, length)) return false;
          from = before;
          length = 1;
          while ((static_cast<uint8_t>(before[length - 1]) & 0x80) != 0) ++length;
          break;
        case 1:
          length = 8;
          break;
        case 2:
          if (!take_varint(from, length)) return false;
          break;
        case 5:
          length = 4;
          break;
        default:
          return false;
      }
      if (length > from.size()) return false;
      fields.push_back({tag >> 3, tag & 7, std::string(from.substr(0, length))});
      from.remove_prefix(length);
    }
    return true;
  }

  static void append(const Field& field, std::string& out) {
    for (int i = 0; i < field.times; ++i) {
      out += varint(field.number << 3 | field.wire_type);
      if (field.wire_type == 2) out += varint(field.payload.size());
      out += field.payload;
    }
  }

  uint64_t state_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Folder& folder = Folder::instance();
  converters::onnx::is_onnx({data, std::min<size_t>(size, 64)}, "");
  fuzz::MemoryFile::instance().replace({data, size});
  auto model = converters::onnx::read_onnx_model(folder.model(), {.external_data = true});
  fuzz::require(model.status().code() != StatusCode::kInternal, "no internal error");
  if (!model.ok()) return 0;
  check(*model, size);
  import_and_run(std::move(*model), size);
  return 0;
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size,
                                          unsigned int seed) {
  if (seed % 8 == 0) return LLVMFuzzerMutate(data, size, max_size);
  const std::string changed =
      Mutator(seed / 8).change({reinterpret_cast<const char*>(data), size}, 0);
  if (changed.empty() || changed.size() > max_size) return LLVMFuzzerMutate(data, size, max_size);
  std::copy(changed.begin(), changed.end(), data);
  return changed.size();
}
