#pragma once

namespace penult::kernels::cuda {

// Mistakes that tests plant into the kernels, to see that the emulator's checker finds them
// (tests/kernels/cuda/conv2d_mutations_test.cpp). Only kNone is ever in the product.
enum class Mutation {
  kNone,
  // f16
  kNoPipelineBarrier,
  kWaitOffByOne,
  kRefillBeforeBarrier,
  kBarrierBeforeWait,
  kNoEpilogueBarrier,
  // all
  kNoRowBound,  // taps below the last row are read
  // f32 and stem
  kNoBarrierAfterFill,
  // f32
  kNoBarrierBeforeFill,
  kNoReductionBound,  // weights behind the last of a row are read
  kTailNotZeroed,
};

}  // namespace penult::kernels::cuda
