#pragma once

// Networks whose tensors have the same names and shapes, but that pad or normalise differently:
// TensorFlow's weights in timm (tf_efficientnet_b0) beside timm's own (efficientnet_b0). Only a
// name tells which of them the weights were trained in.

#include <string>

namespace penult::converters {

// `hint`: the file's name, or what the user said. Of the two it means the one whose name it has
// more of, in whole words from the beginning on: "tf_mobilenetv3_large_075" is a tf_ one, and
// "mobilenetv3.pth" is none. Where both agree alike, that is the default. True without a twin.
bool is_the_twin_meant(const std::string& hint, const char* name, const char* twin,
                       bool is_default);

// What the user should know about the choice; empty if the hint is the name itself.
std::string note_on_twins(const std::string& hint, const char* name, const char* twin);

}  // namespace penult::converters
