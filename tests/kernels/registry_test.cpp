#include <gtest/gtest.h>

#include <set>
#include <string>

#include "kernels/kernel.h"

namespace penult::kernels {
namespace {

std::string suffix_of(const Kernel& kernel) {
  return kernel.backend == Backend::kNative ? isa_name(kernel.isa) : backend_name(kernel.backend);
}

TEST(Registry, NamesEveryKernelOnceAfterOperatorTypeAndLevel) {
  std::set<std::string> seen;
  for (const Table& table : all_tables()) {
    for (const Kernel& kernel : table.kernels) {
      const std::string name = kernel.name;
      EXPECT_TRUE(seen.insert(name).second) << name << " stands twice";
      EXPECT_TRUE(name.starts_with(std::string(table.op) + "_")) << name;
      EXPECT_TRUE(name.ends_with("_f32_" + suffix_of(kernel))) << name;
    }
  }
}

TEST(Registry, SetsEveryFunctionOfEveryRow) {
  for (const Table& table : all_tables()) {
    for (const Kernel& kernel : table.kernels) {
      EXPECT_TRUE(kernel.declines && kernel.src_halo && kernel.packed_bytes && kernel.pack &&
                  kernel.scratch_bytes && kernel.run)
          << kernel.name;
    }
  }
}

TEST(Registry, OffersEachOperatorAsReferenceAndAtEveryLevel) {
  std::set<std::string> ops, found;
  for (const Table& table : all_tables()) {
    ops.insert(table.op);
    for (const Kernel& kernel : table.kernels) {
      found.insert(table.op + (" " + suffix_of(kernel)));
      // What only copies is the same at all levels.
      const std::string op = table.op;
      if (kernel.name != op + "_copy_f32_scalar") continue;
      for (const Isa isa : all_isas()) found.insert(op + " " + isa_name(isa));
    }
  }
  for (const std::string& op : ops) {
    EXPECT_TRUE(found.contains(op + " reference")) << op;
    for (const Isa isa : all_isas()) EXPECT_TRUE(found.contains(op + " " + isa_name(isa))) << op;
  }
}

TEST(Registry, PutsFasterLevelsFirstAndTheReferenceLast) {
  for (const Table& table : all_tables()) {
    for (size_t i = 1; i < table.kernels.size(); ++i) {
      const Kernel &before = table.kernels[i - 1], &after = table.kernels[i];
      EXPECT_NE(before.backend, Backend::kReference) << before.name;
      EXPECT_GE(before.isa, after.isa) << before.name << ", " << after.name;
    }
  }
}

}  // namespace
}  // namespace penult::kernels
