#include <algorithm>
#include <cstring>

#include "host/cpu/builder.hpp"
#include "host/cpu/kernels.hpp"

namespace vultus::cpu {
namespace {

/// For every output point of one map the input point that nearest takes, found by running the
/// operator's own kernel on a map of point numbers.
Result<std::vector<int32_t>> nearest_points(const Builder& b, const Node& node) {
  const Shape &in = b.shape(node.inputs[0]), &out = b.shape(node.outputs[0]);
  const Op* op = find_op(node.op);
  Tensor numbers(DType::f32, in), chosen(DType::f32, out);
  int64_t points = in[2] * in[3];
  auto values = numbers.as<float>();
  for (size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<float>(static_cast<int64_t>(i) % points);
  Eval eval{node, {numbers.view()}, {chosen.view()}};
  for (size_t i = 1; i < node.inputs.size(); ++i) {
    const Tensor* constant = b.graph().constant(node.inputs[i]);
    eval.in.push_back(constant ? constant->view() : TensorView{});
  }
  VULTUS_CHECK(evaluate(*op, eval));
  std::vector<int32_t> table(static_cast<size_t>(out[2] * out[3]));
  for (size_t i = 0; i < table.size(); ++i)
    table[i] = static_cast<int32_t>(chosen.as<float>()[i]);
  return table;
}

void gather(const float* in, float* out, int64_t block, const int32_t* points, int64_t count) {
  if (block == 16) {
    for (int64_t i = 0; i < count; ++i)
      std::memcpy(out + i * 16, in + points[i] * 16, 16 * sizeof(float));
  } else if (block == 1) {
    for (int64_t i = 0; i < count; ++i)
      out[i] = in[points[i]];
  } else {
    for (int64_t i = 0; i < count; ++i)
      std::copy_n(in + points[i] * block, block, out + i * block);
  }
}

}  // namespace

Result<void> build_resize(Builder& b, NodeId id) {
  const Node& node = b.node(id);
  ValueId x = node.inputs[0], y = node.outputs[0];
  const Shape &in = b.shape(x), &out = b.shape(y);
  // Point numbers must be exact in a float.
  bool maps = in.rank() == 4 && in[0] == out[0] && in[1] == out[1] && in[2] * in[3] < (1 << 24);
  const Op* op = find_op(node.op);
  if (!maps || node.text("mode", "nearest") != "nearest" || !op->has_plain_kernel() ||
      node.text("coordinate_transformation_mode", "half_pixel") == "tf_crop_and_resize")
    return b.add_plain(id);
  VULTUS_TRY(std::vector<int32_t> table, nearest_points(b, node));

  Family family = family_of(b.layout(x));
  if (family == Family::other) family = Family::plain;
  Arrangement from = arrangement_of(family, in), to = arrangement_of(family, out);
  int64_t rows = out[2], columns = out[3];
  Operand source = b.input(x, in_family(family, {in.begin(), in.end()}));
  Operand target = b.output(y, in_family(family, {out.begin(), out.end()}));
  b.add(id, {source, target},
        [=, table = std::move(table)](std::span<std::byte* const> at) -> Result<void> {
          auto maps = reinterpret_cast<const float*>(at[0]);
          auto result = reinterpret_cast<float*>(at[1]);
#pragma omp parallel for
          for (int64_t i = 0; i < to.batch * to.groups * rows; ++i) {
            int64_t map = i / rows, first = i % rows * columns;
            gather(maps + map * from.points * from.block,
                   result + (map * to.points + first) * to.block, to.block, table.data() + first,
                   columns);
          }
          return {};
        });
  return {};
}

}  // namespace vultus::cpu
