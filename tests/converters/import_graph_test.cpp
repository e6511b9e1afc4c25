// Files with a graph through import_file(): whose names the model gets, and what the user is told.

#include <gmock/gmock.h>

#include "converters/importer.h"
#include "engine/base/digest.h"
#include "tests/converters/onnx_file_writer.h"

namespace penult::converters {
namespace {

using namespace onnx::testing;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

class ImportGraph : public ::testing::Test {
 protected:
  ImportGraph() { folder_.write("relu.onnx", model(relu_graph())); }
  Result<ModelData> import(const std::string& architecture, ImportReport* report = nullptr) const {
    ImportOptions options;
    options.arch = architecture;
    return import_file(folder_.path("relu.onnx"), options, report);
  }
  Folder folder_;
};

TEST_F(ImportGraph, OfNoKnownArchitectureKeepsTheNamesOfTheFile) {
  ImportReport report;
  const auto model = import("", &report);
  ASSERT_TRUE(model.ok()) << model.status().message();
  EXPECT_EQ(model->info.architecture, "custom");
  EXPECT_THAT(report.notes, Contains(HasSubstr("no known architecture")));
}

TEST_F(ImportGraph, OfAnotherArchitectureThanTheUserSaysIsRefused) {
  const auto model = import("resnet18");
  EXPECT_EQ(model.status().code(), StatusCode::kModelInvalid);
  EXPECT_THAT(model.status().message(),
              HasSubstr("graph is not that of resnet18 (--arch): no conv2d is there where "
                        "\"conv1\" should be; without --arch it is taken as it is"));
}

std::string sha256(std::string_view text) {
  Sha256 hash;
  hash.update({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
  return hash.hex_digest();
}

// Two constants that are added to the input, each in a file of its own.
class ImportExternalData : public ::testing::Test {
 protected:
  static std::string external(const std::string& name, const std::string& location) {
    return initializer(tensor(name, {1}, kF32,
                              bytes(13, entry("location", location)) +
                                  bytes(13, entry("offset", "0")) +
                                  bytes(13, entry("length", "4")) + number(14, 1)));
  }
  static std::string add_two(const std::string& first, const std::string& second) {
    return model(graph_node(node("Add", {"x", "a"}, {"s"})) +
                 graph_node(node("Add", {"s", "b"}, {"y"})) + first + second +
                 graph_input(value("x", {1, 3, 8, 8})) + graph_output(value("y", {})));
  }
  static std::string four_bytes(float of) { return raw(std::vector<float>{of}); }

  void SetUp() override {
    folder_.write("a.data", four_bytes(1));
    folder_.write("b.data", four_bytes(2));
  }
  // Of import_file() with --external-data.
  std::string hash_of(const std::string& file) {
    folder_.write("add.onnx", file);
    report_ = {};
    ImportOptions options;
    options.external_data = true;
    const auto imported = import_file(folder_.path("add.onnx"), options, &report_);
    EXPECT_TRUE(imported.ok()) << imported.status().message();
    return imported.ok() ? imported->info.source_sha256 : "";
  }
  Folder folder_;
  ImportReport report_;
};

TEST_F(ImportExternalData, IsInTheHashOfTheSource) {
  // b.data is read first; the order is that of the names.
  const std::string file = add_two(external("b", "b.data"), external("a", "a.data"));
  const std::string before = hash_of(file);
  EXPECT_EQ(before, sha256(sha256(file) + sha256(four_bytes(1)) + sha256(four_bytes(2))));
  EXPECT_THAT(report_.notes, Not(Contains(HasSubstr("--external-data"))));
  folder_.write("b.data", four_bytes(3));
  EXPECT_NE(hash_of(file), before);
}

TEST_F(ImportExternalData, OfOneFileForSeveralTensorsCountsOnce) {
  const std::string eight_bytes = raw(std::vector<float>{1, 2});
  folder_.write("b.data", eight_bytes);
  const std::string file = add_two(external("a", "b.data"), external("b", "b.data"));
  EXPECT_EQ(hash_of(file), sha256(sha256(file) + sha256(eight_bytes)));
}

TEST_F(ImportExternalData, AskedForInVainLeavesTheHashAndIsNoted) {
  const auto inside = [](const char* name) {
    return initializer(tensor(name, {1}, kF32, raw_data(four_bytes(1))));
  };
  const std::string file = add_two(inside("a"), inside("b"));
  EXPECT_EQ(hash_of(file), sha256(file));
  EXPECT_THAT(report_.notes, Contains("--external-data: the file keeps all its weights itself"));
}

}  // namespace
}  // namespace penult::converters
