#pragma once

// Graph -> graph rewrites. Each pass is one file whose header comment shows before and after, and
// names what blocks it. A value in Graph::outputs, or one that somebody else reads too, is a
// barrier: no pass may make it disappear or change it.

#include <vector>

#include "engine/graph/graph.h"

namespace penult {

// Removes nodes on which no output depends. Values keep their ids.
void remove_dead(Graph& graph);

// conv -> batchnorm  =>  conv whose packed weights contain the batchnorm.
void fold_batchnorm(Graph& graph);

// mul(x, factors) -> conv  =>  conv that multiplies what it reads.
void fuse_scale(Graph& graph);

// x -> average -> linear -> linear, which scales x  =>  squeeze_excitation.
void fuse_squeeze_excitation(Graph& graph);

// add(conv, x)  =>  conv with x as its residual.
void fuse_residual_add(Graph& graph);

// conv -> relu  =>  conv with the activation in its epilogue.
void fuse_activation(Graph& graph);

struct PassOptions {
  // false stops after batchnorm folding: the "unfused native" graph, the exact oracle of every
  // fusion.
  bool fuse = true;
  // false for libraries, none of whose convolutions multiplies what it reads.
  bool fuse_scale = true;
  // true where a kernel computes such a block at once: on devices.
  bool fuse_squeeze_excitation = false;
};

// THE order (pass_order.cpp): truncates at `outputs`, then rewrites what is left. The graph is
// validated after each pass; Internal names the one that broke it.
Status run_passes(Graph& graph, std::vector<ValueId> outputs, const PassOptions& options);

// --- shared by passes (edit.cpp) ---

class Uses;  // engine/passes/uses.h

// Takes a node out of the graph: it reads and produces nothing any more (see drop_retired).
void retire(Node& node);
void retire(Graph& graph, Uses& uses, int index);

// Puts another node at this place.
void replace(Graph& graph, Uses& uses, int index, Node node);

// Removes retired nodes, keeping the order of the others.
void drop_retired(Graph& graph);

}  // namespace penult
