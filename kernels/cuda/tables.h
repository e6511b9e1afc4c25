#pragma once

#include <span>

#include "kernels/kernel.h"

namespace penult::kernels::cuda {

// THE list of tables of our kernels on a device: rows for both precisions.
std::span<const Table> gpu_tables();

}  // namespace penult::kernels::cuda
