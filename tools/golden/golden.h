#pragma once

// Goldens that PyTorch wrote (tools/make_golden.py), and the comparison with them. The figures of
// the tolerance stand here and nowhere else.

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "penult/status.h"

namespace penult::golden {

inline constexpr double kMinCosine = 1 - 1e-6;
inline constexpr double kMaxError = 1e-4;  // of the tap's maximum
// Of runs in f16: a cosine, which does not see a factor, and therefore the norm, within
// sqrt(2 - 2 * kMinCosineF16): the distance of two unit vectors that have this cosine.
inline constexpr double kMinCosineF16 = 0.9999;
inline constexpr double kMaxNormErrorF16 = 0.01414;  // of the norm

// One tap of one image: complete, or what stands for it.
struct GoldenTap {
  std::string name;
  std::vector<int32_t> positions = {};   // flat (c, h, w), ascending; empty: `values` is complete
  std::vector<float> values = {};        // at the positions
  std::vector<float> channel_sums = {};  // with positions only
  double max = 0;                        // largest absolute value of all
  double l2 = 0;                         // Euclidean norm of all
};

// With every value.
GoldenTap complete_tap(std::string name, std::vector<float> values);

struct Golden {
  std::vector<GoldenTap> taps;
  int64_t size = 0;             // input side in pixels
  std::vector<float> input;     // (3, size, size), preprocessed; or empty
  std::vector<uint8_t> pixels;  // (size, size, 3), the crop before normalisation; or empty
  std::map<std::string, std::vector<float>> probabilities;  // by file name of the photo
  std::string meta;                                         // JSON
  const GoldenTap* find(const std::string& tap) const;
};

// Errors: those of read_npz; FormatCorrupt for a file that is no golden.
Result<Golden> read_golden(const std::string& path);

// How far a tap is from its golden. If every element is within e = kMaxError * max, then so is
//   the largest value:  | max|got| - max|want| | <= e
//   a channel's sum:    |sum got - sum want| <= plane * e, plane = h * w
//   the norm:           | |got| - |want| | <= |got - want| <= sqrt(c * h * w) * e
// by the triangle inequality. So each of the errors below is divided by its own number of elements
// (1, 1, plane, square root of all) and by max, and all have the one limit kMaxError. The rounding
// of the stored sums to float32 is below a thousandth of it. Sums and norm see the elements of
// which no value is stored.
struct Agreement {
  double cosine = 1;  // over the stored values
  double channel_cosine = 1;
  double error = 0;  // over the stored values
  double max_error = 0;
  double channel_error = 0;
  double l2_error = 0;
  double norm_error = 0;  // | |got| - |want| | / |want|, for f16 alone

  bool within_tolerance() const;      // false for NaN
  bool within_f16_tolerance() const;  // likewise
  double worst_cosine() const;
  double worst_error() const;
  std::string to_string() const;
};

// `got`: the tap's (channels, h, w) floats of one image. FormatCorrupt if the sizes differ.
Result<Agreement> compare(const GoldenTap& want, std::span<const float> got, int64_t channels);

// The worst of many comparisons, and where it was.
class Worst {
 public:
  void add(const std::string& tap, const Agreement& agreement);
  std::string to_string() const;

 private:
  double cosine_ = 2, error_ = -1;
  std::string cosine_tap_, error_tap_;
};

}  // namespace penult::golden
