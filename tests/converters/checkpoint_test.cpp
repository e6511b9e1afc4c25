// Checkpoints: which of their entries is taken, and what their names lose.

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "converters/pytorch/formats.h"
#include "converters/pytorch/state_dict.h"
#include "converters/tensor_names.h"
#include "engine/base/text.h"
#include "tests/support/tiny_model.h"

namespace penult::converters {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using Kind = Object::Kind;
using namespace std::string_literals;

std::vector<std::string> names_of(const StateDict& dict) {
  std::vector<std::string> names;
  for (const NamedTensor& tensor : dict.tensors) names.push_back(tensor.name);
  return names;
}

// A pickle made by hand.
class Maker {
 public:
  Ref text(const std::string& value) {
    Object& object = make(Kind::kText);
    object.text = value;
    return &object;
  }
  Ref opaque(const std::string& name) {
    Object& object = make(Kind::kOpaque);
    object.text = name;
    return &object;
  }
  Ref tensor() {
    Object& storage = make(Kind::kStorage);
    storage.items = {text("0")};
    storage.number = 1;
    Object& object = make(Kind::kTensor);
    object.items = {&storage};
    return &object;
  }
  Ref dict(const std::vector<std::pair<std::string, Ref>>& items) {
    Object& object = make(Kind::kDict);
    for (const auto& [key, value] : items) {
      object.items.push_back(text(key));
      object.items.push_back(value);
    }
    return &object;
  }
  Ref tensors(const std::string& name) { return dict({{name, tensor()}}); }

  Result<StateDict> read(Ref root, const std::string& entry = "") {
    pickle_.root = root;
    static constexpr uint8_t kNumber[4] = {};
    return read_state_dict(
        pickle_, sizeof kNumber,
        [](const Object&) -> Result<std::span<const uint8_t>> {
          return std::span<const uint8_t>(kNumber);
        },
        "a file", entry);
  }

