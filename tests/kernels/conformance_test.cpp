// Every kernel of every table against the reference kernel, over every corpus.

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <string_view>

#include "engine/base/activation_def.h"
#include "engine/ops/op.h"
#include "tests/kernels/winograd_magnitudes.h"

namespace penult::testing {
namespace {

using kernels::Backend;
using kernels::Kernel;
using shapes::all_corpora;
using shapes::kTails;
using shapes::read_corpus;

constexpr int64_t kImages = 5;
constexpr int64_t kMaxTestCost = 400'000;  // for one image: reduces the nets' larger maps

struct Param {
  const kernels::Table* table;
  const Kernel* kernel;
  const char* corpus;
};

void PrintTo(const Param& param, std::ostream* out) {
  *out << param.kernel->name << " on " << param.corpus;
}

// Read once: each test is a process of its own, and asks for every kernel and corpus at the start.
const std::vector<ProblemSpec>& reduced_corpus(const std::string& name) {
  static std::map<std::string, std::vector<ProblemSpec>> cache;
  const auto [found, is_new] = cache.try_emplace(name);
  if (is_new) {
    for (const ProblemSpec& spec : read_corpus(name)) {
      found->second.push_back(reduced(spec, kMaxTestCost));
    }
  }
  return found->second;
}

// The corpus's problems that a kernel accepts.
std::vector<ProblemSpec> accepted_specs(const Param& param) {
  std::vector<ProblemSpec> accepted;
  for (const ProblemSpec& spec : reduced_corpus(param.corpus)) {
    if (shapes::accepts(*param.table, *param.kernel, spec)) accepted.push_back(spec);
  }
  return accepted;
}

std::vector<Param> all_params() {
  std::vector<Param> params;
  for (const kernels::Table& table : kernels::all_tables()) {
    for (const Kernel& kernel : table.kernels) {
      for (const char* corpus : all_corpora()) {
        // The oracle differs from itself only where parts do: the tails show that.
        const bool is_oracle = kernel.backend == Backend::kReference;
        if (is_oracle && std::string_view(corpus) != kTails) continue;
        const std::vector<ProblemSpec>& specs = reduced_corpus(corpus);
        const auto fits = [&](const ProblemSpec& spec) {
          return shapes::accepts(table, kernel, spec);
        };
        if (std::any_of(specs.begin(), specs.end(), fits))
          params.push_back({&table, &kernel, corpus});
      }
    }
  }
  return params;
}

class Conformance : public ::testing::TestWithParam<Param> {
 protected:
  void SetUp() override {
    if (!is_runnable(*GetParam().kernel)) GTEST_SKIP() << "this machine lacks the level";
  }

  static Dense reference(const KernelCase& c) {
    return run_kernel(*find_kernel(c.spec, Backend::kReference, Isa::kScalar), c, {kImages, 1});
  }

  // Every batch and thread count against the first images of `expected`, within `bound`.
  template <class Bound>
  void expect_close(const KernelCase& c, const Dense& expected, const Bound& bound) const {
    for (const RunPlan& plan : run_plans(c.spec, kImages)) {
      testing::expect_close(*GetParam().kernel, c, plan, expected, bound);
      if (HasFatalFailure()) return;
    }
    if (c.spec.epilogue.residual && GetParam().kernel->overwrites_residual) {
      const RunPlan in_place{.n = 2, .threads = 2, .in_place = true};
      testing::expect_close(*GetParam().kernel, c, in_place, expected, bound);
      if (HasFatalFailure()) return;
    }
    if (!GetParam().kernel->dense_src(shapes::make_problem(c.spec))) return;
    const RunPlan dense{.n = kImages, .threads = 2, .dense = true};
    testing::expect_close(*GetParam().kernel, c, dense, expected, bound);
  }
};

TEST_P(Conformance, IsExactOnIntegers) {
  for (const ProblemSpec& spec : accepted_specs(GetParam())) {
    if (!is_exact_on_integers(spec, GetParam().kernel->numeric_class)) continue;
    const KernelCase c = KernelCase::make(spec, Numbers::kIntegers, kImages);
    expect_close(c, reference(c), [](size_t) { return 0.0; });
    if (HasFatalFailure()) return;
  }
}

TEST_P(Conformance, StaysWithinTheErrorModelOnReals) {
  for (const ProblemSpec& spec : accepted_specs(GetParam())) {
    const KernelCase c = KernelCase::make(spec, Numbers::kReals, kImages);
    const kernels::NumericClass numeric_class = GetParam().kernel->numeric_class;
    const Dense magnitude = numeric_class == kernels::NumericClass::kDirect
                                ? reference(magnitudes_of(c))
                                : winograd_magnitudes(c, numeric_class);
    const Dense expected = reference(c);
    const ErrorBound bound = error_bound(spec, numeric_class);
    expect_close(c, expected, [&](size_t i) { return bound.at(magnitude[i], expected[i]); });
    if (HasFatalFailure()) return;
  }
}

std::string param_name(const ::testing::TestParamInfo<Param>& info) {
  return std::string(info.param.kernel->name) + "_on_" + info.param.corpus;
}

INSTANTIATE_TEST_SUITE_P(All, Conformance, ::testing::ValuesIn(all_params()), param_name);

// What the nets need at speed must not fall through to the reference unnoticed.
TEST(ConformanceCoverage, NativeKernelsAcceptEveryProblem) {
  for (const char* corpus : all_corpora()) {
    for (const ProblemSpec& spec : read_corpus(corpus)) {
      for (const Isa isa : all_isas()) EXPECT_TRUE(runs_natively(spec, isa)) << spec.to_string();
    }
  }
}

TEST(ConformanceCoverage, SomeProblemOfTheCorporaIsAcceptedByEachKernel) {
  const std::vector<ProblemSpec> tails = read_corpus("tails");
  for (const kernels::Table& table : kernels::all_tables()) {
    for (const Kernel& kernel : table.kernels) {
      const auto accepts = [&](const ProblemSpec& spec) {
        return shapes::accepts(table, kernel, spec);
      };
      EXPECT_TRUE(std::any_of(tails.begin(), tails.end(), accepts)) << kernel.name;
    }
  }
}

TEST(ConformanceCoverage, TheTailsTryEveryOperatorAndFunction) {
  const std::vector<ProblemSpec> tails = read_corpus("tails");
  for (const OpDef* op : all_ops()) {
    const auto tries = [&](const ProblemSpec& spec) { return spec.op == op->name; };
    EXPECT_TRUE(std::any_of(tails.begin(), tails.end(), tries)) << op->name;
  }
  for (const ActivationDef& def : all_activations()) {
    const auto fuses = [&](const ProblemSpec& spec) {
      return spec.epilogue.activation.kind == def.kind;
    };
    EXPECT_TRUE(std::any_of(tails.begin(), tails.end(), fuses)) << def.name;
  }
}

}  // namespace
}  // namespace penult::testing
