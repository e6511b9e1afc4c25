#pragma once

// What the tables and reference kernels of all operators share. Baseline code only.

#include <cstring>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "kernels/kernel.h"
#include "kernels/strides.h"

namespace penult::kernels {

inline int64_t round_up(int64_t value, int64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

// Part `index` of `parts` of `total` units, cut at multiples of `grain`.
Range part_of(int64_t total, int index, int parts, int64_t grain = 1);

bool always(const Problem&);  // for rows of tables

// Rows of dst, counted through all images: those asked for, or this thread's part of all.
Range rows_to_compute(const RunArgs& args);

// Empty if the problem has no epilogue, else why a kernel without one declines it.
std::string declines_epilogue(const Problem& problem);

inline Strides strides_of(const TensorDesc& desc) {
  return {desc.image_stride, desc.row_stride, desc.pixel_stride, desc.ring_rows};
}

// Address of the pixel (image, y, x).
inline int64_t pixel_offset(const TensorDesc& desc, int64_t image, int64_t y, int64_t x) {
  return image * desc.image_stride + y * desc.row_stride + x * desc.pixel_stride;
}

// What reference kernels do with each element: epilogue, rounding, store.
void store_reference(const RunArgs& args, int64_t image, int64_t y, int64_t x, int64_t c,
                     double value);

// Calls body(image, y, x) for this thread's pixels of dst.
template <class Body>
void for_each_dst_pixel(const RunArgs& args, const Body& body) {
  const Shape& shape = args.problem.dst.shape;
  const Range rows = part_of(args.n * shape.h, args.thread, args.threads);
  for (int64_t row = rows.begin; row < rows.end; ++row)
    for (int64_t x = 0; x < shape.w; ++x) body(row / shape.h, row % shape.h, x);
}

// Weights that are in memory already; `oc` channels in slot 0.
class LoadedWeights : public Weights {
 public:
  LoadedWeights(std::vector<std::span<const float>> slots, int64_t oc)
      : slots_(std::move(slots)), oc_(oc) {}
  std::span<const float> operator[](size_t slot) override;
  std::span<const float> channels(Range range) override;

 private:
  std::vector<std::span<const float>> slots_;
  int64_t oc_;
};

// Packing for kernels that want the weights as they are: slot after slot.
size_t raw_weights_bytes(const Problem& problem);
void pack_raw_weights(const Problem& problem, Weights& weights, std::byte* packed);
// Null if the slot was not given.
const float* raw_weight(const Problem& problem, const std::byte* packed, size_t slot);

// Rows for kernels that take every problem and need nothing packed, no halo and no scratch.
constexpr Kernel native_row(const char* name, Isa isa, void (*run)(const RunArgs&)) {
  return {.name = name, .backend = Backend::kNative, .isa = isa, .run = run};
}
constexpr Kernel reference_row(const char* name, void (*run)(const RunArgs&)) {
  return {.name = name, .backend = Backend::kReference, .isa = Isa::kScalar, .run = run};
}

// Elements of weight slot `slot`; 0 if it was not given.
int64_t weight_elems(const Problem& problem, size_t slot);

}  // namespace penult::kernels
