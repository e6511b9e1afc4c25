// Model::taps on receptive fields against the networks themselves: a NaN in a row of the picture
// reaches exactly the rows of a map that can see it.

#include <gtest/gtest.h>

#include <cmath>

#include "engine/ops/op.h"
#include "penult/extractor.h"
#include "tests/support/random_model.h"
#include "tests/support/random_net.h"

namespace penult {
namespace {

constexpr int64_t kSize = 40;

// The first and last row of the picture that reaches a row of a map; first > last: none.
struct Seen {
  int64_t first = kSize, last = -1;
};

// By tap and row of its map.
using SeenRows = std::vector<std::vector<Seen>>;

void note(const TapInfo& tap, const std::vector<float>& map, int64_t row, std::vector<Seen>& seen) {
  for (int64_t h = 0; h < tap.h; ++h) {
    bool reached = false;
    for (int64_t c = 0; c < tap.c; ++c) {
      for (int64_t w = 0; w < tap.w; ++w) {
        reached |= std::isnan(map[static_cast<size_t>((c * tap.h + h) * tap.w + w)]);
      }
    }
    if (!reached) continue;
    seen[static_cast<size_t>(h)].first = std::min(seen[static_cast<size_t>(h)].first, row);
    seen[static_cast<size_t>(h)].last = std::max(seen[static_cast<size_t>(h)].last, row);
  }
}

SeenRows look(const std::shared_ptr<const Model>& model, const std::vector<TapInfo>& taps) {
  ExtractorOptions options;
  options.taps = {"all"};
  options.pooling = Pooling::kNone;
  options.max_batch = 1;
  options.backend = "reference";
  auto extractor = Extractor::create(model, options);
  EXPECT_TRUE(extractor.ok()) << extractor.status().message();
  std::vector<std::vector<float>> maps;
  for (const OutputInfo& output : (*extractor)->outputs()) maps.emplace_back(output.elems);
  const std::vector<std::span<float>> spans(maps.begin(), maps.end());
  SeenRows seen(taps.size());
  for (size_t t = 0; t < taps.size(); ++t) seen[t].resize(static_cast<size_t>(taps[t].h));
  for (int64_t row = 0; row < kSize; ++row) {
    std::vector<float> image(3 * kSize * kSize, 0.5f);
    for (int64_t c = 0; c < 3; ++c) {
      for (int64_t x = 0; x < kSize; ++x) image[(c * kSize + row) * kSize + x] = NAN;
    }
    EXPECT_TRUE((*extractor)->run(image, 1, spans).ok());
    for (size_t t = 0; t < taps.size(); ++t) note(taps[t], maps[t], row, seen[t]);
  }
  return seen;
}

bool reaches_border(const Seen& seen) { return seen.first == 0 || seen.last == kSize - 1; }

// Returns how many rows of maps were seen completely, so that the field's size could be checked.
int check(const TapInfo& tap, const std::vector<Seen>& seen) {
  int complete = 0;
  for (size_t h = 0; h < seen.size(); ++h) {
    const int64_t rows = seen[h].last - seen[h].first + 1;
    if (rows <= 0) continue;  // padding
    if (tap.sees_whole_input) {
      EXPECT_EQ(rows, kSize) << tap.name;
      continue;
    }
    EXPECT_LE(rows, tap.receptive_field) << tap.name;
    if (reaches_border(seen[h])) continue;
    EXPECT_EQ(rows, tap.receptive_field) << tap.name;
    ++complete;
    if (h > 0 && !reaches_border(seen[h - 1])) {
      EXPECT_EQ(seen[h].first - seen[h - 1].first, tap.stride) << tap.name;
    }
  }
  return complete;
}

int check_all(const Graph& graph) {
  const auto model = testing::model_of(graph, kSize);
  const auto taps = model->taps();
  EXPECT_TRUE(taps.ok()) << taps.status().message();
  const SeenRows seen = look(model, *taps);
  int complete = 0;
  for (size_t t = 0; t < taps->size(); ++t) complete += check((*taps)[t], seen[t]);
  return complete;
}

TEST(ReceptiveFields, AreWhatANanReaches) {
  EXPECT_GT(check_all(testing::inverted_residual_net(5, kSize)), 100);
  EXPECT_GT(check_all(testing::mixed_net(3, kSize)), 50);
}

TEST(ReceptiveFields, OfAdaptivePoolingAreThoseOfItsEqualWindows) {
  testing::RandomNet net(4);
  ValueId x = net.conv("conv", net.input(), 3, {.oc = 5, .kernel = 3, .stride = 2});
  x = net.node(kSlice, "slice", {x}, Attributes().set("begin", 1).set("end", 4));
  net.node(kAdaptiveAvgPool2d, "pool", {x}, Attributes().set("output_size", {10, 10}));
  EXPECT_EQ(check_all(net.finish(3, kSize, kSize)), 18 + 18 + 8) << "rows that no border cuts";
}

TEST(ReceptiveFields, OfAVectorAreTheInputsLargerSide) {
  const auto model = testing::model_of(testing::inverted_residual_net(5, kSize), kSize);
  const auto taps = model->taps(48, 64);
  ASSERT_TRUE(taps.ok()) << taps.status().message();
  EXPECT_TRUE(taps->back().sees_whole_input);
  EXPECT_EQ(taps->back().receptive_field, 64);
  EXPECT_EQ(taps->back().stride, 0);
}

}  // namespace
}  // namespace penult
