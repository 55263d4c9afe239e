#include "gpu/spirv.hpp"

#include <algorithm>

namespace vultus::gpu {

struct EmbeddedShader {
  std::string_view name;
  const uint32_t* words;
  size_t count;
};
extern const EmbeddedShader kEmbeddedShaders[];  // written by cmake/embed_shaders.cmake
extern const size_t kEmbeddedShaderCount;

namespace {

// Numbers of the SPIR-V specification (unified1), only those we read.
constexpr uint32_t kMagic = 0x07230203;
enum Opcode : uint32_t {
  kOpExecutionMode = 16,
  kOpTypeInt = 21,
  kOpTypeFloat = 22,
  kOpTypeVector = 23,
  kOpTypeMatrix = 24,
  kOpTypeArray = 28,
  kOpTypeStruct = 30,
  kOpTypePointer = 32,
  kOpConstant = 43,
  kOpSpecConstantTrue = 48,
  kOpSpecConstantFalse = 49,
  kOpSpecConstant = 50,
  kOpConstantComposite = 44,
  kOpSpecConstantComposite = 51,
  kOpVariable = 59,
  kOpDecorate = 71,
  kOpMemberDecorate = 72,
  kOpExecutionModeId = 331,
};
enum Decoration : uint32_t {
  kSpecId = 1,
  kArrayStride = 6,
  kBuiltIn = 11,
  kNonWritable = 24,
  kNonReadable = 25,
  kBinding = 33,
  kOffset = 35,
};
constexpr uint32_t kModeLocalSize = 17, kModeLocalSizeId = 38;
constexpr uint32_t kBuiltInWorkgroupSize = 25;
constexpr uint32_t kClassPushConstant = 9, kClassStorageBuffer = 12;

struct Module {
  struct Type {
    uint32_t op = 0;
    std::vector<uint32_t> operands;
  };
  struct Variable {
    uint32_t id, pointer_type, storage_class;
  };
  std::map<uint32_t, Type> types;
  std::map<uint32_t, uint32_t> constants;
  std::map<uint32_t, std::vector<uint32_t>> composites;
  std::map<uint32_t, std::map<uint32_t, uint32_t>> decorations;  // id -> decoration -> operand
  std::map<uint32_t, std::map<uint32_t, std::map<uint32_t, uint32_t>>> members;
  std::vector<Variable> variables;
  std::array<uint32_t, 3> local_size{1, 1, 1};
  std::array<uint32_t, 3> local_size_ids{};

