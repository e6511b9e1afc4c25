#include <array>

#include "kernels/concat/concat.h"
#include "kernels/support.h"

namespace penult::kernels {
namespace {

constexpr std::array kKernels = {
    Kernel{.name = "concat_copy_f32_scalar",
           .backend = Backend::kNative,
           .isa = Isa::kScalar,
           .declines = declines_epilogue,
           .run = concat_copy_f32_scalar},
    Kernel{.name = "concat_loops_f32_reference",
           .backend = Backend::kReference,
           .isa = Isa::kScalar,
           .declines = declines_epilogue,
           .run = concat_loops_f32_reference},
};

}  // namespace

const Table kConcatTable = {"concat", kKernels};

}  // namespace penult::kernels
