#pragma once

// What the name of a file says of the network in it, where tensors do not tell.

#include <cstddef>
#include <string>
#include <string_view>

namespace penult::converters {

// The file's name without folders; where that says nothing of its own (model.safetensors), with the
// folder's before it, as Hugging Face keeps files: tf_efficientnet_b0.in1k/model.safetensors.
std::string name_that_tells(const std::string& path);

// Length of the longest beginning of `name`, in whole words, that `hint` has as whole words; 0 if
// there is none. Case does not matter, and '-' is '_': files are called EfficientNet-lite0.pth,
// too.
size_t agreement(const std::string& hint, std::string_view name);

// `hint` names a network that has the tensors of `architecture` and other layers: what it says, and
// what to do, for an error. Empty otherwise.
std::string other_network(const std::string& hint, std::string_view architecture);

}  // namespace penult::converters
