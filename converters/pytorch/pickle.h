#pragma once

// A reader of pickles that executes nothing: a closed set of opcodes builds plain data, and a
// closed set of names (torch's tensor rebuilders, OrderedDict, storage types) is interpreted here.
// Everything else stays opaque: training tools save settings and schedulers beside the tensors,
// which nobody has to understand. Whoever needs one of them reports its name.
//
// Format: https://github.com/python/cpython/blob/main/Lib/pickletools.py (protocols 2 to 4).

#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <vector>

#include "converters/dtype.h"
#include "penult/status.h"

namespace penult::converters {

struct Object;
using Ref = const Object*;

// One value. Objects refer to each other by pointer into Pickle::objects, so nothing is freed
// recursively, whatever a file nests or shares.
struct Object {
  enum class Kind {
    kNone,
    kBool,
    kInt,
    kFloat,
    kText,
    kBytes,
    kTuple,
    kList,
    kDict,     // items: key, value, key, value, ...
    kGlobal,   // text: "module name"
    kStorage,  // items[0]: key; number: elements; dtype
    kTensor,   // items[0]: storage; number: offset; dims; strides (all in elements)
    kOpaque,   // an unknown name, what calling it would give, or a text that is too long to keep;
               // see opaque_name(); of a storage: items[1] is its key
  };
  Kind kind = Kind::kNone;
  Dtype dtype = Dtype::kFloat32;
  int64_t number = 0;
  std::string text;
  std::vector<Ref> items;
  std::vector<int64_t> dims, strides;
};

struct Pickle {
  std::deque<Object> objects;
  Ref root = nullptr;
  size_t end = 0;  // offset behind the STOP opcode
};

// What an opaque object is or is made by: "module.name"; for messages.
std::string opaque_name(const Object& opaque);

// Interprets one pickle that starts at `begin`. FormatCorrupt, FormatUnsupported or LimitExceeded,
// with the byte offset.
Result<Pickle> read_pickle(std::span<const uint8_t> bytes, size_t begin);

}  // namespace penult::converters
