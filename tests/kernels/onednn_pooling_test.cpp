// max_pool2d and avg_pool2d of the module onednn against loops over the definition.

#include <algorithm>
#include <cmath>
#include <random>

#include "engine/base/aligned_buffer.h"
#include "kernels/prepared.h"
#include "tests/support/error_model.h"
#include "tests/support/onednn_test.h"

namespace penult::testing {
namespace {

using kernels::Kernel;
using kernels::Problem;
using kernels::TensorDesc;

struct PoolCase {
  const char* op;
  Shape src, dst;
  int64_t kernel, stride, pad, bottom;  // pad: top, left and right
  bool counts_padding = false;
};

constexpr int64_t kImages = 2;

TensorDesc dense_desc(const Shape& shape) {
  const int64_t pixel =
      (shape.c + kernels::kChannelPad - 1) / kernels::kChannelPad * kernels::kChannelPad;
  return {.shape = shape,
          .halo = {},
          .pixel_stride = pixel,
          .row_stride = shape.w * pixel,
          .image_stride = shape.h * shape.w * pixel};
}

Problem problem_of(const PoolCase& c) {
  Problem problem;
  problem.op = c.op;
  problem.src = {dense_desc(c.src)};
  problem.dst = dense_desc(c.dst);
  problem.attrs.set("kernel", {c.kernel, c.kernel}).set("strides", {c.stride, c.stride});
  problem.attrs.set("pads", {c.pad, c.pad, c.bottom, c.pad}).set("dilations", {1, 1});
  problem.attrs.set("count_include_pad", static_cast<int64_t>(c.counts_padding));
  return problem;
}

double expected_at(const PoolCase& c, const float* image, int64_t y, int64_t x, int64_t channel) {
  const int64_t pixel = dense_desc(c.src).pixel_stride;
  double sum = 0, largest = -INFINITY;
  int64_t inside = 0;
  for (int64_t iy = y * c.stride - c.pad; iy < y * c.stride - c.pad + c.kernel; ++iy) {
    for (int64_t ix = x * c.stride - c.pad; ix < x * c.stride - c.pad + c.kernel; ++ix) {
      if (iy < 0 || iy >= c.src.h || ix < 0 || ix >= c.src.w) continue;
      const double value = image[(iy * c.src.w + ix) * pixel + channel];
      sum += value;
      largest = std::max(largest, value);
      ++inside;
    }
  }
  if (std::string_view(c.op) == "max_pool2d") return largest;
  return sum / static_cast<double>(c.counts_padding ? c.kernel * c.kernel : inside);
}

class OnednnPooling : public OnednnTest<> {
 protected:
  const Kernel* row_of(const char* op) const {
    for (const kernels::Table& table : module_->tables)
      if (std::string_view(table.op) == op) return &table.kernels[0];
    return nullptr;
  }

  void expect_correct(const PoolCase& c) const {
    const Problem problem = problem_of(c);
    const Kernel& kernel = *row_of(c.op);
    ASSERT_EQ(kernel.declines(problem), "");
    const auto prepared = kernel.prepare({.problem = problem, .max_batch = kImages, .threads = 1});
    ASSERT_TRUE(prepared.ok()) << prepared.status().message();
    auto src = AlignedBuffer::allocate(problem.src[0].image_stride * kImages * sizeof(float));
    auto dst = AlignedBuffer::allocate(problem.dst.image_stride * kImages * sizeof(float));
    auto scratch = AlignedBuffer::allocate((*prepared)->scratch_bytes());
    std::mt19937 random(3);
    std::normal_distribution<float> normal(-1.0F);  // a zero of the padding must not win
    std::generate_n(src->floats(), problem.src[0].image_stride * kImages,
                    [&] { return normal(random); });
    const float* sources[] = {src->floats()};
    const auto bound = (*prepared)->bind({.src = sources,
                                          .residual = nullptr,
                                          .dst = dst->floats(),
                                          .packed = nullptr,
                                          .scratch = scratch->data()});
    ASSERT_TRUE(bound.ok()) << bound.status().message();
    ASSERT_TRUE((*bound)->run(kImages).ok());
    for (int64_t i = 0; i < kImages * c.dst.elems(); ++i) {
      const int64_t image = i / c.dst.elems(), channel = i % c.dst.c;
      const int64_t y = i / c.dst.c / c.dst.w % c.dst.h, x = i / c.dst.c % c.dst.w;
      const double expected =
          expected_at(c, src->floats() + image * problem.src[0].image_stride, y, x, channel);
      const float got =
          dst->floats()[image * problem.dst.image_stride + y * problem.dst.row_stride +
                        x * problem.dst.pixel_stride + channel];
      EXPECT_NEAR(got, expected, rounding_bound(c.kernel * c.kernel + 2, 8.0));
    }
  }
};

TEST_F(OnednnPooling, TakesTheMaximumOfWhatIsInside) {
  expect_correct({"max_pool2d", Shape::map(20, 9, 9), Shape::map(20, 5, 5), 3, 2, 1, 1});
  expect_correct({"max_pool2d", Shape::map(64, 8, 8), Shape::map(64, 4, 4), 2, 2, 0, 0});
}

TEST_F(OnednnPooling, AveragesWithAndWithoutThePadding) {
  expect_correct({"avg_pool2d", Shape::map(17, 7, 7), Shape::map(17, 7, 7), 3, 1, 1, 1, true});
  expect_correct({"avg_pool2d", Shape::map(17, 7, 7), Shape::map(17, 7, 7), 3, 1, 1, 1, false});
  // ceil_mode: the last window reaches one row beyond src.
  expect_correct({"avg_pool2d", Shape::map(16, 6, 5), Shape::map(16, 3, 2), 3, 2, 0, 0, false});
}

TEST_F(OnednnPooling, LeavesToOthersAWindowBeyondThePaddingThatCounts) {
  const PoolCase c{"avg_pool2d", Shape::map(16, 6, 5), Shape::map(16, 3, 2), 3, 2, 0, 0, true};
  EXPECT_NE(row_of(c.op)->declines(problem_of(c)), "");
}

}  // namespace
}  // namespace penult::testing
