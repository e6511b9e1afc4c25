// Runs an ONNX file through the importer and the reference executor, for
// tools/onnx_backend_tests.py.
//
//   run_onnx any|image MODEL.onnx INPUT OUT
//
// any: any input of ranks 1 to 4; image: as `penult convert` takes it. INPUT: float32 numbers of
// one or more inputs, (n,c,h,w). OUT: float32 numbers of all taps (image) or of the last value
// (any), one after the other; their names, shapes and aliases go to stdout, a line each. Exit 1 and
// a message if the importer refuses the file, 2 for anything else.

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <string>

#include "converters/onnx/import.h"
#include "engine/base/check.h"
#include "engine/base/file.h"
#include "engine/exec/reference_executor.h"
#include "engine/passes/passes.h"

namespace penult::converters::onnx {
namespace {

struct Output {
  std::string line;
  ValueId value;
};

std::vector<Output> find_outputs(const ModelData& model, bool is_image) {
  if (!is_image) return {{"output", model.graph.nodes.back().output}};
  std::vector<Output> outputs;
  for (size_t i = 0; i < model.taps.size(); ++i) {
    Output output = {model.taps[i].name, model.taps[i].value};
    for (const Alias& alias : model.aliases) {
      if (alias.tap == static_cast<int>(i)) output.line += "\t" + alias.name;
    }
    outputs.push_back(std::move(output));
  }
  return outputs;
}

Status run(Graph graph, const std::vector<Output>& outputs, const std::vector<float>& input,
           std::FILE* out) {
  const int64_t n = static_cast<int64_t>(input.size()) / graph.values[0].shape.elems();
  std::vector<Delivery> deliveries;
  std::vector<std::vector<float>> features;
  graph.outputs.clear();
  for (const Output& output : outputs) {
    const Shape& shape = graph.values[static_cast<size_t>(output.value)].shape;
    deliveries.push_back({output.value, Pooling::kNone});
    graph.outputs.push_back(output.value);
    features.emplace_back(n * shape.elems());
    std::printf("%s\t%s\n", shape.to_string().c_str(), output.line.c_str());
  }
  PENULT_ASSIGN_OR_RETURN(auto executor, ReferenceExecutor::create(std::move(graph), deliveries));
  const std::vector<std::span<float>> spans(features.begin(), features.end());
  PENULT_RETURN_IF_ERROR(executor->run({.planar = input.data()}, n, spans));
  for (const std::vector<float>& values : features) {
    if (std::fwrite(values.data(), sizeof(float), values.size(), out) != values.size()) {
      return Status(StatusCode::kIo, "cannot write");
    }
  }
  return {};
}

int fail(int code, const Status& status) {
  std::printf("%s\n", status.to_string().c_str());
  return code;
}

int main_of(const std::string& mode, const char* path, const char* input_path, const char* out) {
  Result<OnnxModel> model = read_onnx_model(path, {});
  if (!model.ok()) return fail(1, model.status());
  const bool is_image = mode == "image";
  Result<SourceGraph> source =
      is_image ? import_model(std::move(*model), {}) : import_any(std::move(*model));
  if (!source.ok()) return fail(1, source.status());
  Graph& graph = source->model.graph;
  if (const Status status = validate(graph); !status.ok()) return fail(2, status);
  const Shape shape = graph.values[0].shape;
  if (shape.is_map()) {  // as every reader of the model will
    const Status status = infer_shapes(graph, shape.c, shape.h, shape.w);
    if (!status.ok()) return fail(2, status);
  }
  const Result<std::vector<uint8_t>> bytes = read_file(input_path, uint64_t{1} << 30);
  if (!bytes.ok()) return fail(2, bytes.status());
  std::vector<float> input(bytes->size() / sizeof(float));
  std::memcpy(input.data(), bytes->data(), input.size() * sizeof(float));
  std::FILE* file = std::fopen(out, "wb");
  if (file == nullptr) return 2;
  const Status status = run(std::move(graph), find_outputs(source->model, is_image), input, file);
  std::fclose(file);
  return status.ok() ? 0 : fail(2, status);
}

}  // namespace
}  // namespace penult::converters::onnx

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  return penult::converters::onnx::main_of(argv[1], argv[2], argv[3], argv[4]);
}
