#pragma once

// Error-passing macros, and checks of programmer errors. Input is never checked with PENULT_DCHECK.

#include <cassert>

#include "penult/status.h"

#define PENULT_DCHECK(condition) assert(condition)

#define PENULT_RETURN_IF_ERROR(expression)                                    \
  do {                                                                        \
    if (::penult::Status penult_status_ = (expression); !penult_status_.ok()) \
      return penult_status_;                                                  \
  } while (false)

#define PENULT_CONCAT_INNER_(a, b) a##b
#define PENULT_CONCAT_(a, b) PENULT_CONCAT_INNER_(a, b)

// PENULT_ASSIGN_OR_RETURN(auto x, f()): x = value of the Result, or return its Status.
#define PENULT_ASSIGN_OR_RETURN(declaration, expression) \
  PENULT_ASSIGN_OR_RETURN_(PENULT_CONCAT_(penult_result_, __LINE__), declaration, expression)
#define PENULT_ASSIGN_OR_RETURN_(result, declaration, expression) \
  auto result = (expression);                                     \
  if (!result.ok()) return result.status();                       \
  declaration = std::move(result).value()
