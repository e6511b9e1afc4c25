#include <array>

#include "kernels/flatten/flatten.h"
#include "kernels/support.h"

namespace penult::kernels {
namespace {

constexpr std::array kKernels = {
    Kernel{.name = "flatten_copy_f32_scalar",
           .backend = Backend::kNative,
           .isa = Isa::kScalar,
           .declines = declines_epilogue,
           .run = flatten_copy_f32_scalar},
    Kernel{.name = "flatten_loops_f32_reference",
           .backend = Backend::kReference,
           .isa = Isa::kScalar,
           .declines = declines_epilogue,
           .run = flatten_loops_f32_reference},
};

}  // namespace

const Table kFlattenTable = {"flatten", kKernels};

}  // namespace penult::kernels