  bool decorated(uint32_t id, uint32_t decoration) const {
    auto it = decorations.find(id);
    return it != decorations.end() && it->second.count(decoration) != 0;
  }
  uint32_t decoration(uint32_t id, uint32_t decoration) const {
    return decorations.at(id).at(decoration);
  }
  uint32_t pointee(uint32_t pointer_type) const { return types.at(pointer_type).operands.at(1); }
  bool every_member(uint32_t type, uint32_t decoration) const {
    auto it = members.find(type);
    size_t count = types.at(type).operands.size();
    if (it == members.end() || it->second.size() < count) return false;
    return std::all_of(it->second.begin(), it->second.end(),
                       [&](const auto& member) { return member.second.count(decoration) != 0; });
  }
  /// Bytes of a push-constant type: scalars, vectors, arrays of known length, structs.
  uint32_t bytes(uint32_t id) const {
    const Type& type = types.at(id);
    switch (type.op) {
      case kOpTypeInt:
      case kOpTypeFloat:
        return type.operands.at(0) / 8;
      case kOpTypeVector:
      case kOpTypeMatrix:
        return bytes(type.operands.at(0)) * type.operands.at(1);
      case kOpTypeArray:
        return decoration(id, kArrayStride) * constants.at(type.operands.at(1));
      case kOpTypeStruct: {
        uint32_t end = 0;
        for (uint32_t i = 0; i < type.operands.size(); ++i)
          end = std::max(end, members.at(id).at(i).at(kOffset) + bytes(type.operands[i]));
        return end;
      }
      default:
        return 0;
    }
  }
};

void read_instruction(Module& m, uint32_t op, std::span<const uint32_t> o) {
  auto operand = [&](size_t i) { return i < o.size() ? o[i] : 0u; };
  switch (op) {
    case kOpTypeInt:
    case kOpTypeFloat:
    case kOpTypeVector:
    case kOpTypeMatrix:
    case kOpTypeArray:
    case kOpTypeStruct:
    case kOpTypePointer:
      m.types[operand(0)] = {op, {o.begin() + 1, o.end()}};
      break;
    case kOpConstant:
    case kOpSpecConstant:
      m.constants[operand(1)] = operand(2);
      break;
    case kOpSpecConstantTrue:
      m.constants[operand(1)] = 1;
      break;
    case kOpSpecConstantFalse:
      m.constants[operand(1)] = 0;
      break;
    case kOpConstantComposite:
    case kOpSpecConstantComposite:
      m.composites[operand(1)] = {o.begin() + 2, o.end()};
      break;
    case kOpVariable:
      m.variables.push_back({operand(1), operand(0), operand(2)});
      break;
    case kOpDecorate:
      m.decorations[operand(0)][operand(1)] = operand(2);
      break;
    case kOpMemberDecorate:
      m.members[operand(0)][operand(1)][operand(2)] = operand(3);
      break;
    case kOpExecutionMode:
      if (operand(1) == kModeLocalSize) m.local_size = {operand(2), operand(3), operand(4)};
      break;
    case kOpExecutionModeId:
      if (operand(1) == kModeLocalSizeId) m.local_size_ids = {operand(2), operand(3), operand(4)};
      break;
    default:
      break;
  }
}

Result<Module> read_module(std::span<const uint32_t> words) {
  const Error broken{Errc::internal, "an embedded shader is not valid SPIR-V"};
  if (words.size() < 5 || words[0] != kMagic) return broken;
  Module module;
  for (size_t at = 5; at < words.size();) {
    size_t length = words[at] >> 16;
    if (length == 0 || at + length > words.size()) return broken;
    read_instruction(module, words[at] & 0xffffu, words.subspan(at + 1, length - 1));
    at += length;
  }
  return module;
}

void reflect_variable(const Module& m, const Module::Variable& variable, Reflection& out) {
  uint32_t block = m.pointee(variable.pointer_type);
  if (variable.storage_class == kClassPushConstant) out.push_bytes = m.bytes(block);
  if (variable.storage_class != kClassStorageBuffer || !m.decorated(variable.id, kBinding)) return;
  auto& binding = out.bindings[m.decoration(variable.id, kBinding)];
  binding.readonly &= m.decorated(variable.id, kNonWritable) || m.every_member(block, kNonWritable);
  binding.writeonly &=
      m.decorated(variable.id, kNonReadable) || m.every_member(block, kNonReadable);
}

}  // namespace

std::span<const uint32_t> find_spirv(std::string_view name) {
  for (size_t i = 0; i < kEmbeddedShaderCount; ++i)
    if (kEmbeddedShaders[i].name == name)
      return {kEmbeddedShaders[i].words, kEmbeddedShaders[i].count};
  return {};
}

std::vector<std::string_view> kernel_names() {
  std::vector<std::string_view> names;
  for (size_t i = 0; i < kEmbeddedShaderCount; ++i)
    names.push_back(kEmbeddedShaders[i].name);
  return names;
}

std::array<uint32_t, 3> Reflection::local_size_with(std::span<const uint32_t> spec) const {
  std::array<uint32_t, 3> size{};
  for (size_t i = 0; i < 3; ++i) {
    bool given =
        local_size[i].spec_id >= 0 && static_cast<size_t>(local_size[i].spec_id) < spec.size();
    size[i] = given ? spec[static_cast<size_t>(local_size[i].spec_id)] : local_size[i].value;
  }
  return size;
}

Result<Reflection> reflect(std::span<const uint32_t> words) {
  VULTUS_TRY(Module module, read_module(words));
  Reflection out;
  for (const auto& variable : module.variables)
    reflect_variable(module, variable, out);

  std::array<uint32_t, 3> axis_ids = module.local_size_ids;
  for (size_t i = 0; i < 3; ++i)
    out.local_size[i].value = module.local_size[i];
  for (const auto& [id, decorations] : module.decorations) {
    if (auto it = decorations.find(kSpecId); it != decorations.end())
      out.spec_ids.push_back(it->second);
    auto builtin = decorations.find(kBuiltIn);
    auto composite = module.composites.find(id);
    // gl_WorkGroupSize, when a specialisation constant sets it, overrides the execution mode.
    if (builtin != decorations.end() && builtin->second == kBuiltInWorkgroupSize &&
        composite != module.composites.end() && composite->second.size() == 3)
      std::copy_n(composite->second.begin(), 3, axis_ids.begin());
  }
  std::sort(out.spec_ids.begin(), out.spec_ids.end());
  for (size_t i = 0; i < 3; ++i) {
    auto constant = module.constants.find(axis_ids[i]);
    if (constant == module.constants.end()) continue;
    out.local_size[i].value = constant->second;
    if (module.decorated(axis_ids[i], kSpecId))
      out.local_size[i].spec_id = static_cast<int>(module.decoration(axis_ids[i], kSpecId));
  }
  return out;
}

}  // namespace vultus::gpu
