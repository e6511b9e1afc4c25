#pragma once

// Which numeric class computes a layer: data, keyed by the layer's shape and the ISA class, never
// by batch, threads or taps. Changing a row changes bits, and so does changing the arithmetic of a
// kernel or a function: then kNumericsVersion goes up.

#include "kernels/kernel.h"

namespace penult::kernels {

inline constexpr int kNumericsVersion = 3;
// Of the kernels on GPUs, which have no tables: changes of their bits.
inline constexpr int kGpuNumericsVersion = 1;

// latency: for one image at a time. throughput: for batches of 8 and more.
enum class Numerics { kLatency, kThroughput };
// InvalidArgument lists the names: "latency", "throughput".
Result<Numerics> numerics_from_name(const std::string& name);

NumericClass numeric_class(const Problem& problem, Isa isa, Numerics numerics);

}  // namespace penult::kernels
