#pragma once

#include <cstdint>
#include <vector>

#include "engine/graph/graph.h"

namespace penult {

// Who produces and who reads each value, so that a pass takes time linear in the graph. Positions
// of nodes stay valid while a pass retires and rewrites nodes in place; a node must be taken out
// before it is changed and put back afterwards.
class Uses {
 public:
  explicit Uses(const Graph& graph);

  // Index of the node that produces `value`, or -1 (the input, or nobody).
  int producer(ValueId value) const { return producer_[static_cast<size_t>(value)]; }
  // Index of the only node that reads `value`; -1 if it is an output of the graph, or if several
  // nodes or none read it.
  int sole_reader(ValueId value) const;

  void take_out(const Node& node, int index);
  void put_in(const Node& node, int index);

 private:
  void count(const Node& node, int index, int sign);

  std::vector<int> producer_;
  std::vector<int> readers_;         // how many
  std::vector<int64_t> reader_sum_;  // of their indices: of one reader, its index
  std::vector<bool> is_output_;
};

}  // namespace penult
