#include "tests/kernels/kernel_case.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <stdexcept>

#include "kernels/prepared.h"
#include "kernels/support.h"
#include "tests/kernels/guarded_buffer.h"

namespace penult::testing {
namespace {

using kernels::Halo;
using kernels::Kernel;
using kernels::Problem;
using kernels::TensorDesc;
using Flush = GuardedBuffer::Flush;

// A map in guarded memory: zeros in the halo, garbage in the channel padding.
class Map {
 public:
  static constexpr float kGarbage = 12345.5F;

  Map(const TensorDesc& desc, int64_t images, Flush flush)
      : desc_(desc),
        images_(images),
        buffer_(static_cast<size_t>(desc.image_stride * images) * sizeof(float), flush) {
    for_each_pixel(images,
                   [&](float* pixel) { std::fill(pixel, pixel + desc_.pixel_stride, kGarbage); });
  }

  float* origin() { return buffer_.floats() + shapes::origin_of(desc_); }

  void fill(const Dense& dense) { shapes::copy_in(dense, desc_, origin(), images_); }

  Dense dense(int64_t images) {
    Dense out;
    for_each_pixel(images,
                   [&](float* pixel) { out.insert(out.end(), pixel, pixel + desc_.shape.c); });
    return out;
  }

  // Channel padding may hold anything but infinities and NaNs.
  bool padding_is_finite(int64_t images) {
    bool finite = true;
    for_each_pixel(images, [&](const float* pixel) {
      for (int64_t c = desc_.shape.c; c < desc_.pixel_stride; ++c)
        finite = finite && std::isfinite(pixel[c]);
    });
    return finite;
  }

  std::vector<std::byte> bytes() { return {buffer_.data(), buffer_.data() + buffer_.bytes()}; }

  // True if everything but the pixels of the first `images` images is as it was in `before`.
  bool changed_only_pixels(std::vector<std::byte> before, int64_t images) {
    for_each_pixel(images, [&](float* pixel) {
      const auto at = reinterpret_cast<std::byte*>(pixel) - buffer_.data();
      std::memcpy(before.data() + at, pixel,
                  static_cast<size_t>(desc_.pixel_stride) * sizeof(float));
    });
    return std::memcmp(before.data(), buffer_.data(), buffer_.bytes()) == 0;
  }

 private:
  template <class Body>
  void for_each_pixel(int64_t images, const Body& body) {
    shapes::for_each_pixel(desc_, origin(), images, body);
  }

