#pragma once

#include <gtest/gtest.h>

#include <span>

#include "kernels/kernel.h"

namespace penult::testing {

// Of every row: dense maps without halos, rings or other memory for its dst; and that it prepares.
inline void expect_one_layout(std::span<const kernels::Table> tables) {
  int rows = 0;
  for (const kernels::Table& table : tables) {
    for (const kernels::Kernel& kernel : table.kernels) {
      EXPECT_EQ(kernel.src_halo, kernels::no_halo) << kernel.name;
      EXPECT_EQ(kernel.dense_src, kernels::never) << kernel.name;
      EXPECT_EQ(kernel.spread_src, kernels::never) << kernel.name;
      EXPECT_EQ(kernel.ring_src, kernels::never) << kernel.name;
      EXPECT_EQ(kernel.row_window, nullptr) << kernel.name;
      EXPECT_FALSE(kernel.overwrites_residual) << kernel.name;
      EXPECT_NE(kernel.prepare, nullptr) << kernel.name;
      ++rows;
    }
  }
  EXPECT_GT(rows, 0);
}

}  // namespace penult::testing
