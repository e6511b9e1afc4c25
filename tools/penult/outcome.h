#pragma once

// How a command ended, and the exit code that docs and scripts rely on.

#include <string>

#include "engine/base/file.h"
#include "penult/status.h"

namespace penult::program {

enum ExitCode : int {
  kExitOk = 0,
  kExitFailures = 1,  // finished, but failures above the allowed rate, or a check failed
  kExitUsage = 2,     // wrong usage, or a name that does not exist
  kExitRefused = 3,   // invalid model, image set or job that does not match
  kExitIo = 4,        // I/O error or no space
  kExitInternal = 5,  // a bug, or no memory
  kExitSigint = 130,  // 128 + signal
  kExitSigpipe = 141,
  kExitSigterm = 143,
};

// What a command returns: nothing to say, or the one line for stderr and the exit code.
struct Outcome {
  Outcome() = default;
  Outcome(Status s);  // NOLINT(google-explicit-constructor): lets the error macros return it
  Outcome(int exit_code, Status s) : status(std::move(s)), exit(exit_code) {}

  Status status;
  int exit = kExitOk;
};

// NotFound of a file is an I/O error, NotFound of a name wrong usage: this is the former.
Outcome of_file(Status status);

// Whether a file can be written at `path`, asked before the work rather than after it:
// InvalidArgument if something is there that may not be replaced, Io if its folder cannot be
// written.
Status check_output(const std::string& path, bool force);
// What --force says about files that come later than that.
inline Existing existing(bool force) { return force ? Existing::kReplaced : Existing::kKept; }

}  // namespace penult::program
