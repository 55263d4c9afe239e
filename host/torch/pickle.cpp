#include "host/torch/pickle.hpp"

#include <fmt/format.h>

#include <unordered_map>

#include "host/torch/globals.hpp"
#include "host/torch/limits.hpp"
#include "host/torch/pickle_stack.hpp"

namespace vultus::torch {

namespace {

using Kind = Object::Kind;

// Python's pickletools lists the opcodes. These are all that state dicts are written with.
enum Opcode : uint8_t {
  kMark = '(',
  kStop = '.',
  kPop = '0',
  kPopMark = '1',
  kNone = 'N',
  kBinInt = 'J',
  kBinInt1 = 'K',
  kBinInt2 = 'M',
  kLong1 = 0x8a,
  kBinFloat = 'G',
  kNewTrue = 0x88,
  kNewFalse = 0x89,
  kBinUnicode = 'X',
  kShortBinUnicode = 0x8c,
  kBinUnicode8 = 0x8d,
  kBinString = 'T',
  kShortBinString = 'U',
  kBinBytes = 'B',
  kShortBinBytes = 'C',
  kEmptyList = ']',
  kAppend = 'a',
  kAppends = 'e',
  kList = 'l',
  kEmptyTuple = ')',
  kTuple = 't',
  kTuple1 = 0x85,
  kTuple2 = 0x86,
  kTuple3 = 0x87,
  kEmptyDict = '}',
  kDict = 'd',
  kSetItem = 's',
  kSetItems = 'u',
  kEmptySet = 0x8f,
  kAddItems = 0x90,
  kGlobal = 'c',
  kStackGlobal = 0x93,
  kReduce = 'R',
  kNewObj = 0x81,
  kBuild = 'b',
  kBinPersId = 'Q',
  kBinGet = 'h',
  kLongBinGet = 'j',
  kBinPut = 'q',
  kLongBinPut = 'r',
  kMemoize = 0x94,
  kProto = 0x80,
  kFrame = 0x95,
};

/// Of a call; what is longer could be copied again and again.
constexpr size_t kMaxArguments = 16;
constexpr size_t kMaxMarks = 100'000;

/// A stack machine that makes descriptions. An opcode that fails leaves the reason in `error_`.
class Machine : private PickleStack {
 public:
  using PickleStack::PickleStack;

  Result<Pickle> run() {
    while (!stopped_) {
      const auto opcode = static_cast<uint8_t>(number(1));
      if (error_ || !step(opcode)) return *error_;
      if (pickle_.objects.size() > kMaxObjects)
        return damaged(fmt::format("it makes more than {} objects", kMaxObjects));
    }
    pickle_.bytes = at_;
    return std::move(pickle_);
  }

 private:
  bool step(uint8_t opcode);
  bool scalar(uint8_t opcode);
  bool container(uint8_t opcode);
  bool memo(uint8_t opcode);
  bool long_integer();
  bool sequence(size_t count);
  bool extend(const std::vector<Ref>& items, Kind kind);
  bool global(const std::string& module, const std::string& name);
  bool stack_global();
  bool reduce();
  bool build();
  bool persistent();

