#pragma once

// The tables of backend cudnn: rows for both precisions. Each row has `prepare`, which needs the
// libraries, a driver and a device, all of the calling thread's current device.

#include <span>

#include "kernels/kernel.h"

namespace penult::kernels::cudnn {

std::span<const Table> cudnn_tables();

// Whether both libraries can be opened.
Status check_libraries();

}  // namespace penult::kernels::cudnn
