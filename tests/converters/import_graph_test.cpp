// Files with a graph through import_file(): whose names the model gets, and what the user is told.

#include <gmock/gmock.h>

#include "converters/importer.h"
#include "tests/converters/onnx_file_writer.h"

namespace penult::converters {
namespace {

using onnx::testing::Folder;
using ::testing::Contains;
using ::testing::HasSubstr;

class ImportGraph : public ::testing::Test {
 protected:
  ImportGraph() { folder_.write("relu.onnx", onnx::testing::model(onnx::testing::relu_graph())); }
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

}  // namespace
}  // namespace penult::converters