  bool stopped_ = false;
  std::unordered_map<uint64_t, Ref> memo_;
};

bool Machine::long_integer() {
  std::string_view raw = take(number(1));
  if (raw.size() > sizeof(int64_t)) return bad("it holds an integer of more than 64 bits");
  uint64_t value = !raw.empty() && (raw.back() & 0x80) != 0 ? ~uint64_t{0} : 0;
  for (size_t i = raw.size(); i-- > 0;)
    value = value << 8 | static_cast<uint8_t>(raw[i]);
  return push_integer(static_cast<int64_t>(value));
}

bool Machine::scalar(uint8_t opcode) {
  switch (opcode) {
    case kNone:
      return push({});
    case kNewTrue:
      return push({Kind::boolean, 1, {}, {}});
    case kNewFalse:
      return push({Kind::boolean, 0, {}, {}});
    case kBinInt:
      return push_integer(static_cast<int32_t>(number(4)));
    case kBinInt1:
      return push_integer(static_cast<int64_t>(number(1)));
    case kBinInt2:
      return push_integer(static_cast<int64_t>(number(2)));
    case kLong1:
      return long_integer();
    case kBinFloat:
      take(8);
      return push({Kind::real, 0, {}, {}});
    case kShortBinUnicode:
    case kShortBinString:
    case kShortBinBytes:
      return push_text(number(1));
    case kBinUnicode:
    case kBinString:
    case kBinBytes:
      return push_text(number(4));
    case kBinUnicode8:
      return push_text(number(8));
    default:
      return bad(fmt::format("opcode 0x{:02x} at byte {} is none that a checkpoint of tensors uses",
                             opcode, at_ - 1));
  }
}

bool Machine::sequence(size_t count) {
  std::vector<Ref> items;
  return pop_some(count, items) && push({Kind::sequence, 0, {}, std::move(items)});
}

/// Adds to the list or dict on top of the stack. What is opaque stays so.
bool Machine::extend(const std::vector<Ref>& items, Kind kind) {
  if (stack_.size() <= floor()) return bad("it adds to nothing");
  Object& target = object(stack_.back());
  if (target.kind == Kind::opaque) return true;
  if (target.kind != kind) return bad("it adds items to something that takes none");
  if (kind == Kind::dict && items.size() % 2 != 0) return bad("a key has no value");
  target.items.insert(target.items.end(), items.begin(), items.end());
  return true;
}

bool Machine::container(uint8_t opcode) {
  std::vector<Ref> items;
  switch (opcode) {
    case kEmptyList:
    case kEmptyTuple:
    case kEmptySet:
      return push({Kind::sequence, 0, {}, {}});
    case kEmptyDict:
      return push({Kind::dict, 0, {}, {}});
    case kTuple1:
      return sequence(1);
    case kTuple2:
      return sequence(2);
    case kTuple3:
      return sequence(3);
    case kTuple:
    case kList:
      return pop_mark(items) && push({Kind::sequence, 0, {}, std::move(items)});
    case kDict:
      return pop_mark(items) && push({Kind::dict, 0, {}, {}}) && extend(items, Kind::dict);
    case kAppend:
      return pop_some(1, items) && extend(items, Kind::sequence);
    case kAppends:
    case kAddItems:
      return pop_mark(items) && extend(items, Kind::sequence);
    case kSetItem:
      return pop_some(2, items) && extend(items, Kind::dict);
    case kSetItems:
      return pop_mark(items) && extend(items, Kind::dict);
    default:
      return scalar(opcode);
  }
}

bool Machine::memo(uint8_t opcode) {
  switch (opcode) {
    case kBinGet:
    case kLongBinGet: {
      const uint64_t key = number(opcode == kBinGet ? 1 : 4);
      auto at = memo_.find(key);
      if (error_ || at == memo_.end())
        return bad(fmt::format("it refers to object {}, which it never stored", key));
      stack_.push_back(at->second);
      // Each reference costs the file two bytes; counted like an object.
      if (stack_.size() > kMaxObjects) return bad("its stack is too deep");
      return true;
    }
    case kBinPut:
    case kLongBinPut:
    case kMemoize: {
      const uint64_t key = opcode == kMemoize ? memo_.size() : number(opcode == kBinPut ? 1 : 4);
      if (stack_.size() <= floor()) return bad("it stores nothing");
      memo_.insert_or_assign(key, stack_.back());
      return memo_.size() <= kMaxObjects || bad("it stores too many objects");
    }
    default:
      return container(opcode);
  }
}

bool Machine::global(const std::string& module, const std::string& name) {
  std::string_view known = known_global(module + " " + name);
  if (!known.empty()) return push({Kind::global, 0, known, {}});
  return fail({Errc::bad_model,
               fmt::format("the checkpoint names {}.{}, which is no part of a tensor: it may be "
                           "hostile, and nothing of it was run; ask its author for a file with "
                           "the weights alone (torch.save(model.state_dict(), FILE))",
                           printable(module), printable(name))});
}

bool Machine::stack_global() {
  std::vector<Ref> names;
  if (!pop_some(2, names)) return false;
  const Object& module = object(names[0]);
  const Object& name = object(names[1]);
  if (module.kind != Kind::text || name.kind != Kind::text) return bad("a name is no text");
  return global(std::string(module.text), std::string(name.text));
}

bool Machine::reduce() {
  std::vector<Ref> call;
  if (!pop_some(2, call)) return false;
  const Object& function = object(call[0]);
  const Object& arguments = object(call[1]);
  if (function.kind != Kind::global || arguments.kind != Kind::sequence)
    return bad("it calls something that is no name");
  if (arguments.items.size() > kMaxArguments) return bad("a call has too many arguments");
  auto kind = result_of_call(function.text);
  if (!kind) return bad(fmt::format("it calls {}", printable(function.text)));
  const std::vector<Ref> items = arguments.items;
  if (*kind == Kind::opaque) return push({Kind::opaque, 0, {}, {}});
  if (*kind == Kind::sequence)  // torch.Size((2, 3))
    return items.size() == 1 && object(items[0]).kind == Kind::sequence &&
                   object(items[0]).items.size() <= kMaxArguments
               ? push(object(items[0]))
               : bad("torch.Size holds no sizes");
  if (*kind == Kind::dict) {
    if (!items.empty()) return bad("an OrderedDict is made of something else than nothing");
    return push({Kind::dict, 0, {}, {}});
  }
  if (function.text.starts_with("torch._utils _rebuild_tensor"))
    return push({Kind::tensor, 0, {}, items});
  if (items.empty() || object(items[0]).kind != Kind::tensor)
    return bad("a parameter holds no tensor");
  return push(object(items[0]));
}

/// Attributes (an OrderedDict's _metadata) do not matter.
bool Machine::build() {
  Ref state = 0;
  if (!pop(state)) return false;
  if (stack_.size() <= floor()) return bad("it gives attributes to nothing");
  const Kind kind = object(stack_.back()).kind;
  if (kind == Kind::dict || kind == Kind::tensor || kind == Kind::opaque) return true;
  return bad("it gives attributes to something that has none");
}

bool Machine::persistent() {
  Ref id = 0;
  if (!pop(id)) return false;
  const Object& tuple = object(id);
  if (tuple.kind != Kind::sequence || tuple.items.size() < 5 ||
      tuple.items.size() > kMaxArguments || object(tuple.items[0]).kind != Kind::text ||
      object(tuple.items[0]).text != "storage")
    return bad("a persistent id is no storage");
  return push({Kind::storage, 0, {}, tuple.items});
}

bool Machine::step(uint8_t opcode) {
  std::vector<Ref> items;
  switch (opcode) {
    case kProto: {
      const uint64_t version = number(1);
      return version <= 5 || bad(fmt::format("protocol {} is unknown", version));
    }
    case kFrame:
      take(8);
      return !error_;
    case kMark:
      marks_.push_back(stack_.size());
      return marks_.size() <= kMaxMarks || bad("it has too many open marks");
    case kPop:
      return pop_some(1, items);
    case kPopMark:
      return pop_mark(items);
    case kGlobal: {
      const std::string module(line()), name(line());
      return !error_ && global(module, name);
    }
    case kStackGlobal:
      return stack_global();
    case kReduce:
    case kNewObj:
      return reduce();
    case kBuild:
      return build();
    case kBinPersId:
      return persistent();
    case kStop: {
      if (!marks_.empty()) return bad("it stops inside a container");
      stopped_ = true;
      return pop(pickle_.root);
    }
    default:
      return memo(opcode);
  }
}

}  // namespace

Result<Pickle> read_pickle(std::span<const std::byte> bytes) {
  return Machine(bytes).run();
}

std::string printable(std::string_view text) {
  std::string shown(text.substr(0, 64));
  for (char& c : shown)
    if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7f) c = '?';
  return text.size() > 64 ? shown + "..." : shown;
}

}  // namespace vultus::torch
