#include "engine/ops/expect.h"

#include <limits>

#include "engine/base/checked.h"
#include "engine/base/text.h"

namespace penult {

Status expect_map(const Shape& input) {
  if (input.is_map()) return Status();
  return Status(StatusCode::kModelInvalid,
                concat("input: expected a map (c,h,w), got ", input.to_string()));
}

Status expect_vector(const Shape& input) {
  if (!input.is_map()) return Status();
  return Status(StatusCode::kModelInvalid,
                concat("input: expected a vector (c), got ", input.to_string()));
}

Status expect_dims(std::string_view weight, const std::vector<int64_t>& expected,
                   const std::vector<int64_t>& got, const Shape& input) {
  if (got == expected) return Status();
  return Status(StatusCode::kModelInvalid, concat("weight ", quote(weight), ": expected ", expected,
                                                  " for input ", input.to_string(), ", got ", got));
}

Result<Shape> same_shape(const OpArgs& args) { return args.inputs[0]; }

uint64_t no_macs(const OpArgs&, const Shape&) { return 0; }

uint64_t saturating_product(std::span<const int64_t> factors) {
  return checked_product(factors).value_or(std::numeric_limits<uint64_t>::max());
}

}  // namespace penult
