#pragma once

#include "host/core/result.hpp"

namespace vultus::face {

/// A network that does not take the input its role gives it: the session calls that a wrong use,
/// but here the network is at fault.
inline Error as_bad_model(Error error) {
  if (error.code == Errc::usage) error.code = Errc::bad_model;
  return error;
}

}  // namespace vultus::face
