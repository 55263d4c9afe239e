#include "host/ops/pointwise_program.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "host/ops/op.hpp"

namespace vultus {

Result<PointwiseProgram> pointwise_program(const Node& node) {
  PointwiseProgram p;
  p.inputs = node.inputs.size();
  p.immediates = node.reals("immediates");
  const auto code = node.integers("code"), results = node.integers("results"),
             types = node.integers("types");
  if (p.inputs > PointwiseProgram::kMostInputs ||
      p.immediates.size() > PointwiseProgram::kMostImmediates || code.empty() ||
      code.size() > PointwiseProgram::kMostInstructions || results.empty() ||
      results.size() > PointwiseProgram::kMostResults || types.size() != results.size() ||
      results.size() != node.outputs.size())
    return fail(node, "its program has more parts than there may be, or none");
  for (int64_t word : code) {
    const auto bits = static_cast<uint64_t>(word);
    auto byte = [&](int i) { return static_cast<uint8_t>(bits >> (8 * i)); };
    const size_t known = p.registers();
    if (byte(0) >= static_cast<uint8_t>(PointwiseOp::count) || byte(1) >= known ||
        byte(2) >= known || byte(3) >= known)
      return fail(node, fmt::format("instruction {:#x} of its program is none", bits));
    p.code.push_back({static_cast<PointwiseOp>(byte(0)), byte(1), byte(2), byte(3)});
  }
  for (size_t i = 0; i < results.size(); ++i) {
    if (results[i] < 0 || results[i] >= static_cast<int64_t>(p.registers()))
      return fail(node, fmt::format("result {} of its program is no register", results[i]));
    p.results.push_back(static_cast<uint8_t>(results[i]));
    p.types.push_back(types[i] != 0 ? DType::boolean : DType::f32);
  }
  return p;
}

void set_pointwise_program(Node& node, const PointwiseProgram& program) {
  std::vector<int64_t> code, results(program.results.begin(), program.results.end()), types;
  for (const PointwiseInstruction& i : program.code)
    code.push_back(int64_t{static_cast<uint8_t>(i.op)} | int64_t{i.a} << 8 | int64_t{i.b} << 16 |
                   int64_t{i.c} << 24);
  for (DType type : program.types)
    types.push_back(type == DType::boolean ? 1 : 0);
  node.attributes["code"] = std::move(code);
  node.attributes["immediates"] = program.immediates;
  node.attributes["results"] = std::move(results);
  node.attributes["types"] = std::move(types);
}

}  // namespace vultus
