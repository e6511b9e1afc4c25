#pragma once

#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "converters/pytorch/pickle.h"

namespace penult::converters {

// True if pickles may refer to this "module name".
bool is_known_global(const std::string& name);

// The element type of a storage class ("torch FloatStorage"), if it is one.
std::optional<Dtype> storage_dtype(const std::string& name);

// What calling global `name` with `args` yields, written into `result`. Only the callables of state
// dicts are known; the message says what does not fit.
Status call_global(const std::string& name, const std::vector<Ref>& args, Object& result);

// ('storage', storage class, key, location, elements[, view]) -> a kStorage object; an opaque one
// if the class is unknown.
Status read_persistent_id(const Object& id, Object& result);

}  // namespace penult::converters
