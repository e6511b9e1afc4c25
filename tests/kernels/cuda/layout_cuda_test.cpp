// All rows of a device want the same layout, so that one may take the place of another after maps
// have been laid out (prepare_kernels in engine/plan/plan.h).

#include <gtest/gtest.h>

#include "kernels/cuda/tables.h"
#include "tests/kernels/cuda/device_rows.h"

namespace penult::kernels::cuda {
namespace {

TEST(GpuTables, WantOneLayout) { testing::expect_one_layout(gpu_tables()); }

}  // namespace
}  // namespace penult::kernels::cuda
