#pragma once

// Descriptors of cuDNN's graph API, which are all made alike: create, set attributes, finalize.

#include <concepts>
#include <memory>
#include <span>
#include <vector>

#include "kernels/cuda/cudnn/library.h"

namespace penult::kernels::cudnn {

struct DestroyDescriptor {
  decltype(Cudnn::destroy_descriptor) function = nullptr;
  void operator()(void* descriptor) const { function(descriptor); }
};

class Descriptor {
 public:
  Descriptor() = default;
  Descriptor(const Cudnn& cudnn, cudnnBackendDescriptor_t descriptor)
      : owned_(descriptor, DestroyDescriptor{cudnn.destroy_descriptor}) {}
  cudnnBackendDescriptor_t get() const { return owned_.get(); }

 private:
  std::unique_ptr<void, DestroyDescriptor> owned_;
};

// What cuDNN calls the types that attributes have.
constexpr auto attribute_type(cudnnHandle_t) { return CUDNN_TYPE_HANDLE; }
constexpr auto attribute_type(cudnnDataType_t) { return CUDNN_TYPE_DATA_TYPE; }
constexpr auto attribute_type(bool) { return CUDNN_TYPE_BOOLEAN; }
constexpr auto attribute_type(int64_t) { return CUDNN_TYPE_INT64; }
constexpr auto attribute_type(float) { return CUDNN_TYPE_FLOAT; }
constexpr auto attribute_type(double) { return CUDNN_TYPE_DOUBLE; }
constexpr auto attribute_type(char) { return CUDNN_TYPE_CHAR; }
constexpr auto attribute_type(void*) { return CUDNN_TYPE_VOID_PTR; }
constexpr auto attribute_type(cudnnConvolutionMode_t) { return CUDNN_TYPE_CONVOLUTION_MODE; }
constexpr auto attribute_type(cudnnPointwiseMode_t) { return CUDNN_TYPE_POINTWISE_MODE; }
constexpr auto attribute_type(cudnnBackendHeurMode_t) { return CUDNN_TYPE_HEUR_MODE; }
constexpr auto attribute_type(cudnnBackendNumericalNote_t) { return CUDNN_TYPE_NUMERICAL_NOTE; }

// Builder(...).set(...).set(...).finalize(): the first error, an answer_of(), ends it. `what` is
// for messages.
class Builder {
 public:
  Builder(const Cudnn& cudnn, cudnnBackendDescriptorType_t type, const char* what);

  template <class T>
  Builder& set_all(cudnnBackendAttributeName_t name, std::span<const T> values) {
    return set_raw(name, attribute_type(T{}), static_cast<int64_t>(values.size()), values.data());
  }
  template <class T>
  requires(!std::same_as<T, Descriptor>) Builder& set(cudnnBackendAttributeName_t name,
                                                      const T& value) {
    return set_all(name, std::span<const T>(&value, 1));
  }
  Builder& set(cudnnBackendAttributeName_t name, const Descriptor& value);
  Builder& set_all(cudnnBackendAttributeName_t name, const std::vector<Descriptor>& values);

  Result<Descriptor> finalize();

 private:
  Builder& set_raw(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type,
                   int64_t count, const void* data);

  const Cudnn& cudnn_;
  const char* what_;
  Descriptor descriptor_;
  Status status_;
};

// Not finalized: for get_attribute() to write into.
Result<Descriptor> empty_descriptor(const Cudnn& cudnn, cudnnBackendDescriptorType_t type);

// An attribute that is one number, or several of at most `capacity`.
template <class T>
Result<std::vector<T>> read_attribute(const Cudnn& cudnn, const Descriptor& descriptor,
                                      cudnnBackendAttributeName_t name, size_t capacity = 1) {
  std::vector<T> values(capacity);
  int64_t count = 0;
  const Status status =
      answer_of(cudnn,
                cudnn.get_attribute(descriptor.get(), name, attribute_type(T{}),
                                    static_cast<int64_t>(capacity), &count, values.data()),
                "read an attribute");
  if (!status.ok()) return status;
  values.resize(static_cast<size_t>(count));
  return values;
}

}  // namespace penult::kernels::cudnn
