#include <array>

#include "kernels/slice/slice.h"
#include "kernels/support.h"

namespace penult::kernels {
namespace {

constexpr std::array kKernels = {
    Kernel{.name = "slice_copy_f32_scalar",
           .backend = Backend::kNative,
           .isa = Isa::kScalar,
           .declines = declines_epilogue,
           .run = slice_copy_f32_scalar},
    Kernel{.name = "slice_loops_f32_reference",
           .backend = Backend::kReference,
           .isa = Isa::kScalar,
           .declines = declines_epilogue,
           .run = slice_loops_f32_reference},
};

}  // namespace

const Table kSliceTable = {"slice", kKernels};

}  // namespace penult::kernels
