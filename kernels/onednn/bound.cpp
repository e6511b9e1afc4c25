#include "kernels/onednn/bound.h"

#include "engine/base/check.h"
#include "engine/base/text.h"
#include "kernels/onednn/threads.h"

namespace penult::kernels::onednn {
namespace {

// oneDNN takes all data as something that it may change; sources and weights it does not change.
void* mutable_data(const void* data) { return const_cast<void*>(data); }

}  // namespace

dnnl_memory_t Bound::Sequence::add(const MemoryDesc& desc, const std::byte* data) {
  others.emplace_back(desc, engine(), mutable_data(data));
  return others.back().get();
}

dnnl_memory_t Bound::Sequence::add_tensor(const View& view, const float* data) {
  auto* floats = static_cast<float*>(mutable_data(data));
  tensors.push_back({dnnl::memory(view.strided, engine(), floats), floats, view.image_stride});
  return tensors.back().memory.get();
}

void Bound::Sequence::add_copy(const View& view, dnnl_memory_t from, dnnl_memory_t to,
                               std::byte* scratch) {
  const dnnl_memory_t pad = add(scratchpad_of(view.copy), scratch);
  calls.push_back({dnnl::primitive(view.copy.get()),
                   {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}, {DNNL_ARG_SCRATCHPAD, pad}}});
}

Bound::Sequence Bound::make_sequence(const Prepared& prepared, const Variant& v,
                                     const BindArgs& args) {
  Sequence sequence;
  // The tensor as the primitive sees it: ours, or a dense copy of it.
  const auto add_source = [&](const View& view, const float* data) {
    const dnnl_memory_t ours = sequence.add_tensor(view, data);
    if (!view.is_copied()) return ours;
    const dnnl_memory_t dense = sequence.add(view.dense, args.scratch + view.dense_at);
    sequence.add_copy(view, ours, dense, args.scratch);
    return dense;
  };
  Call call{v.primitive, {{DNNL_ARG_SRC, add_source(v.src, args.src[0])}}};
  if (prepared.has_residual()) {
    call.args.push_back({DNNL_ARG_ATTR_MULTIPLE_POST_OP(0) | DNNL_ARG_SRC_1,
                         add_source(v.residual, args.residual)});
  }
  if (v.has_weights()) {
    call.args.push_back({DNNL_ARG_WEIGHTS, sequence.add(v.weights(), args.packed + v.weights_at)});
    call.args.push_back({DNNL_ARG_BIAS, sequence.add(v.bias(), args.packed + prepared.bias_at())});
  }
  call.args.push_back({DNNL_ARG_SCRATCHPAD, sequence.add(scratchpad_of(v.desc), args.scratch)});
  const dnnl_memory_t dst = sequence.add_tensor(v.dst, args.dst);
  const bool copies = v.dst.is_copied();
  const dnnl_memory_t seen =
      copies ? sequence.add(v.dst.dense, args.scratch + v.dst.dense_at) : dst;
  call.args.push_back({DNNL_ARG_DST, seen});
  sequence.calls.push_back(std::move(call));
  if (copies) sequence.add_copy(v.dst, seen, dst, args.scratch);
  return sequence;
}

Bound::Bound(const Prepared& prepared, const BindArgs& args)
    : threads_(prepared.threads()),
      max_batch_(prepared.variants().front().n),
      stream_(engine()),
      batch_(make_sequence(prepared, prepared.variants().front(), args)),
      image_(make_sequence(prepared, prepared.variants().back(), args)) {}

Status Bound::Sequence::execute(const dnnl::stream& stream) const {
  for (const Call& call : calls) {
    const dnnl_status_t status = dnnl_primitive_execute(
        call.primitive.get(), stream.get(), static_cast<int>(call.args.size()), call.args.data());
    if (status != dnnl_success) return failure(status, "execute");
  }
  return {};
}

void Bound::Sequence::move_to_image(int64_t image) {
  for (Tensor& tensor : tensors)
    tensor.memory.set_data_handle(tensor.image_zero + image * tensor.image_stride);
}

Status Bound::run(int64_t n) {
  PENULT_RETURN_IF_ERROR(check_process(threads_));
  const TeamSize team(threads_);
  if (n == max_batch_) return batch_.execute(stream_);
  for (int64_t image = 0; image < n; ++image) {
    try {
      image_.move_to_image(image);
    } catch (const dnnl::error& e) {
      return failure(e.status, e.what());
    }
    PENULT_RETURN_IF_ERROR(image_.execute(stream_));
  }
  return {};
}

}  // namespace penult::kernels::onednn
