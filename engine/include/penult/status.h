#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace penult {

/// The stable error codes of the library. New codes are appended; numbers never change.
enum class StatusCode : int32_t {
  kOk = 0,
  kInvalidArgument = 1,    ///< the caller passed something that no model could accept
  kNotFound = 2,           ///< a file, or a name (tap, backend, architecture), does not exist
  kIo = 3,                 ///< the operating system refused to read or write
  kNoSpace = 4,            ///< the disk or the quota is full
  kOutOfMemory = 5,        ///< an allocation failed
  kLimitExceeded = 6,      ///< a size is legal but above a documented budget
  kFormatCorrupt = 7,      ///< the bytes contradict their own format
  kFormatUnsupported = 8,  ///< a valid file that uses something this version cannot read
  kVersionTooNew = 9,      ///< written by a later version of the format
  kChecksumMismatch = 10,  ///< stored bytes changed since they were written
  kModelInvalid = 11,      ///< the file is well formed, the network in it is not
  kImageCorrupt = 12,      ///< a picture is truncated or damaged
  kImageUnsupported = 13,  ///< a picture of a kind that is not read (never guessed)
  kDevice = 14,            ///< no such device, or it failed
  kCancelled = 15,         ///< stopped on request
  kBusy = 16,              ///< the object is in use by another call
  kInternal = 17,          ///< a bug in penult: please report it
};

/// The code's name as written in messages and in errors.csv, such as "FormatCorrupt".
const char* status_code_name(StatusCode code);

/// Success, or a code with one line of explanation: what, where, expected, got, what to do.
/// Immutable after construction; safe to copy between threads.
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(StatusCode code, std::string message) : code_(code), message_(std::move(message)) {}

  bool ok() const { return code_ == StatusCode::kOk; }
  StatusCode code() const { return code_; }
  const std::string& message() const { return message_; }
  /// "FormatCorrupt: message", or "Ok".
  std::string to_string() const;

 private:
  StatusCode code_ = StatusCode::kOk;
  std::string message_;
};

/// A value, or the reason why there is none. value() must only be called when ok().
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}          // NOLINT(google-explicit-constructor)
  Result(Status status) : status_(std::move(status)) {}  // NOLINT(google-explicit-constructor)

  bool ok() const { return value_.has_value(); }
  const Status& status() const { return status_; }
  T& value() & { return *value_; }
  const T& value() const& { return *value_; }
  T&& value() && { return *std::move(value_); }
  T& operator*() & { return *value_; }
  const T& operator*() const& { return *value_; }
  T* operator->() { return &*value_; }
  const T* operator->() const { return &*value_; }

 private:
  std::optional<T> value_;
  Status status_;
};

}  // namespace penult
