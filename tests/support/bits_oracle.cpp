#include "tests/support/bits_oracle.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <utility>

#include "engine/base/text.h"
#include "engine/exec/executor.h"
#include "engine/input_size.h"
#include "engine/model/model_data.h"
#include "engine/passes/passes.h"
#include "tests/support/environment.h"
#include "tests/support/real_nets.h"

namespace penult::testing {

BitsOracle::BitsOracle(std::shared_ptr<const Model> model, Isa isa, int64_t size,
                       std::vector<float> images)
    : model_(std::move(model)),
      isa_(isa),
      size_(size),
      count_(static_cast<int64_t>(images.size()) / (3 * size * size)),
      images_(std::move(images)),
      taps_(tap_names(*model_)) {
  images_.reserve(2 * images_.size());
  images_.insert(images_.end(), images_.begin(), images_.end());
  ok_ = count_ > 0 && compute();
}

bool BitsOracle::compute() {
  Graph graph = model_->data().graph;
  EXPECT_TRUE(set_input_size(model_->data(), size_, size_, graph).ok());
  std::vector<ValueId> values;
  std::vector<Delivery> deliveries;
  for (const Tap& tap : model_->data().taps) {
    values.push_back(tap.value);
    deliveries.push_back({tap.value, Pooling::kNone});
  }
  EXPECT_TRUE(run_passes(graph, values, {.fuse = false}).ok());
  kernels_ = graph.nodes.size();
  const Result<Plan> plan = make_plan(graph, deliveries, {.isa = isa_});
  EXPECT_TRUE(plan.ok()) << plan.status().message();
  auto workspace = plan.ok() ? Workspace::create(*plan) : plan.status();
  EXPECT_TRUE(workspace.ok()) << workspace.status().message();
  if (!workspace.ok()) return false;
  std::vector<size_t> elems;
  for (const ValueId value : values) {
    elems.push_back(static_cast<size_t>(graph.values[value].shape.elems()));
    values_.emplace_back(elems.back() * static_cast<size_t>(count_), NAN);
  }
  for (int64_t i = 0; i < count_; ++i) {
    std::vector<std::span<float>> spans;
    for (size_t t = 0; t < elems.size(); ++t) {
      spans.push_back(std::span(values_[t]).subspan(elems[t] * static_cast<size_t>(i), elems[t]));
    }
    const Status status = (*workspace)->run({.planar = batch(i, 1).data()}, 1, spans);
    EXPECT_TRUE(status.ok()) << status.message();
    if (!status.ok()) return false;
  }
  return true;
}

size_t BitsOracle::fused_kernels() const {
  Graph graph = model_->data().graph;
  EXPECT_TRUE(set_input_size(model_->data(), size_, size_, graph).ok());
  EXPECT_TRUE(run_passes(graph, {model_->data().taps.back().value}, {.fuse = true}).ok());
  return graph.nodes.size();
}

void BitsOracle::expect_images_differ() const {
  for (const std::string& tap : taps_) {
    for (int64_t i = 1; i < count_; ++i) {
      EXPECT_FALSE(same_bits(of(tap, i), 0, of(tap, i - 1))) << tap << ", " << i;
    }
  }
}

std::span<const float> BitsOracle::batch(int64_t first, int64_t n) const {
  const auto elems = static_cast<size_t>(3 * size_ * size_);
  return std::span(images_).subspan(elems * static_cast<size_t>(first),
                                    elems * static_cast<size_t>(n));
}

std::span<const float> BitsOracle::of(const std::string& tap, int64_t image) const {
  const auto found = std::find(taps_.begin(), taps_.end(), tap);
  if (found == taps_.end()) return {};
  const std::vector<float>& all = values_[static_cast<size_t>(found - taps_.begin())];
  const size_t elems = all.size() / static_cast<size_t>(count_);
  return std::span(all).subspan(elems * static_cast<size_t>(image), elems);
}

std::span<float> BitsOracle::of(const std::string& tap, int64_t image) {
  const std::span<const float> values = std::as_const(*this).of(tap, image);
  return {const_cast<float*>(values.data()), values.size()};
}

bool same_bits(std::span<const float> batch, int64_t position, std::span<const float> alone) {
  const size_t from = alone.size() * static_cast<size_t>(position);
  return !alone.empty() && batch.size() >= from + alone.size() &&
         std::memcmp(batch.data() + from, alone.data(), alone.size_bytes()) == 0;
}

// With a cache of 1 to 8 bytes every step that can goes through its maps in bands of so many rows;
// with others some do.
std::unique_ptr<Extractor> BitsCheck::extractor(const Setting& setting) {
  constexpr std::array kCacheBytes = {"1", static_cast<const char*>(nullptr), "4", "200000"};
  const size_t turn = extractors_++;  // in another order for each round of four
  const ScopedVariable cache("PENULT_CACHE_BYTES", kCacheBytes[(turn + turn / 4) % 4]);
  return make_extractor(oracle_.model(), {setting.taps,
                                          {.backend = "native", .isa = oracle_.isa()},
                                          oracle_.size(),
                                          setting.max_batch,
                                          setting.threads});
}

void BitsCheck::compare(Extractor& extractor, int64_t n, int64_t first, const std::string& what) {
  constexpr int64_t kKept = 10;
  const std::vector<OutputInfo>& outputs = extractor.outputs();
  std::vector<std::span<float>> spans;
  values_.resize(std::max(values_.size(), outputs.size()));
  for (size_t t = 0; t < outputs.size(); ++t) {
    const auto elems = static_cast<size_t>(n * outputs[t].elems);
    if (values_[t].size() < elems) values_[t].resize(elems);
    spans.push_back(std::span(values_[t]).first(elems));
    std::fill(spans[t].begin(), spans[t].end(), NAN);
  }
  const Status status = extractor.run(oracle_.batch(first, n), n, spans);
  EXPECT_TRUE(status.ok()) << status.message();
  for (size_t t = 0; t < outputs.size(); ++t) {
    for (int64_t i = 0; i < n; ++i) {
      ++comparisons_;
      const int64_t image = (first + i) % oracle_.count();
      if (same_bits(spans[t], i, oracle_.of(outputs[t].name, image))) continue;
      if (++mismatches_ > kKept) continue;
      report_ +=
          concat(what, ": ", outputs[t].name, ", image ", i, " of ", n, " from ", first, " on\n");
    }
  }
}

}  // namespace penult::testing
