#pragma once

// All networks that tests have weights for and that run at 64 pixels, the real and the seeded ones,
// as one list, and pictures to run them on.

#include <cstdint>
#include <iosfwd>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "penult/model.h"
#include "tests/support/real_nets.h"

namespace penult::testing {

struct EveryNet {
  std::string name;               // the architecture
  const RealNet* real = nullptr;  // null: the weights are seeded
  bool heavy = false;             // the whole matrix would take minutes
};
std::span<const EveryNet> every_net();
void PrintTo(const EveryNet& net, std::ostream* out);  // for messages of GoogleTest

// Ends the test if the network needs assets and they are not there. To be called in SetUp().
void skip_without_assets(const EveryNet& net);

// Null after a test failure.
std::shared_ptr<const Model> load_net(const EveryNet& net);

// (count, 3, size, size): pictures of which no two are alike. Photos at several distances, which
// need the assets; or noise, as normalised as photos are.
std::vector<float> photo_pictures(const Model& model, int64_t size, int64_t count);
std::vector<float> seeded_pictures(int64_t size, int64_t count);
// What the network has been trained on, if it has been trained.
std::vector<float> pictures(const EveryNet& net, const Model& model, int64_t size, int64_t count);

}  // namespace penult::testing
