#pragma once

// The promise of bits has one oracle: the unfused sequence of native kernels, that is the graph
// after batchnorm folding, a kernel for each operator, one image at a time, one thread. Everything
// that an extractor of the same ISA class delivers has to equal it by memcmp.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/base/cpu_features.h"
#include "penult/extractor.h"
#include "penult/model.h"

namespace penult::testing {

// Every tap of some images, computed once. To be used inside a test.
class BitsOracle {
 public:
  // images: (count, 3, size, size). After a test failure ok() is false.
  BitsOracle(std::shared_ptr<const Model> model, Isa isa, int64_t size, std::vector<float> images);

  bool ok() const { return ok_; }
  const std::shared_ptr<const Model>& model() const { return model_; }
  Isa isa() const { return isa_; }
  int64_t size() const { return size_; }
  int64_t count() const { return count_; }
  const std::vector<std::string>& taps() const { return taps_; }
  size_t kernels() const { return kernels_; }  // of the unfused sequence
  size_t fused_kernels() const;                // of a run to the last tap
  // Fails the test where two neighbouring images have the same bits at some tap.
  void expect_images_differ() const;

  // `n` images from the `first` on, and after the last one again from the start.
  std::span<const float> batch(int64_t first, int64_t n) const;
  // What the tap of this main name has to be for one image. Empty if there is no such tap.
  std::span<const float> of(const std::string& tap, int64_t image) const;
  // The same, to be spoilt: a comparison has to notice.
  std::span<float> of(const std::string& tap, int64_t image);

 private:
  bool compute();

  std::shared_ptr<const Model> model_;
  Isa isa_;
  int64_t size_, count_;
  std::vector<float> images_;  // twice, so that every batch is one piece
  std::vector<std::string> taps_;
  std::vector<std::vector<float>> values_;  // by tap: count * elems
  size_t kernels_ = 0;
  bool ok_ = false;
};

// Bits of image `position` of a batch equal those of the image alone.
bool same_bits(std::span<const float> batch, int64_t position, std::span<const float> alone);

// Compares extractors with an oracle and counts. One comparison is one tap of one image.
class BitsCheck {
 public:
  explicit BitsCheck(const BitsOracle& oracle) : oracle_(oracle) {}

  struct Setting {
    std::vector<std::string> taps;
    int64_t max_batch = 1;
    int threads = 1;
  };
  // Null after a test failure.
  std::unique_ptr<Extractor> extractor(const Setting& setting);

  // One run over batch(first, n). The first few mismatches are kept as text.
  void compare(Extractor& extractor, int64_t n, int64_t first, const std::string& what);

  int64_t comparisons() const { return comparisons_; }
  int64_t mismatches() const { return mismatches_; }
  const std::string& report() const { return report_; }

 private:
  const BitsOracle& oracle_;
  std::vector<std::vector<float>> values_;  // from run to run: pages of their own cost more
  size_t extractors_ = 0;
  int64_t comparisons_ = 0, mismatches_ = 0;
  std::string report_;
};

}  // namespace penult::testing
