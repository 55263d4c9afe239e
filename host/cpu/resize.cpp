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
  VULTUS_CHECK(op->eval(eval));
  std::vector<int32_t> table(static_cast<size_t>(out[2] * out[3]));
  for (size_t i = 0; i < table.size(); ++i)
    table[i] = static_cast<int32_t>(chosen.as<float>()[i]);
  return table;
}

template <int Block>
void gather(const float* in, float* out, const std::vector<int32_t>& table) {
  for (size_t i = 0; i < table.size(); ++i)
    std::memcpy(out + i * Block, in + static_cast<size_t>(table[i]) * Block, Block * sizeof(float));
}

}  // namespace

Result<void> build_resize(Builder& b, NodeId id) {
  const Node& node = b.node(id);
  ValueId x = node.inputs[0], y = node.outputs[0];
  const Shape &in = b.shape(x), &out = b.shape(y);
  // Point numbers must be exact in a float.
  bool maps = in.rank() == 4 && in[0] == out[0] && in[1] == out[1] && in[2] * in[3] < (1 << 24);
  const Op* op = find_op(node.op);
  if (!maps || node.text("mode", "nearest") != "nearest" || !op->eval ||
      node.text("coordinate_transformation_mode", "half_pixel") == "tf_crop_and_resize")
    return b.add_plain(id);
  VULTUS_TRY(std::vector<int32_t> table, nearest_points(b, node));

  Desc from = b.layout(x);
  int block = channel_block(from);
  if (block == 0) from = b.plain_desc(x), block = 1;
  Desc to = b.plain_desc(y);
  using tag = dnnl::memory::format_tag;
  if (block > 1)
    to = Desc(to.dims(), dnnl::memory::data_type::f32, block == 16 ? tag::nChw16c : tag::nChw8c);
  int64_t runs = in[0] * ((in[1] + block - 1) / block);
  int64_t in_run = in[2] * in[3] * block, out_run = out[2] * out[3] * block;
  auto kernel = block == 16 ? gather<16> : block == 8 ? gather<8> : gather<1>;
  b.add(id, {b.input(x, from), b.output(y, to)},
        [=, table = std::move(table)](std::span<std::byte* const> at) -> Result<void> {
          auto source = reinterpret_cast<const float*>(at[0]);
          auto target = reinterpret_cast<float*>(at[1]);
#pragma omp parallel for
          for (int64_t run = 0; run < runs; ++run)
            kernel(source + run * in_run, target + run * out_run, table);
          return {};
        });
  return {};
}

}  // namespace vultus::cpu
