#pragma once

// INPUT arguments -> an ordered list of files.

#include <string>
#include <vector>

#include "penult/status.h"

namespace penult::program {

struct Taken {
  std::string path;   // INPUT as given + "/" + relative path
  std::string label;  // first folder below INPUT; empty for files directly in it and for lists
};

struct Inputs {
  std::vector<Taken> taken;
  std::vector<std::string> not_taken;  // "path: reason", of files that folders hold besides
  std::vector<std::string> missing;    // arguments that name nothing; they are taken all the same

  // Nothing was taken but arguments that name nothing.
  bool nothing_there() const { return taken.size() == missing.size(); }
};

// Folders are searched recursively and sorted byte-wise by relative path; "@list.txt" and "-"
// (paths on stdin) keep their order. A pattern with * ? [ stands for the names that it matches,
// sorted byte-wise, unless something has the pattern for its name; one that matches none, and all
// other arguments, are taken as they are, existing or not. Io: a list that cannot be read.
Result<Inputs> collect_inputs(const std::vector<std::string>& arguments);

}  // namespace penult::program
