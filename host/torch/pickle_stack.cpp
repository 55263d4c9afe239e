#include "host/torch/pickle_stack.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "host/torch/limits.hpp"

namespace vultus::torch {

Error damaged(std::string_view what) {
  return {
      Errc::bad_model,
      fmt::format("the checkpoint's pickle is damaged or hostile: {}; get the file again", what)};
}

PickleStack::PickleStack(std::span<const std::byte> bytes)
    : bytes_(bytes.first(std::min(bytes.size(), kMaxPickleBytes))) {}

bool PickleStack::fail(Error error) {
  if (!error_) error_ = std::move(error);
  return false;
}

uint64_t PickleStack::number(size_t size) {
  uint64_t value = 0;
  std::string_view raw = take(size);
  for (size_t i = raw.size(); i-- > 0;)
    value = value << 8 | static_cast<uint8_t>(raw[i]);
  return value;
}

std::string_view PickleStack::take(uint64_t size) {
  if (size > bytes_.size() - at_) {
    bad(bytes_.size() == kMaxPickleBytes ? "it is longer than 16 MiB" : "it ends too early");
    return {};
  }
  std::string_view raw(reinterpret_cast<const char*>(bytes_.data()) + at_,
                       static_cast<size_t>(size));
  at_ += static_cast<size_t>(size);
  return raw;
}

std::string_view PickleStack::line() {
  const size_t start = at_;
  while (at_ < bytes_.size() && bytes_[at_] != std::byte{'\n'})
    ++at_;
  if (at_ == bytes_.size()) {
    bad("it ends too early");
    return {};
  }
  return {reinterpret_cast<const char*>(bytes_.data()) + start, at_++ - start};
}

bool PickleStack::push(Object object) {
  stack_.push_back(static_cast<Ref>(pickle_.objects.size()));
  pickle_.objects.push_back(std::move(object));
  return !error_;
}

bool PickleStack::pop(Ref& ref) {
  if (stack_.size() <= floor()) return bad("it takes from an empty stack");
  ref = stack_.back();
  stack_.pop_back();
  return true;
}

bool PickleStack::pop_mark(std::vector<Ref>& items) {
  if (marks_.empty()) return bad("a mark is missing");
  items.assign(stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back()), stack_.end());
  stack_.resize(marks_.back());
  marks_.pop_back();
  return true;
}

bool PickleStack::pop_some(size_t count, std::vector<Ref>& items) {
  if (stack_.size() < floor() + count) return bad("it takes from an empty stack");
  items.assign(stack_.end() - static_cast<std::ptrdiff_t>(count), stack_.end());
  stack_.resize(stack_.size() - count);
  return true;
}

}  // namespace vultus::torch
