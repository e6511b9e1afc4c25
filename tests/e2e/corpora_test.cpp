// bench/shapes/NET.txt holds what the net's plan runs at 224 pixels, and the operators that stand
// alone where taps keep them from being fused. PENULT_WRITE_SHAPES=1 writes the files instead.

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>

#include "bench/shapes/corpus.h"
#include "engine/model/model_data.h"
#include "engine/ops/op.h"
#include "engine/passes/passes.h"
#include "engine/plan/plan.h"
#include "tests/support/seeded_weights.h"

namespace penult::testing {
namespace {

using shapes::corpus_path;
using shapes::ProblemSpec;
using shapes::read_corpus;
using Lines = std::vector<std::string>;

void set_pair(const Attributes& attrs, const char* name, int64_t& h, int64_t& w) {
  if (attrs.find(name) == nullptr) return;
  h = attrs.get_int(name, 0);
  w = attrs.get_int(name, 1);
}

bool has_key_of_its_own(std::string_view attribute) {  // or, eps, is the same in every corpus
  constexpr std::array kNames = {"kernel", "strides", "dilations", "pads", "groups", "eps"};
  return std::find(kNames.begin(), kNames.end(), attribute) != kNames.end();
}

bool is_default(const AttributeSpec& spec, const Attribute& attribute) {
  const auto is = [](auto value) { return [=](auto other) { return other == value; }; };
  return !spec.required &&
         std::all_of(attribute.ints.begin(), attribute.ints.end(), is(spec.int_default)) &&
         std::all_of(attribute.floats.begin(), attribute.floats.end(),
                     is(static_cast<float>(spec.float_default)));
}

// Those that have no key of their own and do not have the default value.
Attributes other_attributes(const OpDef& op, const Attributes& attrs) {
  Attributes others;
  for (const AttributeSpec& spec : op.attributes) {
    const Attribute& attribute = *attrs.find(spec.name);  // defaults are filled in
    if (has_key_of_its_own(spec.name) || is_default(spec, attribute)) continue;
    if (spec.kind == AttributeSpec::Kind::kInts)
      others.set(spec.name, attribute.ints);
    else
      others.set_float(spec.name, attribute.floats[0]);
  }
  return others;
}

// As choose_layout and the kernels see the node; seeded weights are not needed.
ProblemSpec spec_of(const Graph& graph, const Node& node) {
  const kernels::Problem problem = describe(graph, node);
  ProblemSpec spec;
  spec.op = node.op->name;
  spec.src = problem.src[0].shape;
  for (size_t i = 1; i < problem.src.size(); ++i) spec.further.push_back(problem.src[i].shape);
  const auto& weights = problem.weight_dims;
  if (node.op == &kConv2d || node.op == &kLinear) {
    spec.oc = weights[0][0];
    spec.bias = !weights[1].empty();
  }
  if (node.op == &kConv2d) spec.kh = weights[0][2], spec.kw = weights[0][3];
  const Attributes& attrs = problem.attrs;
  set_pair(attrs, "kernel", spec.kh, spec.kw);
  set_pair(attrs, "strides", spec.sh, spec.sw);
  set_pair(attrs, "dilations", spec.dh, spec.dw);
  if (attrs.find("pads") != nullptr) {
    spec.top = attrs.get_int("pads", 0), spec.left = attrs.get_int("pads", 1);
    spec.bottom = attrs.get_int("pads", 2), spec.right = attrs.get_int("pads", 3);
  }
  if (attrs.find("groups") != nullptr) spec.groups = attrs.get_int("groups");
  spec.attrs = other_attributes(*node.op, attrs);
  spec.epilogue = problem.epilogue;
  return spec;
}

void add_line(Lines& lines, const std::string& line) {
  if (std::find(lines.begin(), lines.end(), line) == lines.end()) lines.push_back(line);
}

// Each problem once: those of the plan in execution order, then those that fusion did away with.
Lines problems_of(const ModelData& model) {
  Lines lines;
  Graph fused = model.graph;
  const Status passes = run_passes(fused, {model.taps.back().value}, {.fuse = true});
  EXPECT_TRUE(passes.ok()) << passes.message();
  for (const Node& node : fused.nodes) add_line(lines, spec_of(fused, node).to_string());
  for (const Node& node : model.graph.nodes) {
    if (!node.op->folds_batchnorm) add_line(lines, spec_of(model.graph, node).to_string());
  }
  return lines;
}

Lines lines_of(const std::vector<ProblemSpec>& specs) {
  Lines lines;
  for (const ProblemSpec& spec : specs) lines.push_back(spec.to_string());
  return lines;
}

void write(const std::string& net, const Lines& lines) {
  std::ofstream file(corpus_path(net));
  file << "# Layer shapes of " << net << " at 224 x 224, each once, in execution order; then what\n"
       << "# stands alone where taps keep it from being fused. Written by "
          "tests/e2e/corpora_test.cpp.\n"
       << "# Syntax: bench/shapes/corpus.h.\n";
  for (const std::string& line : lines) file << line << "\n";
  ASSERT_TRUE(file.good());
}

class Corpora : public ::testing::TestWithParam<const char*> {};

TEST_P(Corpora, HoldWhatTheNetsPlanRuns) {
  const auto model = build_without_matrices(GetParam());
  ASSERT_TRUE(model.ok()) << model.status().message();
  const Lines lines = problems_of(*model);
  if (std::getenv("PENULT_WRITE_SHAPES") != nullptr) write(GetParam(), lines);
  EXPECT_EQ(lines_of(read_corpus(GetParam())), lines)
      << "PENULT_WRITE_SHAPES=1 makes this test write " << corpus_path(GetParam());
}

INSTANTIATE_TEST_SUITE_P(Seeded, Corpora,
                         ::testing::ValuesIn(shapes::kNetCorpora.begin() + 2,
                                             shapes::kNetCorpora.end()),
                         [](const auto& test) { return std::string(test.param); });

}  // namespace
}  // namespace penult::testing
