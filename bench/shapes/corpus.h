#pragma once

// Problems as text: bench/shapes/*.txt, one problem a line, `#` starts a comment.
//
//   OP key=value ...
//   src=CxHxW or src=C (a vector)     the only key that every problem has; one for each input, but
//                                     two equal ones need be written once
//   oc=N                              output channels (conv2d, linear)
//   k=HxW s=HxW d=HxW                 kernel, stride, dilation; 1x1 if absent
//   p=TOP,LEFT,BOTTOM,RIGHT           padding; none if absent
//   g=N                               groups; 1 if absent
//   bias=0                            without bias (conv2d, linear)
//   res=1                             a residual is added in the epilogue
//   act=NAME or act=NAME:A:B          activation in the epilogue (engine/base/activation_def.h)
//   NAME=1,2 or NAME=0.5              any other attribute of the operator, by its name
//
// Failures print the problem in this syntax, to be pasted into a corpus.

#include <array>
#include <string>
#include <vector>

#include "kernels/kernel.h"

namespace penult::shapes {

struct ProblemSpec {
  std::string op;
  Shape src;                   // of the first input
  std::vector<Shape> further;  // of the others
  int64_t oc = 0;
  int64_t kh = 1, kw = 1, sh = 1, sw = 1, dh = 1, dw = 1;
  int64_t top = 0, left = 0, bottom = 0, right = 0;
  int64_t groups = 1;
  bool bias = true;
  Attributes attrs;  // by name, those of the keys above excluded
  kernels::Epilogue epilogue;

  std::vector<Shape> inputs() const;
  std::vector<Shape> written_inputs() const;  // those that to_string() writes
  Shape dst() const;
  const char* table() const;  // the name of its table
  int64_t macs() const;       // for one image; 0 for operators that do not multiply matrices
  std::string to_string() const;
};

// Without strides and halos.
kernels::Problem make_problem(const ProblemSpec& spec);
// If the kernel, a row of the table, takes the problem.
bool accepts(const kernels::Table& table, const kernels::Kernel& kernel, const ProblemSpec& spec);

// The files of this folder, without .txt: the layers of each net, layers of other nets, and shapes
// that no net has. tests/e2e/corpora_test.cpp writes those of nets but for the first two, which are
// not built from a seed.
inline constexpr std::array kNetCorpora = {
    "mobilenet_v2",    "efficientnet_lite0", "resnet18", "resnet50",
    "mobilenetv1_100", "mobilenet_v3_large", "bagnet17"};
inline constexpr const char* kOthers = "others";
inline constexpr const char* kTails = "tails";
std::vector<const char*> all_corpora();
// Where the build found them.
std::string corpora_folder();
std::string corpus_path(const std::string& name);
// The names of all files in a folder, sorted. Throws std::filesystem::filesystem_error.
std::vector<std::string> corpora_in(const std::string& folder);

// These throw std::runtime_error naming the file or the line.
ProblemSpec parse_problem(const std::string& line);
std::vector<ProblemSpec> read_corpus(const std::string& name);
std::vector<ProblemSpec> read_corpus_file(const std::string& path);

}  // namespace penult::shapes
