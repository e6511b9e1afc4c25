// Every cut point of a net, fused against unfused native under memcmp, and both against the
// reference.

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <string>
#include <tuple>

#include "engine/base/cpu_features.h"
#include "engine/exec/executor.h"
#include "engine/exec/reference_executor.h"
#include "engine/ops/op.h"
#include "tests/support/random_model.h"
#include "tests/support/random_net.h"

namespace penult {
namespace {

constexpr int64_t kSize = 40;  // odd maps (5, 3) further down

std::vector<float> random_images(const Graph& graph, int64_t n) {
  return testing::random_images(7, n, graph.values[graph.input].shape.h);
}

using Features = std::vector<std::vector<float>>;

Features room_for(const Graph& graph, const std::vector<ValueId>& values, int64_t n) {
  Features features;
  for (const ValueId value : values) {
    features.emplace_back(static_cast<size_t>(n * graph.values[value].shape.elems()), NAN);
  }
  return features;
}

struct Setting {
  Isa isa;
  bool fuse;
  int64_t n = 1;
  int threads = 1;
  int64_t at_once = 0;  // images in a group; 0: as the plan chooses
  uint64_t cache_bytes = uint64_t{1} << 20;
};

Features run_native(Graph graph, const std::vector<ValueId>& values, const Setting& setting) {
  Features features = room_for(graph, values, setting.n);
  std::vector<Delivery> deliveries;
  for (const ValueId value : values) deliveries.push_back({value, Pooling::kNone});
  EXPECT_TRUE(run_passes(graph, values, {.fuse = setting.fuse}).ok());
  Result<Plan> plan = make_plan(graph, deliveries,
                                {.isa = setting.isa,
                                 .max_batch = setting.n,
                                 .threads = setting.threads,
                                 .cache_bytes = setting.cache_bytes,
                                 .images_at_once = setting.at_once});
  EXPECT_TRUE(plan.ok()) << plan.status().message();
  auto workspace = Workspace::create(*plan);
  EXPECT_TRUE(workspace.ok()) << workspace.status().message();
  const std::vector<std::span<float>> spans(features.begin(), features.end());
  const std::vector<float> images = random_images(graph, setting.n);
  EXPECT_TRUE((*workspace)->run({.planar = images.data()}, setting.n, spans).ok());
  return features;
}

Features run_reference(Graph graph, const std::vector<ValueId>& values, int64_t n) {
  Features features = room_for(graph, values, n);
  std::vector<Delivery> deliveries;
  for (const ValueId value : values) deliveries.push_back({value, Pooling::kNone});
  graph.outputs = values;
  remove_dead(graph);
  const std::vector<float> images = random_images(graph, n);
  auto executor = ReferenceExecutor::create(std::move(graph), deliveries);
  EXPECT_TRUE(executor.ok()) << executor.status().message();
  const std::vector<std::span<float>> spans(features.begin(), features.end());
  EXPECT_TRUE((*executor)->run({.planar = images.data()}, n, spans).ok());
  return features;
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

std::vector<ValueId> all_values(const Graph& graph) {
  std::vector<ValueId> values;
  for (const Node& node : graph.nodes) values.push_back(node.output);
  return values;
}

struct Net {
  const char* name;
  Graph (*make)(uint32_t seed, int64_t size);
};

using Param = std::tuple<Isa, Net>;

class FusionBits : public ::testing::TestWithParam<Param> {
 protected:
  void SetUp() override {
    if (!is_supported(isa())) GTEST_SKIP() << "this machine lacks " << isa_name(isa());
  }
  static Isa isa() { return std::get<0>(GetParam()); }
  static Graph net(uint32_t seed, int64_t size = kSize) {
    return std::get<1>(GetParam()).make(seed, size);
  }
};

TEST_P(FusionBits, EveryCutPointEqualsTheUnfusedNativeSequence) {
  const Graph graph = net(1);
  for (const ValueId value : all_values(graph)) {
    const Features unfused = run_native(graph, {value}, {isa(), false});
    const Features fused = run_native(graph, {value}, {isa(), true});
    EXPECT_TRUE(same_bits(fused[0], unfused[0])) << graph.values[value].name;
  }
}

TEST_P(FusionBits, GroupsOfABatchChangeNothing) {
  const Graph graph = net(3);
  const std::vector<ValueId> values = all_values(graph);
  const Features together = run_native(graph, values, {isa(), true, 7, 1, 7});
  for (const int threads : {1, 2, 3}) {
    for (const int64_t at_once : {1, 2, 3, 6}) {
      const Features groups = run_native(graph, values, {isa(), true, 7, threads, at_once});
      for (size_t i = 0; i < values.size(); ++i) {
        EXPECT_TRUE(same_bits(groups[i], together[i]))
            << graph.values[values[i]].name << ", " << at_once << " at once, " << threads;
      }
    }
  }
}

// Every value of `graph` over rings, so many rows at a time, against the same over maps.
void expect_rings_change_nothing(const Graph& graph, Isa isa, int64_t n,
                                 const std::vector<int>& threads,
                                 const std::vector<uint64_t>& band_rows) {
  for (const ValueId value : all_values(graph)) {
    const Features maps = run_native(graph, {value}, {isa, true, n});
    for (const int count : threads) {
      for (const uint64_t rows : band_rows) {
        const Features rings = run_native(graph, {value}, {isa, true, n, count, 0, rows});
        EXPECT_TRUE(same_bits(rings[0], maps[0]))
            << graph.values[value].name << ", " << count << " threads, " << rows << " rows";
      }
    }
  }
}

// Bands of one row and of several, whose rings begin anew at each picture and at each thread's
// first row.
TEST_P(FusionBits, RingsChangeNothing) {
  expect_rings_change_nothing(net(4), isa(), 3, {1, 2, 3, 4}, {1, 3, 8});
}

// Chains as caches of real sizes make them: some begin within a run of steps, their bands differ in
// height, and a batch goes in groups.
TEST_P(FusionBits, ChainsOfRealCachesChangeNothing) {
  const Graph graph = net(6, 3 * kSize);
  const std::vector<ValueId> last = {graph.nodes.back().output};
  const Features maps = run_native(graph, last, {isa(), true, 3, 1, 3, uint64_t{1} << 30});
  for (const uint64_t cache_bytes : {200'000, 400'000, 600'000}) {
    for (const int threads : {1, 2}) {
      const Features rings = run_native(graph, last, {isa(), true, 3, threads, 0, cache_bytes});
      EXPECT_TRUE(same_bits(rings[0], maps[0]))
          << threads << " threads, " << cache_bytes << " bytes";
    }
  }
}

// Windows taller than the maps under them, one behind the other: rows far outside a map are
// nobody's.
TEST_P(FusionBits, RingsOfLowMapsChangeNothing) {
  testing::RandomNet net(5);
  ValueId x = net.input();
  constexpr int64_t kStrides[] = {2, 2, 2, 2, 1, 2, 1};  // 20, 10, 5, 3, 3, 2, 2 rows
  for (size_t i = 0; i < std::size(kStrides); ++i) {
    const std::string name = "block" + std::to_string(i);
    x = net.conv(name + ".expand", x, i == 0 ? 3 : 8, {.oc = 24});
    x = net.conv(name + ".depthwise", x, 24,
                 {.oc = 24, .kernel = 5, .stride = kStrides[i], .groups = 24});
    x = net.conv(name + ".project", x, 24, {.oc = 8});
  }
  expect_rings_change_nothing(net.finish(3, kSize, kSize), isa(), 2, {1, 2}, {1, 2, 5});
}

TEST_P(FusionBits, OtherTapsBatchPositionAndThreadsChangeNothing) {
  const Graph graph = net(2);
  const std::vector<ValueId> values = all_values(graph);
  const Features everything = run_native(graph, values, {isa(), true, 3, 2});
  for (size_t i = 0; i < values.size(); ++i) {
    for (const int threads : {1, 2, 3}) {
      const Features alone = run_native(graph, {values[i]}, {isa(), true, 1, threads});
      const std::vector<float> first(everything[i].begin(),
                                     everything[i].begin() + static_cast<long>(alone[0].size()));
      EXPECT_TRUE(same_bits(alone[0], first)) << graph.values[values[i]].name << ", " << threads;
    }
    const Features batch = run_native(graph, {values[i]}, {isa(), true, 3, 1});
    EXPECT_TRUE(same_bits(batch[0], everything[i])) << graph.values[values[i]].name;
  }
}

TEST_P(FusionBits, EveryValueIsCloseToTheReferenceOnTheUnfoldedGraph) {
  const Graph graph = net(3);
  const std::vector<ValueId> values = all_values(graph);
  const Features reference = run_reference(graph, values, 2);
  for (size_t i = 0; i < values.size(); ++i) {
    const Features native = run_native(graph, {values[i]}, {isa(), true, 2, 2});
    double largest = 0, worst = 0;
    for (size_t k = 0; k < reference[i].size(); ++k) {
      largest = std::max(largest, std::abs(static_cast<double>(reference[i][k])));
      worst = std::max(worst, std::abs(static_cast<double>(reference[i][k]) -
                                       static_cast<double>(native[0][k])));
    }
    EXPECT_GT(largest, 0) << graph.values[values[i]].name;
    EXPECT_LE(worst, 1e-5 * largest) << graph.values[values[i]].name;
  }
}

constexpr Net kNets[] = {{"InvertedResidual", testing::inverted_residual_net},
                         {"Mixed", testing::mixed_net}};

INSTANTIATE_TEST_SUITE_P(EveryIsa, FusionBits,
                         ::testing::Combine(::testing::ValuesIn(all_isas()),
                                            ::testing::ValuesIn(kNets)),
                         [](const auto& param) {
                           return isa_name(std::get<0>(param.param)) + std::string("_") +
                                  std::get<1>(param.param).name;
                         });

}  // namespace
}  // namespace penult
