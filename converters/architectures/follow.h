#pragma once

// The names of a known architecture for a graph that a file holds: the graph's layers are compared
// with the architecture's, one by one. Numbers stay what they are.

#include <string>

#include "converters/importer.h"

namespace penult::converters {

// The graph's places get the architecture's names, groups and preprocessing; what the file calls
// them become aliases, where the architecture calls no other place so. ModelInvalid, and no change,
// if the layers are not those of the architecture.
Status follow_architecture(const Architecture& architecture, SourceGraph& source);

// The same with the architecture that fits: of several, the one that the file's names agree with,
// else the one that `hint`, the file's name, names, else the first. What was found becomes a note.
// No change if none fits.
void recognise_graph(const std::string& hint, SourceGraph& source);

}  // namespace penult::converters
