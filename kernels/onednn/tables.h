#pragma once

// The tables of the module, in the <op>_onednn.cpp files; module.cpp lists them.

#include "kernels/onednn/operator.h"

namespace penult::kernels::onednn {

extern const Table kAvgPool2dTable, kConv2dTable, kGlobalAvgPoolTable, kLinearTable,
    kMaxPool2dTable;

}  // namespace penult::kernels::onednn
