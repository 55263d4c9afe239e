#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "host/core/result.hpp"

namespace vultus::torch {

/// Index of an object in `Pickle::objects`.
using Ref = uint32_t;

/// What a pickle describes, as data. Nothing here can be called, and nothing is ever executed.
struct Object {
  enum class Kind : uint8_t {
    none,
    boolean,   ///< `integer`
    integer,   ///< `integer`
    real,      ///< value not kept: nothing needs it
    text,      ///< `text`, into the pickle's bytes
    sequence,  ///< list, tuple, set: `items`
    dict,      ///< `items`: key, value, key, value, ...
    global,    ///< a name of Python's, `text` = "module name"
    storage,   ///< `items`: the persistent id's members
    tensor,    ///< `items`: the arguments of _rebuild_tensor_v2
    opaque,    ///< a harmless object whose contents do not matter
  };
  Kind kind = Kind::none;
  int64_t integer = 0;
  std::string_view text = {};
  std::vector<Ref> items = {};
};

struct Pickle {
  std::vector<Object> objects;
  Ref root = 0;
  size_t bytes = 0;  ///< length of the pickle; what follows is not looked at

  const Object& operator[](Ref ref) const { return objects[ref]; }
};

/// Reads one pickle with the opcodes and names that checkpoints of tensors consist of. Any other
/// opcode or name is refused by name: bad_model. The result refers to `bytes`.
Result<Pickle> read_pickle(std::span<const std::byte> bytes);

/// Names and keys of a file, made fit for a message: at most 64 characters, nothing unprintable.
std::string printable(std::string_view text);

}  // namespace vultus::torch