 private:
  Object& make(Kind kind) {
    Object& object = pickle_.objects.emplace_back();
    object.kind = kind;
    return object;
  }
  Pickle pickle_;
};

TEST(Checkpoint, OfSeveralEntriesTheAveragesAreTakenFirst) {
  const std::vector<std::string> order = {
      "state_dict_ema", "model_ema", "ema", "state_dict", "model", "net", "model_state_dict"};
  for (size_t first = 0; first < order.size(); ++first) {
    Maker maker;
    std::vector<std::pair<std::string, Ref>> items;
    for (size_t i = order.size(); i-- > first;)
      items.emplace_back(order[i], maker.tensors(order[i]));
    const auto weights = maker.read(maker.dict(items));
    ASSERT_TRUE(weights.ok()) << weights.status().message();
    EXPECT_THAT(names_of(*weights), ElementsAre(order[first]));
    EXPECT_EQ(weights->format, concat("a file, entry ", quote(order[first])));
  }
}

TEST(Checkpoint, EntriesWithoutTensorsArePassedOver) {
  Maker maker;
  const auto weights = maker.read(maker.dict({{"best", maker.tensor()},
                                              {"model_ema", maker.opaque("Ema")},
                                              {"state_dict", maker.dict({})},
                                              {"net", maker.tensors("w")}}));
  ASSERT_TRUE(weights.ok()) << weights.status().message();
  EXPECT_THAT(names_of(*weights), ElementsAre("w"));
}

TEST(Checkpoint, EntriesMayBeNested) {
  Maker maker;
  const Ref inner = maker.dict({{"decay", maker.opaque("x y")}, {"model", maker.tensors("w")}});
  const auto weights = maker.read(maker.dict({{"ema", inner}}));
  ASSERT_TRUE(weights.ok()) << weights.status().message();
  EXPECT_EQ(weights->format, "a file, entry \"ema.model\"");
}

TEST(Checkpoint, WhatWasNotTakenIsSaid) {
  Maker maker;
  const auto two = maker.read(maker.dict({{"epoch", maker.text("1")},
                                          {"state_dict", maker.tensors("w")},
                                          {"state_dict_ema", maker.tensors("v")},
                                          {"best", maker.dict({{"model", maker.tensors("x")}})}}));
  ASSERT_TRUE(two.ok()) << two.status().message();
  EXPECT_THAT(two->notes, ElementsAre("entry \"state_dict_ema\" was taken; tensors are in "
                                      "\"state_dict\", \"best.model\", too (--entry NAME takes "
                                      "another)"));
  EXPECT_THAT(maker.read(maker.dict({{"model", maker.tensors("w")}}))->notes, ElementsAre());
}

TEST(Checkpoint, AnEntryCanBeChosen) {
  Maker maker;
  const Ref root = maker.dict({{"state_dict", maker.tensors("w")},
                               {"state_dict_ema", maker.tensors("v")},
                               {"best", maker.dict({{"model", maker.tensors("x")}})},
                               {"a.b", maker.tensors("y")}});
  const std::pair<const char*, const char*> entries[] = {
      {"state_dict", "w"}, {"state_dict_ema", "v"}, {"best.model", "x"}, {"a.b", "y"}};
  for (const auto& [entry, name] : entries) {
    const auto weights = maker.read(root, entry);
    ASSERT_TRUE(weights.ok()) << weights.status().message();
    EXPECT_THAT(names_of(*weights), ElementsAre(name));
    EXPECT_EQ(weights->format, concat("a file, entry ", quote(entry)));
    EXPECT_THAT(weights->notes, ElementsAre());
  }
}

TEST(Checkpoint, AnUnknownChoiceListsTheEntriesWithTensors) {
  Maker maker;
  const Ref root = maker.dict({{"model", maker.tensors("w")}, {"epoch", maker.text("1")}});
  for (const char* entry : {"epoch", "mod", "model.w", "w"}) {
    const Status status = maker.read(root, entry).status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
    EXPECT_EQ(status.message(), concat("--entry: the file has no entry ", quote(entry),
                                       " that holds tensors; expected one of \"model\""));
  }
  EXPECT_THAT(maker.read(maker.tensors("w"), "w").status().message(),
              HasSubstr("it holds them itself, without entries"));
}

TEST(Checkpoint, EntriesOfWhichNoneIsTheNetworksAreListed) {
  Maker maker;
  const std::pair<std::string, Ref> teacher = {"teacher", maker.tensors("w")};
  const std::pair<std::string, Ref> student = {"student", maker.tensors("w")};
  // A number beside them is no network.
  for (const Ref root : {maker.dict({teacher, student}),
                         maker.dict({{"epoch", maker.tensor()}, teacher, student})}) {
    const Status status = maker.read(root).status();
    EXPECT_EQ(status.code(), StatusCode::kFormatUnsupported);
    EXPECT_THAT(status.message(), HasSubstr("in the entries \"teacher\", \"student\", expected"));
    EXPECT_THAT(status.message(), HasSubstr("--entry NAME"));
    EXPECT_THAT(names_of(*maker.read(root, "student")), ElementsAre("w"));
  }
}

TEST(Checkpoint, ListsOfEntriesEnd) {
  Maker maker;
  std::vector<std::pair<std::string, Ref>> many;
  for (int i = 0; i < 2000; ++i) many.emplace_back(concat("e", i), maker.tensors("w"));
  EXPECT_THAT(maker.read(maker.dict(many)).status().message(), HasSubstr("\"e7\" and 992 more"));
}

// Each of many keys leads to one large dict, twice over: quadratic, if each way were gone.
TEST(Checkpoint, OneDictUnderManyKeysIsGoneThroughOnce) {
  Maker maker;
  const Ref number = maker.text("1");
  std::vector<std::pair<std::string, Ref>> items(100'000, {"x", number});
  const Ref large = maker.dict(items);
  items.assign(100'000, {"y", large});
  const Ref larger = maker.dict(items);
  items.assign(100'000, {"z", larger});
  EXPECT_THAT(maker.read(maker.dict(items)).status().message(), HasSubstr("holds no tensors"));
}

TEST(Checkpoint, TypesThatAreNotReadAreNamedWithAWayOut) {
  const std::pair<const char*, const char*> makers[] = {
      {"torch float8_e4m3fn",
       "\"torch.float8_e4m3fn\"; convert to float32: torch.save({k: v.float()"},
      {"torch qint8", "\"torch.qint8\", of a quantised network; take the float32 network"},
      {"torch._utils _rebuild_qtensor", "a quantised tensor; convert to float32: v.dequantize()"}};
  for (const auto& [name, words] : makers) {
    Maker maker;
    const Ref alone = maker.dict({{"x", maker.opaque(name)}});
    for (const Ref root : {maker.dict({{"w", maker.tensor()}, {"x", maker.opaque(name)}}), alone,
                           maker.dict({{"state_dict", alone}})}) {
      const Status status = maker.read(root).status();
      EXPECT_EQ(status.code(), StatusCode::kFormatUnsupported);
      EXPECT_THAT(status.message(), HasSubstr(words));
    }
  }
}

TEST(Checkpoint, ADictOfTensorsHasNoOtherEntries) {
  Maker maker;
  const auto other = maker.read(maker.dict({{"w", maker.tensor()}, {"x", maker.text("y")}}));
  EXPECT_EQ(other.status().code(), StatusCode::kFormatUnsupported);
  EXPECT_THAT(other.status().message(), HasSubstr("entry \"x\" is not a tensor"));
  const auto unknown =
      maker.read(maker.dict({{"w", maker.tensor()}, {"x", maker.opaque("torch._utils f")}}));
  EXPECT_EQ(unknown.status().code(), StatusCode::kFormatUnsupported);
  EXPECT_THAT(unknown.status().message(), HasSubstr("entry \"x\" is made by \"torch._utils.f\""));
}

TEST(Checkpoint, AnUnknownEntryWithTensorsIsNamed) {
  Maker maker;
  const auto weights = maker.read(maker.dict({{"generator", maker.tensors("w")}}));
  EXPECT_EQ(weights.status().code(), StatusCode::kFormatUnsupported);
  EXPECT_THAT(weights.status().message(), HasSubstr("the tensors are in the entry \"generator\""));
}

TEST(Checkpoint, WholeModulesAreRefusedWithAWayOut) {
  Maker maker;
  for (const Ref root :
       {maker.opaque("nets ResNet"), maker.dict({{"model", maker.opaque("nets ResNet")}})}) {
    const Status status = maker.read(root).status();
    EXPECT_EQ(status.code(), StatusCode::kFormatUnsupported);
    EXPECT_THAT(status.message(), HasSubstr("an object of \"nets.ResNet\""));
    EXPECT_THAT(status.message(), HasSubstr("torch.save(model.state_dict()"));
    EXPECT_THAT(status.message(), HasSubstr("torch.onnx.export"));
  }
}

StateDict with_names(const std::vector<std::string>& names) {
  StateDict weights;
  for (const std::string& name : names) weights.tensors.emplace_back().name = name;
  weights.format = "a file";
  return weights;
}

TEST(Prefixes, GoWhileEveryNameHasThem) {
  StateDict weights = with_names({"module._orig_mod.backbone.a", "module._orig_mod.backbone.b.c"});
  strip_prefixes(weights);
  EXPECT_THAT(names_of(weights), ElementsAre("a", "b.c"));
  EXPECT_EQ(weights.format, "a file, names without \"module._orig_mod.backbone.\"");
}

TEST(Prefixes, StayIfANameHasAnotherOrNothingBehind) {
  for (const char* other : {"head.a", "module.", "modulex"}) {
    StateDict weights = with_names({"module.a", other});
    strip_prefixes(weights);
    EXPECT_THAT(names_of(weights), ElementsAre("module.a", other));
    EXPECT_EQ(weights.format, "a file");
  }
}

TEST(Prefixes, TheCountOfAnAveragedModelGoesToo) {
  StateDict weights = with_names({"n_averaged", "module.a"});
  weights.tensors[0].is_counter = true;
  strip_prefixes(weights);
  EXPECT_THAT(names_of(weights), ElementsAre("a"));
  StateDict counts = with_names({"n_averaged"});
  counts.tensors[0].is_counter = true;
  strip_prefixes(counts);
  EXPECT_THAT(names_of(counts), ElementsAre("n_averaged"));
}

struct Container {
  const char* file;
  Result<StateDict> (*read)(const std::string& path, const ReadOptions& options);
};

class CheckpointFiles : public ::testing::TestWithParam<Container> {
 protected:
  std::string path() const {
    return concat(PENULT_FIXTURES_DIR, "/torch_checkpoint_", GetParam().file, ".pt");
  }
  std::string content() const {
    std::ifstream in(path(), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
};

// A training script's: settings, numpy's numbers, optimizer and scheduler beside the tensors.
TEST_P(CheckpointFiles, OfPyTorchAreReadWithoutWhatTheyHoldBeside) {
  const auto weights = GetParam().read(path(), {});
  ASSERT_TRUE(weights.ok()) << weights.status().message();
  EXPECT_THAT(names_of(*weights),
              ElementsAre("0.weight", "0.bias", "1.weight", "1.bias", "1.running_mean",
                          "1.running_var", "1.num_batches_tracked"));
  EXPECT_THAT(weights->tensors[0].dims, ElementsAre(2, 1, 1, 1));
  EXPECT_THAT(weights->format, EndsWith(", entry \"state_dict\", names without \"module.\""));
}

TEST_P(CheckpointFiles, AreNotReadTruncated) {
  const std::string bytes = content();
  const penult::testing::TemporaryFile file("cut.pt");
  file.write(bytes);
  for (size_t size = bytes.size(); size-- > 0;) {
    file.resize(size);
    EXPECT_EQ(GetParam().read(file.path(), {}).status().code(), StatusCode::kFormatCorrupt) << size;
  }
}

TEST_P(CheckpointFiles, AreReadOrRefusedWhicheverByteIsChanged) {
  const std::string bytes = content();
  const penult::testing::TemporaryFile file("changed.pt");
  file.write(bytes);
  for (size_t at = 0; at < bytes.size(); ++at) {
    for (const char byte : {'\0', '\xff', static_cast<char>(bytes[at] ^ 1)}) {
      file.patch(at, std::string(1, byte));
      const StatusCode code = GetParam().read(file.path(), {}).status().code();
      EXPECT_TRUE(code == StatusCode::kOk || code == StatusCode::kFormatCorrupt ||
                  code == StatusCode::kFormatUnsupported || code == StatusCode::kLimitExceeded ||
                  code == StatusCode::kChecksumMismatch)
          << at << ": " << status_code_name(code);
    }
    file.patch(at, bytes.substr(at, 1));
  }
}

INSTANTIATE_TEST_SUITE_P(PyTorch, CheckpointFiles,
                         ::testing::Values(Container{"legacy", read_pytorch_legacy},
                                           Container{"zip", read_pytorch_zip}),
                         [](const auto& suite) { return std::string(suite.param.file); });

TEST(WholeModule, OfPyTorchIsRefusedByName) {
  const Status status =
      read_pytorch_zip(concat(PENULT_FIXTURES_DIR, "/torch_whole_module.pt"), {}).status();
  EXPECT_EQ(status.code(), StatusCode::kFormatUnsupported);
  EXPECT_THAT(status.message(), HasSubstr("\"torch.nn.modules.container.Sequential\""));
}

// An archive of one compressed entry: its directory alone, behind the magic number.
std::string archive_of(const std::string& entry) {
  const std::string directory = "PK\1\2"s + std::string(6, '\0') + "\x08\0"s +
                                std::string(16, '\0') + static_cast<char>(entry.size()) +
                                std::string(17, '\0') + entry;
  return "PK\3\4"s + directory + "PK\5\6\0\0\0\0\1\0\1\0"s + static_cast<char>(directory.size()) +
         "\0\0\0\4\0\0\0\0\0"s;
}

TEST(OtherArchives, OfPyTorchAreNamedWithAWayOut) {
  const std::pair<const char*, const char*> kinds[] = {
      {"net/code/__torch__/net.py", "torch.jit.load(FILE).state_dict()"},
      {"net/constants.pkl", "torch.jit.load(FILE).state_dict()"},
      {"net/archive_format", "torch.export.load(FILE).state_dict,"},
      {"archive_format", "torch.export.load(FILE).state_dict,"},
      {"net/models/model.json", "torch.export.load(FILE).state_dict,"},
      {"serialized_exported_program.json", "torch.export.load(FILE).state_dict,"}};
  for (const auto& [entry, tensors] : kinds) {
    const penult::testing::TemporaryFile file("other.pt");
    file.write(archive_of(entry));
    const Status status = read_pytorch_zip(file.path(), {}).status();
    EXPECT_EQ(status.code(), StatusCode::kFormatUnsupported) << entry;
    EXPECT_THAT(status.message(), HasSubstr(concat("torch.save(", tensors))) << entry;
    EXPECT_THAT(status.message(), HasSubstr("torch.onnx.export")) << entry;
  }
}

TEST(OtherArchives, OfOtherWritersAreNamedWithAWayOut) {
  const std::pair<const char*, const char*> kinds[] = {
      {"conv1.weight.npy", "NumPy arrays (.npz)"},
      {"model.weights.h5", "Keras (.keras)"},
      {"best.pth", "holds \"best.pth\"; unpack it"},
      {"runs/best.safetensors", "holds \"runs/best.safetensors\"; unpack it"}};
  for (const auto& [entry, words] : kinds) {
    const penult::testing::TemporaryFile file("other.pt");
    file.write(archive_of(entry));
    const Status status = read_pytorch_zip(file.path(), {}).status();
    EXPECT_EQ(status.code(), StatusCode::kFormatUnsupported) << entry;
    EXPECT_THAT(status.message(), HasSubstr(words));
  }
}

TEST(OtherArchives, AreNotSeenInTheNamesOfStateDicts) {
  for (const char* entry : {"net/data/code/0", "code", "net/code", "net/constants", "models"}) {
    const penult::testing::TemporaryFile file("compressed.pt");
    file.write(archive_of(entry));
    EXPECT_THAT(read_pytorch_zip(file.path(), {}).status().message(), HasSubstr("is compressed"))
        << entry;
  }
}

}  // namespace
}  // namespace penult::converters
