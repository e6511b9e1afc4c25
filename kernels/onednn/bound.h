#pragma once

// A prepared step in the memory of one workspace: all of oneDNN's memory objects exist already, a
// run moves their pointers at most.

#include <vector>

#include "kernels/onednn/prepared.h"

namespace penult::kernels::onednn {

class Bound : public BoundKernel {
 public:
  // Throws dnnl::error.
  Bound(const Prepared& prepared, const BindArgs& args);
  Status run(int64_t n) override;

 private:
  // One primitive and its arguments, which are memories of its Sequence.
  struct Call {
    dnnl::primitive primitive;
    std::vector<dnnl_exec_arg_t> args;
  };
  // A tensor in the workspace's own buffers, which hold max_batch images.
  struct Tensor {
    dnnl::memory memory;
    float* image_zero;
    int64_t image_stride;
  };
  // Copies in, the operator, copy out: for the images of one variant.
  struct Sequence {
    std::vector<Call> calls;
    std::vector<Tensor> tensors;
    std::vector<dnnl::memory> others;

    dnnl_memory_t add(const MemoryDesc& desc, const std::byte* data);
    dnnl_memory_t add_tensor(const View& view, const float* data);
    void add_copy(const View& view, dnnl_memory_t from, dnnl_memory_t to, std::byte* scratch);
    Status execute(const dnnl::stream& stream) const;
    void move_to_image(int64_t image);
  };

  static Sequence make_sequence(const Prepared& prepared, const Variant& variant,
                                const BindArgs& args);

  const int threads_;
  const int64_t max_batch_;
  dnnl::stream stream_;
  Sequence batch_, image_;  // for max_batch images and for one
};

}  // namespace penult::kernels::onednn
