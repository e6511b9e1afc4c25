#pragma once

#include <cstdint>
#include <vector>

#include "engine/graph/graph.h"

namespace penult {

// The part of the input on which a value can depend, as far as the operators' geometry says; what
// the weights make of it is another matter.
struct ReceptiveField {
  // Along one axis: the value's pixel i depends on the input's pixels stride * i + first to
  // stride * i + last, those beyond the border being padding.
  struct Axis {
    int64_t first = 0, last = 0, stride = 1;
    int64_t size() const { return last - first + 1; }
    bool operator==(const Axis&) const = default;
  };
  Axis rows, columns;
  // Every element depends on the whole input, whatever the axes say: global pooling came before.
  bool whole = false;
  bool operator==(const ReceptiveField&) const = default;
};

// Of each value of a graph with shapes, by the recursion of Araujo, Norris and Sim (2019),
// "Computing Receptive Fields of Convolutional Neural Networks": through a window of
// k pixels at stride s behind a padding of p, the stride grows by s, `first` by -p and `last` by
// k - 1 - p of the strides before. Where paths join, the field spans those of all. Numbers stop
// growing at 2^40 pixels.
std::vector<ReceptiveField> receptive_fields(const Graph& graph);

}  // namespace penult
