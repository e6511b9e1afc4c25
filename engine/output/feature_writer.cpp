#include "engine/output/feature_writer.h"

#include <set>
#include <utility>

#include "engine/base/check.h"
#include "engine/base/checked.h"
#include "engine/base/text.h"
#include "engine/output/output_format.h"

namespace penult {
namespace {

Status invalid(std::string message) { return {StatusCode::kInvalidArgument, std::move(message)}; }

Status check_tables(const OutputSpec& spec) {
  std::set<std::string> keys;
  for (const TableInfo& table : spec.tables) {
    if (!keys.insert(table.key).second) {
      return invalid(concat("tap ", quote(table.key), " is there twice"));
    }
    const auto elems = checked_product(table.dims);
    if (!elems || *elems == 0) {
      return invalid(concat("tap ", quote(table.key), " has rows of ", table.dims, " elements"));
    }
  }
  return {};
}

}  // namespace

const char* element_type_name(ElementType type) {
  return type == ElementType::kF32 ? "f32" : "f16";
}

FeatureWriter::FeatureWriter(const OutputSpec& spec) : tables_(spec.tables) {
  for (const TableInfo& table : tables_) elems_.push_back(checked_product(table.dims).value_or(0));
}

Status FeatureWriter::check_sizes(const Rows& rows) const {
  const uint64_t n = rows.paths.size();
  if (rows.labels.size() != n || rows.tables.size() != tables_.size()) {
    return invalid(concat("rows of ", n, " paths with ", rows.labels.size(), " labels and ",
                          rows.tables.size(), " tables, expected as many labels and ",
                          tables_.size(), " tables"));
  }
  for (size_t t = 0; t < tables_.size(); ++t) {
    if (rows.tables[t].size() != n * elems_[t]) {
      return invalid(concat("table ", quote(tables_[t].key), " has ", rows.tables[t].size(),
                            " values, expected ", n, " x ", elems_[t]));
    }
  }
  return {};
}

Status FeatureWriter::append(std::span<const std::string> paths,
                             std::span<const std::string> labels,
                             std::span<const std::span<const float>> tables) {
  if (!status_.ok()) return status_;
  const Rows rows{paths, labels, tables};
  PENULT_RETURN_IF_ERROR(check_sizes(rows));
  rows_ += static_cast<int64_t>(paths.size());
  return status_ = add(rows);
}

Status FeatureWriter::finish(const std::string& provenance) {
  if (!status_.ok()) return status_;
  const Status finished = complete(provenance);
  status_ = finished.ok() ? invalid("the features are written already") : finished;
  return finished;
}

Result<std::unique_ptr<FeatureWriter>> create_feature_writer(const OutputSpec& spec) {
  PENULT_RETURN_IF_ERROR(check_output_spec(spec.path, spec.tables.size(), spec.element_type));
  PENULT_RETURN_IF_ERROR(check_tables(spec));
  PENULT_ASSIGN_OR_RETURN(const OutputFormat* format, output_format(spec.path));
  return format->create(spec);
}

}  // namespace penult
