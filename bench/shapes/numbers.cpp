#include "bench/shapes/numbers.h"

#include <cmath>
#include <random>

namespace penult::shapes {
namespace {

using kernels::Halo;
using kernels::TensorDesc;

Dense make_numbers(size_t count, Numbers numbers, std::mt19937& random) {
  Dense values(count);
  for (float& value : values) {
    value = numbers == Numbers::kIntegers
                ? static_cast<float>(static_cast<int>(random() % 9) - 4)
                : std::ldexp(static_cast<float>(random() >> 8), -23) - 1.0F;
  }
  return values;
}

size_t elems(const std::vector<int64_t>& dims) {
  size_t product = dims.empty() ? 0 : 1;
  for (const int64_t dim : dims) product *= static_cast<size_t>(dim);
  return product;
}

}  // namespace

KernelCase KernelCase::make(const ProblemSpec& spec, Numbers numbers, int64_t images) {
  const std::string text = spec.to_string();
  std::seed_seq seed(text.begin(), text.end());
  std::mt19937 random(seed);
  const auto count = [&](const Shape& shape) {
    return static_cast<size_t>(shape.elems() * images);
  };
  KernelCase c{.spec = spec, .src = {}, .residual = {}, .weights = {}};
  for (const Shape& shape : spec.inputs())
    c.src.push_back(make_numbers(count(shape), numbers, random));
  if (spec.epilogue.residual) c.residual = make_numbers(count(spec.dst()), numbers, random);
  for (const auto& dims : make_problem(spec).weight_dims)
    c.weights.push_back(make_numbers(elems(dims), numbers, random));
  if (spec.op == "batchnorm") {  // variances
    for (float& value : c.weights[3]) value = std::fabs(value) + 0.25F;
  }
  return c;
}

namespace {

TensorDesc with_pixels_of(int64_t floats, const Shape& shape, const Halo& halo) {
  TensorDesc desc{.shape = shape, .halo = halo, .pixel_stride = floats};
  desc.row_stride = (halo.left + shape.w + halo.right) * desc.pixel_stride;
  desc.image_stride = (halo.top + shape.h + halo.bottom) * desc.row_stride;
  return desc;
}

}  // namespace

TensorDesc lay_out(const Shape& shape, const Halo& halo, int64_t spare_channels) {
  const int64_t pad = kernels::kChannelPad;
  return with_pixels_of((shape.c + pad - 1) / pad * pad + spare_channels, shape, halo);
}

TensorDesc lay_out_dense(const Shape& shape, const Halo& halo) {
  return with_pixels_of(shape.c, shape, halo);
}

}  // namespace penult::shapes
