#include <array>

#include "kernels/pad/pad.h"
#include "kernels/support.h"

namespace penult::kernels {
namespace {

constexpr std::array kKernels = {
    Kernel{.name = "pad_copy_f32_scalar",
           .backend = Backend::kNative,
           .isa = Isa::kScalar,
           .declines = declines_epilogue,
           .run = pad_copy_f32_scalar},
    Kernel{.name = "pad_loops_f32_reference",
           .backend = Backend::kReference,
           .isa = Isa::kScalar,
           .declines = declines_epilogue,
           .run = pad_loops_f32_reference},
};

}  // namespace

const Table kPadTable = {"pad", kKernels};

}  // namespace penult::kernels
