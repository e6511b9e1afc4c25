#pragma once

// The primitives of one step, and how they are run. Implements kernels/prepared.h.

#include <vector>

#include "kernels/onednn/operator.h"

namespace penult::kernels::onednn {

// One tensor: where a workspace has it, and dense, as the primitive wants it. `copy` goes from the
// one to the other (for dst: back) where they differ, else it is empty.
struct View {
  MemoryDesc strided, dense;
  dnnl::primitive_desc_base copy;
  int64_t image_stride = 0;  // floats
  size_t dense_at = 0;       // in scratch, if copied
  bool is_copied() const { return static_cast<bool>(copy); }
};

// A primitive for a fixed number of images and what goes with it.
struct Variant {
  int64_t n = 0;
  dnnl::primitive_desc_base desc;
  dnnl::primitive primitive;
  View src, residual, dst;
  size_t weights_at = 0;  // in packed

  MemoryDesc weights() const { return desc.query_md(dnnl::query::weights_md, 0); }
  MemoryDesc bias() const { return desc.query_md(dnnl::query::weights_md, 1); }
  bool has_weights() const { return weights().get_size() != 0; }
};

MemoryDesc scratchpad_of(const dnnl::primitive_desc_base& desc);

// Device, or OutOfMemory.
Status failure(dnnl_status_t status, const char* what);

class Prepared : public PreparedKernel {
 public:
  // Throws dnnl::error.
  Prepared(const PrepareArgs& args, Describe describe);

  size_t packed_bytes() const override { return packed_bytes_; }
  Status pack(Weights& weights, std::byte* packed) const override;
  size_t scratch_bytes() const override { return scratch_bytes_; }
  Result<std::unique_ptr<BoundKernel>> bind(const BindArgs& args) const override;
  std::string implementation() const override;

  // For max_batch images first, for one image last.
  const std::vector<Variant>& variants() const { return variants_; }
  int threads() const { return threads_; }
  bool has_residual() const { return has_residual_; }
  size_t bias_at() const { return bias_at_; }

 private:
  void place_weights();
  void place_scratch();

  int threads_;
  int64_t oc_;  // without padding
  bool has_residual_;
  std::vector<Variant> variants_;
  size_t packed_bytes_ = 0, scratch_bytes_ = 0, bias_at_ = 0;
};

}  // namespace penult::kernels::onednn
