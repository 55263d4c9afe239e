#include <algorithm>
#include <cstring>

#include "host/cpu/builder.hpp"
#include "host/cpu/kernels.hpp"

namespace vultus::cpu {

Result<void> build_reshape(Builder& b, NodeId id) {
  const Node& node = b.node(id);
  ValueId x = node.inputs[0], y = node.outputs[0];
  b.output_in(y, b.plain_desc(y), b.plain(x));
  return {};
}

Result<void> build_transpose(Builder& b, NodeId id) {
  const Node& node = b.node(id);
  ValueId x = node.inputs[0], y = node.outputs[0];
  const Shape &in = b.shape(x), &out = b.shape(y);
  size_t rank = static_cast<size_t>(in.rank());
  if (rank == 0) return build_reshape(b, id);
  std::vector<int64_t> perm = node.integers("perm");
  if (perm.size() != rank) {
    perm.resize(rank);
    for (size_t i = 0; i < rank; ++i)
      perm[i] = static_cast<int64_t>(rank - 1 - i);
  }
  // The input with the strides that the output has in memory is the transposed output.
  Shape strides = out.strides();
  dnnl::memory::dims wanted(rank);
  for (size_t i = 0; i < rank; ++i)
    wanted[static_cast<size_t>(perm[i])] = strides[static_cast<int>(i)];
  Desc desc({in.begin(), in.end()}, dnnl::memory::data_type::f32, wanted);
  b.output_in(y, b.plain_desc(y), b.input(x, desc));
  return {};
}

namespace {

/// What a concatenation puts together: values, then the constants at its end as one (coordinate
/// channels come as several).
struct Parts {
  std::vector<ValueId> values;
  Tensor tail;  ///< of no bytes when the last input is no constant
};

Parts parts_of(const Builder& b, const Node& node, int axis) {
  Parts parts{node.inputs, {}};
  const Graph& graph = b.graph();
  while (!parts.values.empty() && graph.constant(parts.values.back()))
    parts.values.pop_back();
  size_t count = parts.values.size();
  if (count == 0 || node.inputs.size() - count < 2) return {node.inputs, {}};

  Shape shape = graph.shape(node.inputs[count]);
  shape[axis] = 0;
  for (size_t i = count; i < node.inputs.size(); ++i)
    shape[axis] += graph.shape(node.inputs[i])[axis];
  parts.tail = Tensor(DType::f32, shape);
  int64_t outer = 1;
  for (int i = 0; i < axis; ++i)
    outer *= shape[i];
  std::byte* to = parts.tail.bytes();
  for (int64_t o = 0; o < outer; ++o)
    for (size_t i = count; i < node.inputs.size(); ++i) {
      const Tensor& part = *graph.constant(node.inputs[i]);
      size_t bytes = part.size_bytes() / static_cast<size_t>(outer);
      to = std::copy_n(part.bytes() + static_cast<size_t>(o) * bytes, bytes, to);
    }
  return parts;
}

/// The layout in which parts are put together along the channels: blocked when all but the last
/// fill their blocks, channels last when that is how some of them lie, else row-major.
Family concat_family(const Builder& b, const Parts& parts) {
  int rank = b.shape(parts.values[0]).rank();
  if (rank < 3 || rank > 5) return Family::plain;
  Family common = family_of(b.layout(parts.values[0]));
  bool any_moved = false;
  for (size_t i = 0; i < parts.values.size(); ++i) {
    ValueId v = parts.values[i];
    Family family = family_of(b.layout(v));
    any_moved = any_moved || family != Family::plain;
    // A constant comes in any layout.
    if (family != common && !b.graph().constant(v)) common = Family::other;
    int64_t block = common == Family::blocked16 ? 16 : common == Family::blocked8 ? 8 : 1;
    bool last = i + 1 == parts.values.size() && !parts.tail.bytes();
    if (!last && b.shape(v)[1] % block != 0) common = Family::other;
  }
  if (common != Family::other) return common;
  return any_moved ? Family::last : Family::plain;
}

}  // namespace

Result<void> build_concat(Builder& b, NodeId id) {
  const Node& node = b.node(id);
  ValueId y = node.outputs[0];
  const Shape& out = b.shape(y);
  int axis = static_cast<int>(node.integer("axis", 1));
  if (axis < 0) axis += out.rank();

  Parts given = parts_of(b, node, axis);
  Family family = axis == 1 ? concat_family(b, given) : Family::plain;
  std::vector<Operand> parts;
  for (ValueId v : given.values)
    parts.push_back(b.input(v, in_family(family, b.plain_desc(v).dims())));
  if (given.tail.bytes()) {
    std::vector<int64_t> dims(given.tail.shape().begin(), given.tail.shape().end());
    parts.push_back(b.constant(std::move(given.tail), row_major(dims), in_family(family, dims)));
  }
  Desc desc = in_family(family, b.plain_desc(y).dims());
  Operand target = b.output(y, desc);

  int64_t outer = 1;
  for (int i = 0; i < axis; ++i)
    outer *= out[i];
  if (family == Family::last) outer = out.elements() / out[1];
  // A part is one piece per outer index. With a single one the part may be computed in its place.
  struct Piece {
    size_t bytes;
    size_t at;
  };
  std::vector<Piece> pieces;
  std::vector<Operand> operands = {target};
  int64_t offset = 0;
  for (const Operand& part : parts) {
    int64_t bytes = static_cast<int64_t>(part.desc.get_size()) / outer;
    if (outer > 1 || !b.place_inside(part, target, offset)) {
      pieces.push_back({static_cast<size_t>(bytes), static_cast<size_t>(offset)});
      operands.push_back(part);
    }
    offset += bytes;
  }
  if (pieces.empty()) return {};
  size_t row = static_cast<size_t>(offset);
  b.add(id, std::move(operands), [=](std::span<std::byte* const> at) -> Result<void> {
#pragma omp parallel for
    for (int64_t o = 0; o < outer; ++o)
      for (size_t i = 0; i < pieces.size(); ++i)
        std::memcpy(at[0] + static_cast<size_t>(o) * row + pieces[i].at,
                    at[i + 1] + static_cast<size_t>(o) * pieces[i].bytes, pieces[i].bytes);
    return {};
  });
  return {};
}

}  // namespace vultus::cpu
