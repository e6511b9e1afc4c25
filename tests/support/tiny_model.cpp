#include "tests/support/tiny_model.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "engine/ops/op.h"
#include "tests/support/random_net.h"

namespace penult::testing {

namespace fs = std::filesystem;

ModelData tiny_model(uint32_t seed) {
  RandomNet net(seed);
  ValueId x = net.conv("stem.0", net.input(), 3, {.oc = 4, .kernel = 3, .stride = 2});
  x = net.batchnorm("stem.1", x, 4);
  x = net.node(kRelu6, "stem", {x});
  const ValueId block = net.conv("block.conv", x, 4, {.oc = 4, .bias = true});
  x = net.node(kAdd, "block.add", {x, block});
  x = net.node(kGlobalAvgPool, "pool", {x});
  net.linear("classifier", x, 4, 3);
  ModelData model;
  model.graph = net.finish(3, 8, 8);
  for (const Node& node : model.graph.nodes) model.taps.push_back({node.name, node.output});
  model.aliases = {{"penultimate", 5}, {"stem.2", 2}};
  model.groups = {{"blocks", {2, 4}}};
  model.info.architecture = "tiny";
  model.info.weights_name = "random";
  model.info.source_name = "tiny.pt";
  model.info.source_sha256 = std::string(64, '0');
  model.info.producer = "test";
  model.info.input_h = model.info.input_w = 8;
  return model;
}

TemporaryFile::TemporaryFile(const std::string& name) {
  std::string pattern = (fs::temp_directory_path() / "penult_test.XXXXXX").string();
  EXPECT_NE(::mkdtemp(pattern.data()), nullptr);
  folder_ = pattern;
  path_ = folder_ + "/" + name;
}

TemporaryFile::~TemporaryFile() {
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

std::string TemporaryFile::content() const {
  std::ifstream in(path_, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void TemporaryFile::write(const std::string& bytes) const {
  std::ofstream(path_, std::ios::binary) << bytes;
}

void TemporaryFile::patch(size_t offset, const std::string& bytes) const {
  std::fstream out(path_, std::ios::binary | std::ios::in | std::ios::out);
  out.seekp(static_cast<std::streamoff>(offset));
  out << bytes;
}

void TemporaryFile::resize(size_t bytes) const { fs::resize_file(path_, bytes); }

size_t TemporaryFile::files_in_folder() const {
  return static_cast<size_t>(std::distance(fs::directory_iterator(folder_), {}));
}

}  // namespace penult::testing
