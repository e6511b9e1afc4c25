#include "kernels/cuda/cudnn/descriptor.h"

#include <utility>

namespace penult::kernels::cudnn {

Builder::Builder(const Cudnn& cudnn, cudnnBackendDescriptorType_t type, const char* what)
    : cudnn_(cudnn), what_(what) {
  cudnnBackendDescriptor_t descriptor = nullptr;
  status_ = status_of(cudnn, cudnn.create_descriptor(type, &descriptor), what);
  if (status_.ok()) descriptor_ = Descriptor(cudnn, descriptor);
}

Builder& Builder::set_raw(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type,
                          int64_t count, const void* data) {
  if (!status_.ok()) return *this;
  status_ =
      answer_of(cudnn_, cudnn_.set_attribute(descriptor_.get(), name, type, count, data), what_);
  return *this;
}

Builder& Builder::set(cudnnBackendAttributeName_t name, const Descriptor& value) {
  const cudnnBackendDescriptor_t raw = value.get();
  return set_raw(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &raw);
}

Builder& Builder::set_all(cudnnBackendAttributeName_t name, const std::vector<Descriptor>& values) {
  std::vector<cudnnBackendDescriptor_t> raw;
  for (const Descriptor& value : values) raw.push_back(value.get());
  return set_raw(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, static_cast<int64_t>(raw.size()), raw.data());
}

Result<Descriptor> Builder::finalize() {
  if (status_.ok()) status_ = answer_of(cudnn_, cudnn_.finalize(descriptor_.get()), what_);
  if (!status_.ok()) return status_;
  return std::move(descriptor_);
}

Result<Descriptor> empty_descriptor(const Cudnn& cudnn, cudnnBackendDescriptorType_t type) {
  cudnnBackendDescriptor_t descriptor = nullptr;
  const Status status =
      status_of(cudnn, cudnn.create_descriptor(type, &descriptor), "create a descriptor");
  if (!status.ok()) return status;
  return Descriptor(cudnn, descriptor);
}

}  // namespace penult::kernels::cudnn
