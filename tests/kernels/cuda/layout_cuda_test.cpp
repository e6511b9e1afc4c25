// What plans rely on in all rows of a device: that one may take the place of another after maps
// have been laid out (prepare_kernels in engine/plan/plan.h), and that plans which differ in the
// batch only may share packed weights.

#include <gtest/gtest.h>

#include <vector>

#include "kernels/cuda/tables.h"
#include "kernels/prepared.h"
#include "kernels/support.h"
#include "tests/kernels/cuda/device_case.h"
#include "tests/kernels/cuda/device_rows.h"

namespace penult::testing {
namespace {

using kernels::Kernel;

TEST(GpuTables, WantOneLayout) { expect_one_layout(kernels::cuda::gpu_tables()); }

std::vector<std::byte> packed_for(const Kernel& kernel, const shapes::KernelCase& c,
                                  int64_t max_batch) {
  const kernels::Problem problem = laid_out_for_device(c.spec);
  const auto prepared =
      kernel.prepare({.problem = problem, .max_batch = max_batch, .threads = 1}).value();
  std::vector<std::byte> bytes(prepared->packed_bytes());
  kernels::LoadedWeights weights({c.weights.begin(), c.weights.end()}, c.spec.oc);
  EXPECT_TRUE(prepared->pack(weights, bytes.data()).ok());
  return bytes;
}

TEST(GpuTables, PackWeightsAlikeForEveryBatch) {
  int packed = 0;
  for (const kernels::Table& table : kernels::cuda::gpu_tables()) {
    for (const Kernel& kernel : table.kernels) {
      for (const shapes::ProblemSpec& spec : shapes::read_corpus(shapes::kTails)) {
        if (!shapes::accepts(table, kernel, spec)) continue;
        const auto c = shapes::KernelCase::make(spec, shapes::Numbers::kReals, 1);
        const auto bytes = packed_for(kernel, c, 1);
        EXPECT_EQ(packed_for(kernel, c, 64), bytes) << kernel.name << " " << spec.to_string();
        packed += !bytes.empty();
      }
    }
  }
  EXPECT_GT(packed, 50);
}

}  // namespace
}  // namespace penult::testing
