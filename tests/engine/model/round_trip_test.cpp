// loader.cpp and writer.cpp, with the graph part between them.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "engine/base/digest.h"
#include "engine/graph/memory_weights.h"
#include "engine/model/loader.h"
#include "engine/model/weight_file.h"
#include "engine/model/writer.h"
#include "engine/ops/op.h"
#include "tests/support/tiny_model.h"

namespace penult {
namespace {

using testing::TemporaryFile;
using testing::tiny_model;

std::vector<float> weight_of(const ModelData& model, WeightId id) {
  std::vector<float> values(model.graph.weights[static_cast<size_t>(id)].elems());
  const Status status = model.graph.source->read(id, values);
  EXPECT_TRUE(status.ok()) << status.message();
  return values;
}

// Where weight `id` lies in the file.
const WeightRange& range_of(const ModelData& model, WeightId id) {
  return static_cast<const WeightFile&>(*model.graph.source).ranges()[static_cast<size_t>(id)];
}

void expect_written(ModelData& model, const TemporaryFile& file) {
  const Status status = write_model(model, file.path(), Existing::kReplaced);
  ASSERT_TRUE(status.ok()) << status.message();
}

ModelData load(const TemporaryFile& file) {
  Result<ModelData> model = load_model(file.path());
  EXPECT_TRUE(model.ok()) << model.status().message();
  return model.ok() ? std::move(*model) : ModelData{};
}

void expect_refused(ModelData model, StatusCode code) {
  const TemporaryFile file("model.penult");
  EXPECT_EQ(write_model(model, file.path(), Existing::kReplaced).code(), code);
  EXPECT_EQ(file.files_in_folder(), 0u);
}

TEST(ModelFile, TheSameModelGivesTheSameBytes) {
  const TemporaryFile a("a.penult"), b("b.penult");
  ModelData first = tiny_model(), second = tiny_model();
  expect_written(first, a);
  expect_written(second, b);
  EXPECT_EQ(a.content(), b.content());
  EXPECT_EQ(first.info.model_id, second.info.model_id);
  EXPECT_EQ(a.files_in_folder(), 1u);  // no temporary file is left
}

TEST(ModelFile, ALoadedModelIsWhatWasWritten) {
  const TemporaryFile file("model.penult");
  ModelData written = tiny_model();
  written.info.fixed_size = true;
  expect_written(written, file);
  const ModelData read = load(file);
  EXPECT_TRUE(read.info.fixed_size);
  EXPECT_EQ(dump(read.graph), dump(written.graph));
  ASSERT_EQ(read.taps.size(), written.taps.size());
  for (size_t i = 0; i < read.taps.size(); ++i) {
    EXPECT_EQ(read.taps[i].name, written.taps[i].name);
    EXPECT_EQ(read.taps[i].value, written.taps[i].value);
  }
  EXPECT_EQ(read.aliases[1].name, "stem.2");
  EXPECT_EQ(read.groups[0].taps, written.groups[0].taps);
  EXPECT_EQ(read.info.source_sha256, written.info.source_sha256);
  EXPECT_EQ(read.info.preprocess.mean, written.info.preprocess.mean);
  for (WeightId id = 0; id < static_cast<WeightId>(read.graph.weights.size()); ++id) {
    EXPECT_EQ(weight_of(read, id), weight_of(written, id));
  }
}

TEST(ModelFile, ALoadedModelIsWrittenAsTheSameBytes) {
  const TemporaryFile a("a.penult"), b("b.penult");
  ModelData written = tiny_model();
  expect_written(written, a);
  ModelData read = load(a);
  expect_written(read, b);
  EXPECT_EQ(a.content(), b.content());
}

TEST(ModelId, IsTheHashOfTheGraphPart) {
  const TemporaryFile file("model.penult");
  ModelData written = tiny_model();
  expect_written(written, file);
  const std::string bytes = file.content();
  uint64_t graph_bytes = 0;
  for (size_t i = 8; i-- > 0;) graph_bytes = graph_bytes << 8 | static_cast<uint8_t>(bytes[24 + i]);
  Sha256 hash;
  hash.update({reinterpret_cast<const uint8_t*>(bytes.data()) + 64, graph_bytes});
  EXPECT_EQ(written.info.model_id, hash.hex_digest());
  EXPECT_EQ(load(file).info.model_id, written.info.model_id);
}

TEST(ModelId, ChangesWithOneNumberOfAWeight) {
  const TemporaryFile file("model.penult");
  ModelData model = tiny_model();
  expect_written(model, file);
  const std::string before = model.info.model_id;
  std::vector<std::vector<float>> tensors;
  for (WeightId id = 0; id < static_cast<WeightId>(model.graph.weights.size()); ++id) {
    tensors.push_back(weight_of(model, id));
  }
  tensors.back().back() = std::nextafter(tensors.back().back(), 9.0f);
  model.graph.source = std::make_shared<MemoryWeights>(std::move(tensors));
  expect_written(model, file);
  EXPECT_NE(model.info.model_id, before);
}

TEST(Writer, RefusesWhatTheLoaderWouldRefuse) {
  ModelData model = tiny_model();
  model.info.weights_name = "caf\xe9";  // Latin-1
  expect_refused(model, StatusCode::kModelInvalid);
  model = tiny_model();
  model.info.licence = std::string((64 << 10) + 1, 'x');
  expect_refused(model, StatusCode::kModelInvalid);
  model = tiny_model();
  model.aliases[0].name = "next\xc2\x85line";
  expect_refused(model, StatusCode::kModelInvalid);
}

TEST(Writer, RefusesAWeightThatNoNodeUses) {
  ModelData model = tiny_model();
  model.graph.weights.push_back({"left over", {4}});
  expect_refused(std::move(model), StatusCode::kModelInvalid);
}

TEST(Writer, RefusesWeightsThatAreNotFinite) {
  for (const float bad : {NAN, INFINITY, -INFINITY}) {
    ModelData model = tiny_model();
    std::vector<std::vector<float>> tensors;
    for (const WeightInfo& weight : model.graph.weights) tensors.emplace_back(weight.elems(), 1.0f);
    tensors[2][3] = bad;
    model.graph.source = std::make_shared<MemoryWeights>(std::move(tensors));
    expect_refused(std::move(model), StatusCode::kModelInvalid);
  }
}

TEST(Weights, DamageShowsWhenTheBlockIsRead) {
  const TemporaryFile file("model.penult");
  ModelData written = tiny_model();
  expect_written(written, file);
  file.patch(range_of(load(file), 1).offset, "\x7f");
  const ModelData model = load(file);  // loading reads no weights
  weight_of(model, 0);
  std::vector<float> values(model.graph.weights[1].elems());
  EXPECT_EQ(model.graph.source->read(1, values).code(), StatusCode::kChecksumMismatch);
  const Status all = verify_all_weights(model);
  EXPECT_EQ(all.code(), StatusCode::kChecksumMismatch);
  EXPECT_NE(all.message().find("\"stem.1.weight\", block 0"), std::string::npos) << all.message();
}

TEST(Weights, TheLastBlockOfALargeTensorIsShorter) {
  constexpr int64_t kRows = (3 << 20) / 16 + 2;  // of 16 bytes: 3 MiB and 32 bytes, four blocks
  ModelData model = tiny_model();
  model.graph.weights.push_back({"large", {kRows, 4, 1, 1}});
  const auto large = static_cast<WeightId>(model.graph.weights.size()) - 1;
  Attributes attrs;
  attrs.set("strides", {1, 1});
  const ValueId wide = model.graph.add_node(kConv2d, "wide", {3}, {large}, attrs);
  model.taps.push_back({"wide", wide});
  std::vector<std::vector<float>> tensors;
  for (const WeightInfo& weight : model.graph.weights) tensors.emplace_back(weight.elems(), 1.0f);
  model.graph.source = std::make_shared<MemoryWeights>(std::move(tensors));
  const TemporaryFile file("model.penult");
  expect_written(model, file);
  const ModelData read = load(file);
  const WeightRange range = range_of(read, large);
  EXPECT_EQ(range.block_crc32c.size(), 4u);
  EXPECT_TRUE(verify_all_weights(read).ok());
  // A few numbers at a time, across the ends of blocks.
  const auto stream = read.graph.source->open(large);
  std::vector<float> some(100'003);
  for (uint64_t left = range.bytes / sizeof(float); left > 0; left -= some.size()) {
    some.resize(std::min<uint64_t>(some.size(), left));
    ASSERT_TRUE(stream->read(some).ok());
    EXPECT_EQ(std::count(some.begin(), some.end(), 1.0f), static_cast<int64_t>(some.size()));
  }
  file.patch(range.offset + range.bytes - 1, "\x7f");
  const Status status = verify_all_weights(read);
  EXPECT_EQ(status.code(), StatusCode::kChecksumMismatch);
  EXPECT_NE(status.message().find("block 3"), std::string::npos) << status.message();
}

TEST(Weights, PaddingThatIsNotZeroIsRefused) {
  const TemporaryFile file("model.penult");
  ModelData written = tiny_model();
  expect_written(written, file);
  const ModelData model = load(file);
  const WeightRange& range = range_of(model, 1);
  file.patch(range.offset + range.bytes, "\x01");
  EXPECT_EQ(verify_all_weights(model).code(), StatusCode::kFormatCorrupt);
}

TEST(Weights, AFileCutWhileInUseIsAnIoError) {
  const TemporaryFile file("model.penult");
  ModelData written = tiny_model();
  expect_written(written, file);
  const ModelData model = load(file);
  file.resize(file.content().size() - 128);
  EXPECT_EQ(verify_all_weights(model).code(), StatusCode::kIo);
}

}  // namespace
}  // namespace penult
