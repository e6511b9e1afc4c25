#pragma once

// Which dict of a checkpoint holds the tensors of the network.

#include <string>
#include <string_view>

#include "converters/pytorch/pickle.h"
#include "penult/status.h"

namespace penult::converters {

// What helps where something else than tensors was saved.
inline constexpr std::string_view kSaveTensors =
    "save the tensors alone: torch.save(model.state_dict(), \"weights.pt\")";

// Why the entry `key` of a state dict cannot be read.
Status not_a_tensor(const Object& key, const Object& value);

struct Chosen {
  Ref dict = nullptr;
  std::string path;  // "ema.state_dict"; empty: the pickled object itself
  std::string note;  // what else there was, if anything
};

// The entry called `wanted`, of dicts in dicts with dots between them. If that is empty, the first
// of kNests (in the .cpp) that leads to tensors, else the pickled object itself. InvalidArgument
// lists the entries that hold tensors.
Result<Chosen> choose_entry(const Object& root, const std::string& wanted);

}  // namespace penult::converters
