#pragma once

#include <fmt/format.h>

#include <cstdio>
#include <string_view>
#include <utility>

#include "tools/penult/outcome.h"

namespace penult::program {

// Occupies descriptors 0 to 2 where they are closed, so that no file that is opened later takes
// their numbers and receives what is meant for a stream. Reading or writing them still fails.
void reserve_standard_streams();

// To stdout. A write that fails is not reported here (fmt::print would throw) but by flush_output.
void print_text(std::string_view text);

template <typename... Args>
void print_out(fmt::format_string<Args...> format, Args&&... args) {
  print_text(fmt::format(format, std::forward<Args>(args)...));
}

// Io unless everything printed so far has arrived; kExitSigpipe, of which report says nothing, if
// whoever read standard output has left, as `head` does when it has seen enough.
Outcome flush_output();

}  // namespace penult::program
