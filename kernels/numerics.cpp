#include "kernels/numerics.h"

#include <array>
#include <span>

#include "engine/base/text.h"
#include "kernels/conv2d/conv2d_geometry.h"
#include "kernels/winograd_conv2d/winograd_conv2d.h"

namespace penult::kernels {
namespace {

struct Rule {
  NumericClass numeric_class;
  bool (*applies)(const Conv2dGeometry&);
};

// Of the rules the first that applies, else direct.

// Fewer channels than this: transforms cost more than the products that they save.
bool is_narrow(const Conv2dGeometry& g) { return g.ic < 32 || g.oc < 32; }

// Maps of 16 pixels and more have tiles enough that four times the weights are read for many rows.
bool has_many_tiles(const Conv2dGeometry& g) { return !is_narrow(g) && g.oh >= 16 && g.ow >= 16; }

// 14x14 and 7x7: of one image F(4,3) would read four times the weights for 16 rows or 4; F(2,3)
// reads less than twice for 49 or 16. docs/decisions/0011 has the figures.
bool has_some_tiles(const Conv2dGeometry& g) { return !is_narrow(g) && g.oh >= 6 && g.ow >= 6; }

constexpr std::array kLatencyRules = {
    Rule{NumericClass::kWinograd43, has_many_tiles},
    Rule{NumericClass::kWinograd23, has_some_tiles},
};

constexpr std::array kThroughputRules = {
    Rule{NumericClass::kWinograd43, has_some_tiles},
};

std::span<const Rule> rules_of(Numerics numerics) {
  if (numerics == Numerics::kLatency) return kLatencyRules;
  return kThroughputRules;
}

}  // namespace

Result<Numerics> numerics_from_name(const std::string& name) {
  if (name == "latency") return Numerics::kLatency;
  if (name == "throughput") return Numerics::kThroughput;
  return Status(StatusCode::kInvalidArgument, concat("unknown table of numerics ", quote(name),
                                                     ", expected latency or throughput"));
}

NumericClass numeric_class(const Problem& problem, Isa, Numerics numerics) {
  if (problem.op != kWinogradConv2dTable.op || !winograd_declines(problem).empty())
    return NumericClass::kDirect;
  const Conv2dGeometry g = conv2d_geometry(problem);
  for (const Rule& rule : rules_of(numerics))
    if (rule.applies(g)) return rule.numeric_class;
  return NumericClass::kDirect;
}

}  // namespace penult::kernels
