#include "engine/base/attributes.h"

#include <algorithm>

#include "engine/base/check.h"

namespace penult {
namespace {

auto lower_bound_by_name(auto& items, std::string_view name) {
  return std::lower_bound(
      items.begin(), items.end(), name,
      [](const Attribute& a, std::string_view key) { return a.name.compare(key) < 0; });
}

}  // namespace

Attribute& Attributes::slot(std::string_view name) {
  const auto it = lower_bound_by_name(items_, name);
  if (it != items_.end() && it->name == name) return *it;
  return *items_.insert(it, Attribute{std::string(name), {}, {}});
}

Attributes& Attributes::set(std::string_view name, std::vector<int64_t> values) {
  Attribute& attribute = slot(name);
  attribute.ints = std::move(values);
  attribute.floats.clear();
  return *this;
}

Attributes& Attributes::set_float(std::string_view name, float value) {
  Attribute& attribute = slot(name);
  attribute.floats = {value};
  attribute.ints.clear();
  return *this;
}

const Attribute* Attributes::find(std::string_view name) const {
  const auto it = lower_bound_by_name(items_, name);
  return it != items_.end() && it->name == name ? &*it : nullptr;
}

int64_t Attributes::get_int(std::string_view name, size_t index) const {
  const Attribute* attribute = find(name);
  PENULT_DCHECK(attribute != nullptr && index < attribute->ints.size());
  return attribute->ints[index];
}

float Attributes::get_float(std::string_view name) const {
  const Attribute* attribute = find(name);
  PENULT_DCHECK(attribute != nullptr && !attribute->floats.empty());
  return attribute->floats[0];
}

}  // namespace penult
