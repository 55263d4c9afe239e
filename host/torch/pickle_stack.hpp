#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "host/torch/pickle.hpp"

namespace vultus::torch {

/// bad_model: what is wrong with a pickle, and what to do.
Error damaged(std::string_view what);

/// The bytes of a pickle and the stack its opcodes work on. What fails returns false (or zero, or
/// nothing) and leaves the first reason in `error_`.
class PickleStack {
 public:
  explicit PickleStack(std::span<const std::byte> bytes);

 protected:
  bool fail(Error error);
  bool bad(std::string_view what) { return fail(damaged(what)); }

  /// Little-endian integer of `size` bytes, at most 8.
  uint64_t number(size_t size);
  std::string_view take(uint64_t size);
  /// Up to the next line feed, which is taken too.
  std::string_view line();

  bool push(Object object);
  bool push_text(uint64_t size) { return push({Object::Kind::text, 0, take(size), {}}); }
  bool push_integer(int64_t value) { return push({Object::Kind::integer, value, {}, {}}); }
  /// The last mark: no opcode reaches below it.
  size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }
  bool pop(Ref& ref);
  /// Everything above the last mark, which goes.
  bool pop_mark(std::vector<Ref>& items);
  bool pop_some(size_t count, std::vector<Ref>& items);
  Object& object(Ref ref) { return pickle_.objects[ref]; }

  std::span<const std::byte> bytes_;
  size_t at_ = 0;
  Pickle pickle_;
  std::vector<Ref> stack_;
  std::vector<size_t> marks_;
  std::optional<Error> error_;
};

}  // namespace vultus::torch
