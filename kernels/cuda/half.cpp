#include "engine/base/half.h"

#include "kernels/cuda/gpu_types.h"

namespace penult::gpu {

Half half_from_float(float x) { return {penult::half_from_float(x)}; }
float float_from_half(Half x) { return penult::float_from_half(x.bits); }

}  // namespace penult::gpu
