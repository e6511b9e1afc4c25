#pragma once

// The two networks with real weights, the photos, and extractions from them. Everything here needs
// the assets (CONTRIBUTING.md): call skip_without_assets() in SetUp().

#include <iosfwd>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/base/cpu_features.h"
#include "engine/image/image.h"
#include "penult/extractor.h"
#include "penult/model.h"

namespace penult::testing {

struct RealNet {
  const char* name;     // the architecture, and the goldens' prefix
  const char* weights;  // file in the assets
};
std::span<const RealNet> real_nets();
void PrintTo(const RealNet& net, std::ostream* out);  // for messages of GoogleTest

// Ends the test unless PENULT_ASSETS names a folder: skips it, or fails it if
// PENULT_REQUIRE_ASSETS=1. To be called in SetUp(), which then keeps the test's body from running.
void skip_without_assets();

// Converts the weights. Null after a test failure.
enum class Through {
  kMemory,  // Model::from_data
  kFile,    // written as a .penult file and loaded from it
};
std::shared_ptr<const Model> load_real_net(const RealNet& net, Through through);

Result<Image> load_photo(const std::string& file_name);

// A backend, and for native the ISA class it is held to.
struct Target {
  std::string backend = "native";
  Isa isa = Isa::kScalar;
  std::string name() const;  // "reference", "native_avx2"
};
void PrintTo(const Target& target, std::ostream* out);
std::vector<Target> all_targets();  // reference, and native at each level

// The names of all taps, in execution order.
std::vector<std::string> tap_names(const Model& model);

struct Maps {
  std::vector<OutputInfo> outputs;
  std::vector<std::vector<float>> values;  // by output: n * elems
};

struct Request {
  std::vector<std::string> taps;
  Target target = {};
  int64_t size = 0;  // input side in pixels
  int64_t max_batch = 1;
  int threads = 1;
};
// An extractor of whole maps (Pooling::kNone). Null after a test failure, also if it does not use
// the target that was asked for.
std::unique_ptr<Extractor> make_extractor(const std::shared_ptr<const Model>& model,
                                          const Request& request);
// One run over n images.
Maps run(Extractor& extractor, std::span<const float> images, int64_t n);
// Both. Empty after a test failure.
Maps extract(const std::shared_ptr<const Model>& model, const Request& request,
             std::span<const float> images);

}  // namespace penult::testing