  TensorDesc desc_;
  int64_t images_;
  GuardedBuffer buffer_;
};

// Strides and halos: what the kernel asks of its sources, something odd elsewhere (a later
// consumer's halo on dst, another one's on the residual).
Problem laid_out(const Kernel& kernel, const ProblemSpec& spec, const RunPlan& plan,
                 int64_t spare_channels) {
  Problem problem = make_problem(spec);
  const bool gives_map = problem.dst.shape.is_map();
  for (size_t i = 0; i < problem.src.size(); ++i) {
    Halo halo = kernel.src_halo(problem, static_cast<int>(i));
    const Shape shape = problem.src[i].shape;
    if (shape.is_map() && i == 0 && spare_channels)
      halo.right += 1, halo.top += 1;  // another consumer's
    const bool dense = plan.dense && i == 0;
    problem.src[i] =
        dense ? shapes::lay_out_dense(shape, halo) : shapes::lay_out(shape, halo, spare_channels);
  }
  const bool has_halos = gives_map && plan.halos;
  const Halo dst_halo = has_halos ? Halo{1, 2, 0, 1} : Halo{};
  const Halo residual_halo = has_halos ? Halo{0, 1, 2, 0} : Halo{};
  problem.dst = shapes::lay_out(problem.dst.shape, dst_halo, spare_channels);
  if (spec.epilogue.residual)
    problem.residual = plan.in_place
                           ? problem.dst
                           : shapes::lay_out(problem.dst.shape, residual_halo, spare_channels);
  return problem;
}

struct Memory {
  std::vector<std::unique_ptr<Map>> src;
  std::unique_ptr<Map> residual, dst;
  std::unique_ptr<kernels::PreparedKernel> prepared;  // of a kernel that prepares
  std::unique_ptr<GuardedBuffer> packed;
  std::vector<std::unique_ptr<GuardedBuffer>> scratch;
};

Memory make_memory(const Kernel& kernel, const Problem& problem, const KernelCase& c,
                   const RunPlan& plan, Flush flush) {
  Memory memory;
  for (size_t i = 0; i < c.src.size(); ++i) {
    memory.src.push_back(std::make_unique<Map>(problem.src[i], plan.n, flush));
    memory.src.back()->fill(c.src[i]);
  }
  if (c.spec.epilogue.residual && !plan.in_place) {
    memory.residual = std::make_unique<Map>(problem.residual, plan.n, flush);
    memory.residual->fill(c.residual);
  }
  // With an image to spare that the kernel must leave alone (or the end at the guard page).
  const int64_t spare = flush == Flush::kStart ? 1 : 0;
  memory.dst = std::make_unique<Map>(problem.dst, plan.n + spare, flush);
  if (plan.in_place) memory.dst->fill(c.residual);
  kernels::LoadedWeights weights({c.weights.begin(), c.weights.end()}, problem.dst.shape.c);
  const auto allocate_packed = [&](size_t bytes) {
    memory.packed = std::make_unique<GuardedBuffer>(bytes, flush);
    // NaNs where pack() leaves gaps that run() then reads.
    std::memset(memory.packed->data(), 0xFF, memory.packed->bytes());
    return memory.packed->data();
  };
  if (kernel.prepare != nullptr) {
    auto prepared =
        kernel.prepare({.problem = problem, .max_batch = plan.max_batch, .threads = plan.threads});
    if (!prepared.ok()) throw std::runtime_error(prepared.status().message());
    memory.prepared = std::move(prepared).value();
    const Status packed =
        memory.prepared->pack(weights, allocate_packed(memory.prepared->packed_bytes()));
    EXPECT_TRUE(packed.ok()) << packed.message();
    memory.scratch.push_back(
        std::make_unique<GuardedBuffer>(memory.prepared->scratch_bytes(), flush));
    return memory;
  }
  kernel.pack(problem, weights, allocate_packed(kernel.packed_bytes(problem)));
  for (int t = 0; t < plan.threads; ++t) {
    memory.scratch.push_back(std::make_unique<GuardedBuffer>(kernel.scratch_bytes(problem), flush));
  }
  return memory;
}

void run_bound(Memory& memory, const float* const* src, const RunPlan& plan) {
  const auto bound =
      memory.prepared->bind({.src = src,
                             .residual = memory.residual ? memory.residual->origin() : nullptr,
                             .dst = memory.dst->origin(),
                             .packed = memory.packed->data(),
                             .scratch = memory.scratch[0]->data()});
  if (!bound.ok()) throw std::runtime_error(bound.status().message());
  const Status status = (*bound)->run(plan.n);
  EXPECT_TRUE(status.ok()) << status.message();
}

// Bands from the last to the first: what one writes beside its rows, the next must leave alone.
void run_bands(const Kernel& kernel, kernels::RunArgs args, int64_t band_rows) {
  const int64_t height = args.problem.dst.shape.h;
  for (int64_t image = args.n - 1; image >= 0; --image) {
    for (int64_t band = (height - 1) / band_rows; band >= 0; --band) {
      const int64_t begin = band * band_rows, end = std::min(begin + band_rows, height);
      args.rows = {image * height + begin, image * height + end};
      kernel.run(args);
    }
  }
}

void run_parts(const Kernel& kernel, const Problem& problem, Memory& memory, const RunPlan& plan) {
  Map* const residual = plan.in_place ? memory.dst.get() : memory.residual.get();
  std::vector<const float*> src;
  for (const auto& map : memory.src) src.push_back(map->origin());
  if (memory.prepared) return run_bound(memory, src.data(), plan);
  for (int thread = plan.threads - 1; thread >= 0; --thread) {
    const kernels::RunArgs args{.problem = problem,
                                .n = plan.n,
                                .src = src.data(),
                                .residual = residual ? residual->origin() : nullptr,
                                .dst = memory.dst->origin(),
                                .packed = memory.packed->data(),
                                .scratch = memory.scratch[static_cast<size_t>(thread)]->data(),
                                .thread = thread,
                                .threads = plan.threads};
    if (plan.band_rows > 0) {
      run_bands(kernel, args, plan.band_rows);
    } else {
      kernel.run(args);
    }
  }
}

}  // namespace

KernelCase magnitudes_of(const KernelCase& original) {
  KernelCase c = original;
  const auto make_absolute = [](Dense& values) {
    for (float& value : values) value = std::fabs(value);
  };
  for (Dense& values : c.src) make_absolute(values);
  for (Dense& values : c.weights) make_absolute(values);
  make_absolute(c.residual);
  if (c.spec.op == "batchnorm") {  // the mean is subtracted
    for (float& value : c.weights[2]) value = -value;
  }
  c.spec.epilogue.activation = {};
  if (make_problem(c.spec).function != Activation{}) {
    constexpr float kLargest = std::numeric_limits<float>::max();
    c.spec.op = "clip";  // at infinity: the identity
    c.spec.attrs = Attributes().set_float("lo", -kLargest).set_float("hi", kLargest);
  }
  return c;
}

std::vector<RunPlan> run_plans(const ProblemSpec& spec, int64_t images) {
  constexpr int64_t kExpensive = 4'000'000;  // test cost of one image
  if (test_cost(spec) > kExpensive) return {{1, 1}, {images, 3}};
  std::vector<RunPlan> plans;
  for (const int64_t n : {int64_t{1}, int64_t{2}, images}) {
    for (const int threads : {1, 2, 3}) plans.push_back({n, threads});
  }
  return plans;
}

Dense run_kernel(const Kernel& kernel, const KernelCase& kernel_case, RunPlan plan) {
  // Tight buffers that end at a guard page, and roomy ones that start at one.
  const Flush flush = (plan.n + plan.threads) % 2 == 0 ? Flush::kEnd : Flush::kStart;
  const bool is_roomy = flush == Flush::kStart && plan.halos;
  const int64_t spare_channels = is_roomy ? kernels::kChannelPad : 0;
  const Problem problem = laid_out(kernel, kernel_case.spec, plan, spare_channels);
  Memory memory = make_memory(kernel, problem, kernel_case, plan, flush);
  std::vector<std::vector<std::byte>> sources;
  for (const auto& map : memory.src) sources.push_back(map->bytes());
  const std::vector<std::byte> dst_before = memory.dst->bytes();
  run_parts(kernel, problem, memory, plan);
  for (size_t i = 0; i < sources.size(); ++i)
    EXPECT_EQ(sources[i], memory.src[i]->bytes()) << kernel.name << " changed src " << i;
  EXPECT_TRUE(memory.dst->changed_only_pixels(dst_before, plan.n))
      << kernel.name << " wrote beside dst: " << kernel_case.spec.to_string();
  EXPECT_TRUE(memory.dst->padding_is_finite(plan.n))
      << kernel.name << " left NaNs: " << kernel_case.spec.to_string();
  return memory.dst->dense(plan.n);
}

void expect_close(const Kernel& kernel, const KernelCase& kernel_case, RunPlan plan,
                  const Dense& expected, const std::function<double(size_t)>& bound) {
  const Dense got = run_kernel(kernel, kernel_case, plan);
  for (size_t i = 0; i < got.size(); ++i) {
    const double error = std::fabs(static_cast<double>(got[i]) - expected[i]);
    ASSERT_TRUE(error <= bound(i))
        << kernel.name << ": " << kernel_case.spec.to_string() << "\nn " << plan.n << ", threads "
        << plan.threads << ", element " << i << ": expected " << expected[i] << ", got " << got[i]
        << ", bound " << bound(i);
  }
}

std::string implementation_of(const Kernel& kernel, const ProblemSpec& spec) {
  const Problem problem = laid_out(kernel, spec, {.halos = false}, 0);
  const auto prepared = kernel.prepare({.problem = problem, .max_batch = 1, .threads = 1});
  return prepared.ok() ? (*prepared)->implementation() : prepared.status().message();
}

const Kernel* find_kernel(std::span<const kernels::Table> tables, const ProblemSpec& spec) {
  const Problem problem = make_problem(spec);
  for (const kernels::Table& table : tables) {
    if (spec.op != table.op) continue;
    for (const Kernel& kernel : table.kernels)
      if (kernel.declines(problem).empty()) return &kernel;
  }
  return nullptr;
}

const Kernel* find_kernel(const ProblemSpec& spec, kernels::Backend backend, Isa isa,
                          kernels::NumericClass numeric_class) {
  const Problem problem = make_problem(spec);
  for (const kernels::Table& table : kernels::all_tables()) {
    if (problem.op != table.op) continue;
    for (const Kernel& kernel : table.kernels) {
      if (kernel.backend != backend || kernel.isa != isa) continue;
      if (kernel.numeric_class != numeric_class) continue;
      if (kernel.declines(problem).empty()) return &kernel;
    }
  }
  return nullptr;
}

bool runs_natively(const ProblemSpec& spec, Isa isa) {
  const auto isas = all_isas();
  return std::any_of(isas.begin(), isas.end(), [&](Isa lower) {
    return lower <= isa && find_kernel(spec, kernels::Backend::kNative, lower) != nullptr;
  });
}

bool is_runnable(const Kernel& kernel) { return is_supported(kernel.isa); }

}  // namespace penult::testing
