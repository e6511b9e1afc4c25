#pragma once

// Named attributes of an operator. Every operator reads its own names; nothing else interprets
// them.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace penult {

// One attribute: integers or floats, never both.
struct Attribute {
  std::string name;
  std::vector<int64_t> ints;
  std::vector<float> floats;
  bool operator==(const Attribute&) const = default;
};

// A small list, sorted by name. `get_*` assume that the attributes were checked against the
// operator's signature, which also fills in defaults: a missing name is a programmer error.
class Attributes {
 public:
  Attributes& set(std::string_view name, std::vector<int64_t> values);
  Attributes& set(std::string_view name, int64_t value) {
    return set(name, std::vector<int64_t>{value});
  }
  Attributes& set_float(std::string_view name, float value);

  const Attribute* find(std::string_view name) const;
  int64_t get_int(std::string_view name, size_t index = 0) const;
  float get_float(std::string_view name) const;

  const std::vector<Attribute>& all() const { return items_; }
  bool operator==(const Attributes&) const = default;

 private:
  Attribute& slot(std::string_view name);
  std::vector<Attribute> items_;
};

}  // namespace penult
