#pragma once

#include <cassert>
#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace vultus {

/// What went wrong, coarse enough to choose an exit code by (apps/exit_code.hpp).
enum class Errc {
  usage,        ///< the caller asked for something that makes no sense
  bad_input,    ///< a picture, video or array that cannot be read
  bad_model,    ///< a network that is broken, hostile or unsupported
  no_device,    ///< no device can do it
  device_lost,  ///< the device failed or ran out of memory while working
  out_of_memory,
  unwritable,   ///< output exists, is not writable, or the disk is full
  mismatch,     ///< verification found a difference
  interrupted,  ///< stopped by the user
  internal,     ///< our own fault
};

/// `what` is one sentence that names the thing at fault and says what to do.
struct Error {
  Errc code = Errc::internal;
  std::string what;
};

/// A value or an Error. `value()` on an error is a programming mistake and asserts.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  explicit operator bool() const { return state_.index() == 0; }
  T& value() & {
    assert(*this);
    return *std::get_if<0>(&state_);
  }
  const T& value() const& {
    assert(*this);
    return *std::get_if<0>(&state_);
  }
  T&& value() && {
    assert(*this);
    return std::move(*std::get_if<0>(&state_));
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  const Error& error() const {
    assert(!*this);
    return *std::get_if<1>(&state_);
  }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}

  explicit operator bool() const { return !error_; }
  void value() const { assert(!error_); }
  const Error& error() const {
    assert(error_);
    return *error_;
  }

 private:
  std::optional<Error> error_;
};

}  // namespace vultus

#define VULTUS_CONCAT_(a, b) a##b
#define VULTUS_CONCAT(a, b) VULTUS_CONCAT_(a, b)

/// Returns the error of a Result<void> expression to the caller.
#define VULTUS_CHECK(expression)                                    \
  do {                                                              \
    if (auto check_ = (expression); !check_) return check_.error(); \
  } while (false)

/// `VULTUS_TRY(auto x, f())`: declares x from a Result<T>, or returns its error.
#define VULTUS_TRY(declaration, expression)                                         \
  auto VULTUS_CONCAT(try_, __LINE__) = (expression);                                \
  if (!VULTUS_CONCAT(try_, __LINE__)) return VULTUS_CONCAT(try_, __LINE__).error(); \
  declaration = std::move(VULTUS_CONCAT(try_, __LINE__)).value()
