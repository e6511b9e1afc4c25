#pragma once

// Networks whose tensors have the same names and shapes, but that pad or normalise differently:
// TensorFlow's weights in timm (tf_efficientnet_b0) beside timm's own (efficientnet_b0). Only a
// name tells which of them the weights were trained in.

#include <string>

namespace penult::converters {

// `hint`: the file's name, or what the user said. It names `name`, or, if it names neither of both,
// that is the default. "tf_x" names x only where no twin is called so. True without a twin.
bool is_the_twin_meant(const std::string& hint, const char* name, const char* twin,
                       bool is_default);

// What the user should know about the choice; empty if the hint is the name itself.
std::string note_on_twins(const std::string& hint, const char* name, const char* twin);

}  // namespace penult::converters
