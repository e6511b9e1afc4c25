#include <cmath>

#include "engine/base/check.h"
#include "engine/base/text.h"
#include "engine/ops/op.h"

namespace penult {
namespace {

constexpr size_t kMaxAttributes = 64;

Status invalid(std::string_view attribute, const std::string& why) {
  return Status(StatusCode::kModelInvalid, concat("attribute ", quote(attribute), ": ", why));
}

const AttributeSpec* find_spec(const OpDef& op, std::string_view name) {
  for (const AttributeSpec& spec : op.attributes) {
    if (spec.name == name) return &spec;
  }
  return nullptr;
}

Status check_ints(const AttributeSpec& spec, const Attribute& attribute) {
  if (!attribute.floats.empty() || attribute.ints.size() != spec.count) {
    const char* got = attribute.floats.empty() ? "" : " floats";
    return invalid(spec.name, concat("expected ", spec.count, " integers, got ",
                                     attribute.ints.size() + attribute.floats.size(), got));
  }
  for (const int64_t value : attribute.ints) {
    if (value < spec.int_lo || value > spec.int_hi) {
      return invalid(spec.name,
                     concat("expected ", spec.int_lo, "..", spec.int_hi, ", got ", value));
    }
  }
  return Status();
}

Status check_float(const AttributeSpec& spec, const Attribute& attribute) {
  if (!attribute.ints.empty() || attribute.floats.size() != 1) {
    const char* got = attribute.ints.empty() ? "" : " integers";
    return invalid(spec.name, concat("expected one float, got ",
                                     attribute.ints.size() + attribute.floats.size(), got));
  }
  const double value = attribute.floats[0];
  if (!std::isfinite(value) || value < spec.float_lo || value > spec.float_hi) {
    return invalid(spec.name, concat("expected a finite number in ", spec.float_lo, "..",
                                     spec.float_hi, ", got ", value));
  }
  return Status();
}

void set_default(const AttributeSpec& spec, Attributes& attrs) {
  if (spec.kind == AttributeSpec::Kind::kInts) {
    attrs.set(spec.name, std::vector<int64_t>(spec.count, spec.int_default));
  } else {
    attrs.set_float(spec.name, static_cast<float>(spec.float_default));
  }
}

}  // namespace

Status check_attributes(const OpDef& op, Attributes& attrs) {
  if (attrs.all().size() > kMaxAttributes) {
    return Status(StatusCode::kModelInvalid, concat("attributes: expected at most ", kMaxAttributes,
                                                    ", got ", attrs.all().size()));
  }
  for (const Attribute& attribute : attrs.all()) {
    const AttributeSpec* spec = find_spec(op, attribute.name);
    if (spec == nullptr) return invalid(attribute.name, concat("unknown to operator ", op.name));
    const bool ints = spec->kind == AttributeSpec::Kind::kInts;
    PENULT_RETURN_IF_ERROR(ints ? check_ints(*spec, attribute) : check_float(*spec, attribute));
  }
  for (const AttributeSpec& spec : op.attributes) {
    if (attrs.find(spec.name) != nullptr) continue;
    if (spec.required) return invalid(spec.name, concat("required by operator ", op.name));
    set_default(spec, attrs);
  }
  return Status();
}

}  // namespace penult
