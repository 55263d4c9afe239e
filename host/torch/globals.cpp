#include "host/torch/globals.hpp"

#include <map>
#include <set>

namespace vultus::torch {

namespace {

using Kind = Object::Kind;

const std::map<std::string_view, ElementType> kStorages{
    {"torch FloatStorage", ElementType::f32},      {"torch DoubleStorage", ElementType::f64},
    {"torch HalfStorage", ElementType::f16},       {"torch BFloat16Storage", ElementType::bf16},
    {"torch LongStorage", ElementType::i64},       {"torch IntStorage", ElementType::i32},
    {"torch ShortStorage", ElementType::i16},      {"torch CharStorage", ElementType::i8},
    {"torch ByteStorage", ElementType::u8},        {"torch BoolStorage", ElementType::boolean},
    {"torch.cuda FloatStorage", ElementType::f32}, {"torch.cuda HalfStorage", ElementType::f16},
    {"torch.cuda LongStorage", ElementType::i64},
};

// The opaque ones stand in the optimiser's or scheduler's part of training checkpoints.
const std::map<std::string_view, Kind> kCalls{
    {"collections OrderedDict", Kind::dict},
    {"torch._utils _rebuild_tensor_v2", Kind::tensor},
    {"torch._utils _rebuild_tensor", Kind::tensor},
    {"torch._utils _rebuild_parameter", Kind::tensor},
    {"torch._utils _rebuild_parameter_with_state", Kind::tensor},
    {"torch.nn.parameter Parameter", Kind::tensor},
    {"torch Size", Kind::sequence},
    {"torch device", Kind::opaque},
    {"collections Counter", Kind::opaque},
    {"collections defaultdict", Kind::opaque},
    {"argparse Namespace", Kind::opaque},
    {"_codecs encode", Kind::opaque},
    {"numpy dtype", Kind::opaque},
    {"numpy.core.multiarray scalar", Kind::opaque},
    {"numpy._core.multiarray scalar", Kind::opaque},
    {"__builtin__ set", Kind::opaque},
    {"builtins set", Kind::opaque},
};

const std::set<std::string_view> kValues{
    "torch float32",     "torch float64",  "torch float16",    "torch bfloat16",
    "torch int64",       "torch int32",    "torch int16",      "torch int8",
    "torch uint8",       "torch bool",     "__builtin__ dict", "builtins dict",
    "__builtin__ list",  "builtins list",  "__builtin__ int",  "builtins int",
    "__builtin__ float", "builtins float",
};

}  // namespace

std::optional<ElementType> element_type_of_storage(std::string_view global) {
  auto at = kStorages.find(global);
  return at == kStorages.end() ? std::nullopt : std::optional(at->second);
}

std::optional<Object::Kind> result_of_call(std::string_view global) {
  auto at = kCalls.find(global);
  return at == kCalls.end() ? std::nullopt : std::optional(at->second);
}

std::string_view known_global(std::string_view global) {
  if (auto at = kStorages.find(global); at != kStorages.end()) return at->first;
  if (auto at = kCalls.find(global); at != kCalls.end()) return at->first;
  if (auto at = kValues.find(global); at != kValues.end()) return *at;
  return {};
}

}  // namespace vultus::torch
