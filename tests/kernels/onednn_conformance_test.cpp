// Every row of the module onednn against the reference kernel, over every corpus.

#include "tests/kernels/kernel_case.h"
#include "tests/support/error_model.h"
#include "tests/support/onednn_test.h"

namespace penult::testing {
namespace {

using kernels::Backend;
using kernels::Kernel;
using shapes::all_corpora;
using shapes::parse_problem;
using shapes::read_corpus;

constexpr int64_t kImages = 3;
constexpr int64_t kMaxTestCost = 200'000;  // for one image: reduces the nets' larger maps

// A whole batch, a single image, and what goes image by image; buffers with halos, which are
// copied, and without, which are not.
constexpr RunPlan kPlans[] = {
    {.n = kImages, .threads = 2, .max_batch = kImages},
    {.n = kImages, .threads = 1, .max_batch = kImages, .halos = false},
    {.n = 1, .threads = 1, .max_batch = 1},
    {.n = 1, .threads = 2, .max_batch = 1, .halos = false},
    {.n = 2, .threads = 1, .max_batch = kImages},
    {.n = 2, .threads = 2, .max_batch = kImages, .halos = false},
};

class OnednnConformance : public OnednnTest<::testing::TestWithParam<const char*>> {
 protected:
  // Calls body(kernel, spec) for each row and each problem of the corpus that it takes.
  template <class Body>
  void for_each_accepted(const Body& body) const {
    for (const kernels::Table& table : module_->tables) {
      for (const Kernel& kernel : table.kernels) {
        for (const ProblemSpec& full : read_corpus(GetParam())) {
          const ProblemSpec spec = reduced(full, kMaxTestCost);
          if (spec.op != table.op || !kernel.declines(make_problem(spec)).empty()) continue;
          body(kernel, spec);
          if (HasFatalFailure()) return;
        }
      }
    }
  }

  static Dense reference(const KernelCase& c) {
    return run_kernel(*find_kernel(c.spec, Backend::kReference, Isa::kScalar), c, {kImages, 1});
  }
};

TEST_P(OnednnConformance, IsExactOnIntegers) {
  for_each_accepted([](const Kernel& kernel, const ProblemSpec& spec) {
    if (!is_exact_on_integers(spec)) return;
    const KernelCase c = KernelCase::make(spec, Numbers::kIntegers, kImages);
    const Dense expected = reference(c);
    for (const RunPlan& plan : kPlans)
      expect_close(kernel, c, plan, expected, [](size_t) { return 0.0; });
  });
}

TEST_P(OnednnConformance, StaysWithinTheErrorModelOnReals) {
  for_each_accepted([](const Kernel& kernel, const ProblemSpec& spec) {
    const KernelCase c = KernelCase::make(spec, Numbers::kReals, kImages);
    const Dense expected = reference(c), magnitude = reference(magnitudes_of(c));
    const ErrorBound bound = error_bound(spec);
    const auto bound_at = [&](size_t i) { return bound.at(magnitude[i], expected[i]); };
    for (const RunPlan& plan : kPlans) expect_close(kernel, c, plan, expected, bound_at);
  });
}

INSTANTIATE_TEST_SUITE_P(All, OnednnConformance, ::testing::ValuesIn(all_corpora()),
                         [](const auto& corpus) { return std::string(corpus.param); });

class OnednnRows : public OnednnTest<> {};

TEST_F(OnednnRows, AreNamedAfterOperatorTypeAndBackendAndPrepare) {
  for (const kernels::Table& table : module_->tables) {
    for (const Kernel& kernel : table.kernels) {
      const std::string name = kernel.name;
      EXPECT_TRUE(name.starts_with(std::string(table.op) + "_")) << name;
      EXPECT_TRUE(name.ends_with("_f32_onednn")) << name;
      EXPECT_EQ(kernel.backend, Backend::kOnednn) << name;
      EXPECT_TRUE(kernel.prepare && !kernel.run) << name;
    }
  }
}

TEST_F(OnednnRows, TakeEveryConvolutionAndProductOfTheNetsWithoutCopies) {
  for (const char* corpus : {"mobilenet_v2", "efficientnet_lite0"}) {
    for (const ProblemSpec& spec : read_corpus(corpus)) {
      const Kernel* kernel = find_kernel(module_->tables, spec);
      if (spec.op != "conv2d" && spec.op != "linear") continue;
      ASSERT_NE(kernel, nullptr) << spec.to_string();
      const std::string implementation = implementation_of(*kernel, spec);
      EXPECT_FALSE(implementation.starts_with("ref")) << spec.to_string() << implementation;
      // The image's three channels are most padding, so they are copied.
      const bool copies = implementation.find("copy") != std::string::npos;
      EXPECT_EQ(copies, spec.src.c == 3) << spec.to_string() << ": " << implementation;
    }
  }
}

TEST_F(OnednnRows, SayWhyTheyDecline) {
  const ProblemSpec wide = parse_problem("conv2d src=4x9x9 oc=4 k=1x1 p=65,0,0,0");
  const Kernel& conv = *find_kernel(module_->tables, parse_problem("conv2d src=4x9x9 oc=4"));
  EXPECT_EQ(conv.declines(make_problem(wide)), "padding must be at most 64 pixels, got 65");
}

}  // namespace
}  // namespace penult::testing
