#pragma once

// Problems as text: bench/shapes/*.txt, one problem a line, `#` starts a comment.
//
//   OP key=value ...
//   src=CxHxW or src=C (a vector)     the only key that every problem has
//   oc=N                              output channels (conv2d, linear)
//   k=HxW s=HxW d=HxW                 kernel, stride, dilation; 1x1 if absent
//   p=TOP,LEFT,BOTTOM,RIGHT           padding; none if absent
//   g=N                               groups; 1 if absent
//   bias=0                            without bias (conv2d, linear)
//   res=1                             a residual is added in the epilogue
//   act=clamp:LO:HI                   activation in the epilogue
//
// Failures print the problem in this syntax, to be pasted into a corpus.

#include <string>
#include <vector>

#include "kernels/kernel.h"

namespace penult::testing {

struct ProblemSpec {
  std::string op;
  Shape src;
  int64_t oc = 0;
  int64_t kh = 1, kw = 1, sh = 1, sw = 1, dh = 1, dw = 1;
  int64_t top = 0, left = 0, bottom = 0, right = 0;
  int64_t groups = 1;
  bool bias = true;
  kernels::Epilogue epilogue;

  Shape dst() const;
  int64_t macs() const;  // for one image
  // What testing one image costs: arithmetic, and buffers to make and compare.
  int64_t test_cost() const { return macs() + 16 * (src.elems() + dst().elems()); }
  // Successive f32 roundings of a dst element, counted generously.
  int64_t roundings() const;
  // If every intermediate result of small integers is an integer.
  bool is_exact_on_integers() const;
  int inputs() const { return op == "add" ? 2 : 1; }
  std::string to_string() const;
};

// Without strides and halos.
kernels::Problem make_problem(const ProblemSpec& spec);

// Throws std::runtime_error naming the line.
ProblemSpec parse_problem(const std::string& line);
std::vector<ProblemSpec> read_corpus(const std::string& name);  // of bench/shapes, without .txt

// The same problem on a smaller map, so that a test of all corpora stays short; K and oc remain.
ProblemSpec reduced(ProblemSpec spec, int64_t max_test_cost);

}  // namespace penult::testing
