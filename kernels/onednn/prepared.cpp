#include "kernels/onednn/prepared.h"

#include <algorithm>
#include <new>

#include "engine/base/check.h"
#include "engine/base/checked.h"
#include "engine/base/text.h"
#include "kernels/onednn/bound.h"
#include "kernels/onednn/threads.h"

namespace penult::kernels::onednn {
namespace {

constexpr auto kF32 = dnnl::memory::data_type::f32;

// Runs what may throw.
template <class Function>
auto guarded(const Function& function) -> decltype(function()) {
  PENULT_RETURN_IF_ERROR(check_process(1));
  try {
    return function();
  } catch (const dnnl::error& e) {
    return failure(e.status, e.what());
  } catch (const std::bad_alloc&) {
    return failure(dnnl_out_of_memory, "");
  }
}

enum class Direction { kIn, kOut };

dnnl::primitive_desc_base describe_copy(const MemoryDesc& from, const MemoryDesc& to) {
  dnnl::primitive_attr attr;
  attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return dnnl::reorder::primitive_desc(engine(), from, engine(), to, attr);
}

// Channels may be ours with or without the padding: as many as `dense` has.
View view_of(const TensorDesc& ours, const MemoryDesc& dense, Direction direction) {
  const Dims dims = dims_of(dense);
  const int64_t c = dims[1];
  View view{.strided = dense, .dense = dense, .copy = {}, .image_stride = ours.image_stride};
  const bool is_dense = ours.pixel_stride == c && ours.row_stride == ours.shape.w * c &&
                        ours.image_stride == ours.shape.h * ours.row_stride;
  if (is_dense) return view;
  Dims strides = {ours.image_stride, 1};
  if (dims.size() == 4) strides = {ours.image_stride, 1, ours.row_stride, ours.pixel_stride};
  view.strided = MemoryDesc(dims, kF32, strides);
  const bool in = direction == Direction::kIn;
  view.copy = in ? describe_copy(view.strided, dense) : describe_copy(dense, view.strided);
  return view;
}

Variant make_variant(const Problem& problem, int64_t n, Describe describe) {
  Variant variant;
  variant.n = n;
  variant.desc = describe(problem, n);
  variant.primitive = dnnl::primitive(variant.desc.get());
  const MemoryDesc src = variant.desc.query_md(dnnl::query::src_md, 0);
  const MemoryDesc dst = variant.desc.query_md(dnnl::query::dst_md, 0);
  variant.src = view_of(problem.src[0], src, Direction::kIn);
  variant.dst = view_of(problem.dst, dst, Direction::kOut);
  if (problem.epilogue.residual) variant.residual = view_of(problem.residual, dst, Direction::kIn);
  return variant;
}

// Output and input channels of weights as oneDNN sees them, and the taps of each pair.
struct WeightShape {
  int64_t oc, ic, taps;
};

WeightShape shape_of(const Dims& dims) {
  if (dims.size() == 5) return {dims[0] * dims[1], dims[2], dims[3] * dims[4]};  // groups first
  return {dims[0], dims[1], dims.size() == 4 ? dims[2] * dims[3] : 1};
}

// Our (oc, ic, taps) in the corner of a larger such box of zeros.
std::vector<float> pad_weights(std::span<const float> weights, int64_t oc, const WeightShape& to) {
  const int64_t row = static_cast<int64_t>(weights.size()) / oc, to_row = to.ic * to.taps;
  std::vector<float> padded(static_cast<size_t>(to.oc * to_row));
  for (int64_t o = 0; o < oc; ++o)
    std::copy_n(weights.data() + o * row, row, padded.data() + o * to_row);
  return padded;
}

void reorder_weights(std::vector<float>& plain, const MemoryDesc& wanted, std::byte* packed) {
  using Format = dnnl::memory::format_tag;
  const Dims dims = dims_of(wanted);
  const Format format = dims.size() == 5   ? Format::abcde
                        : dims.size() == 4 ? Format::abcd
                                           : Format::ab;
  dnnl::memory from({dims, kF32, format}, engine(), plain.data());
  dnnl::memory to(wanted, engine(), packed);
  dnnl::stream stream(engine());
  dnnl::reorder(from, to).execute(stream, from, to);
}

}  // namespace

MemoryDesc scratchpad_of(const dnnl::primitive_desc_base& desc) {
  return desc.query_md(dnnl::query::scratchpad_md, 0);
}

Status failure(dnnl_status_t status, const char* what) {
  if (status == dnnl_out_of_memory)
    return Status(StatusCode::kOutOfMemory, "backend onednn: no memory; use a smaller batch");
  return Status(StatusCode::kDevice,
                concat("backend onednn: ", what, ", oneDNN's status ", static_cast<int>(status)));
}

Prepared::Prepared(const PrepareArgs& args, Describe describe)
    : threads_(args.threads),
      oc_(args.problem.dst.shape.c),
      has_residual_(args.problem.epilogue.residual) {
  const TeamSize team(threads_);
  variants_.push_back(make_variant(args.problem, args.max_batch, describe));
  if (args.max_batch > 1) variants_.push_back(make_variant(args.problem, 1, describe));
  place_weights();
  place_scratch();
}

// Packed: weights of each variant, shared if they agree on the layout; one bias.
void Prepared::place_weights() {
  const Variant& first = variants_.front();
  if (!first.has_weights()) return;
  packed_bytes_ = align_up(first.weights().get_size(), 64);
  if (Variant& last = variants_.back(); !(last.weights() == first.weights())) {
    last.weights_at = packed_bytes_;
    packed_bytes_ += align_up(last.weights().get_size(), 64);
  }
  bias_at_ = packed_bytes_;
  packed_bytes_ += align_up(first.bias().get_size(), 64);
}

// Scratch: the scratchpad, then dense copies. No two primitives of a step run at the same time.
void Prepared::place_scratch() {
  for (const Variant& variant : variants_) {
    for (const auto* desc :
         {&variant.desc, &variant.src.copy, &variant.residual.copy, &variant.dst.copy}) {
      if (*desc) scratch_bytes_ = std::max(scratch_bytes_, scratchpad_of(*desc).get_size());
    }
  }
  scratch_bytes_ = align_up(scratch_bytes_, 64);
  for (View Variant::*view : {&Variant::src, &Variant::residual, &Variant::dst}) {
    for (Variant& variant : variants_) (variant.*view).dense_at = scratch_bytes_;
    const View& largest = variants_.front().*view;
    if (largest.is_copied()) scratch_bytes_ += align_up(largest.dense.get_size(), 64);
  }
}

Status Prepared::pack(Weights& weights, std::byte* packed) const {
  if (packed_bytes_ == 0) return {};
  return guarded([&]() -> Status {
    const TeamSize team(1);
    const Variant &first = variants_.front(), &last = variants_.back();
    const WeightShape shape = shape_of(dims_of(first.weights()));
    const auto bias = weights[1];
    auto* out_bias = reinterpret_cast<float*>(packed + bias_at_);
    std::fill_n(out_bias, shape.oc, 0.0F);
    std::copy(bias.begin(), bias.end(), out_bias);
    const std::span<const float> all = weights[0];
    if (all.empty()) return {};
    std::vector<float> plain = pad_weights(all, oc_, shape);
    reorder_weights(plain, first.weights(), packed + first.weights_at);
    if (last.weights_at != first.weights_at)
      reorder_weights(plain, last.weights(), packed + last.weights_at);
    return {};
  });
}

Result<std::unique_ptr<BoundKernel>> Prepared::bind(const BindArgs& args) const {
  return guarded([&]() -> Result<std::unique_ptr<BoundKernel>> {
    return std::unique_ptr<BoundKernel>(std::make_unique<Bound>(*this, args));
  });
}

std::string Prepared::implementation() const {
  const Variant& first = variants_.front();
  std::string name = first.desc.impl_info_str();
  for (const View* view : {&first.src, &first.residual, &first.dst})
    if (view->is_copied()) name += " + copy";
  return name;
}

Result<std::unique_ptr<PreparedKernel>> prepare_described(const PrepareArgs& args,
                                                          Describe describe) {
  return guarded([&]() -> Result<std::unique_ptr<PreparedKernel>> {
    return std::unique_ptr<PreparedKernel>(std::make_unique<Prepared>(args, describe));
  });
}

}  // namespace penult::kernels::onednn
