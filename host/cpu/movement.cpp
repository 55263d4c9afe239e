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

/// The layout in which parts are put together along the channels: blocked when every part fills its
/// blocks, channels last when that is how some of them lie, else row-major.
Family concat_family(const Builder& b, const Node& node) {
  if (b.shape(node.outputs[0]).rank() < 3 || b.shape(node.outputs[0]).rank() > 5)
    return Family::plain;
  bool any_moved = false;
  Family common = family_of(b.layout(node.inputs[0]));
  for (ValueId v : node.inputs) {
    Family family = family_of(b.layout(v));
    any_moved = any_moved || family != Family::plain;
    int64_t block = family == Family::blocked16 ? 16 : family == Family::blocked8 ? 8 : 1;
    if (family != common || b.shape(v)[1] % block != 0) common = Family::other;
  }
  if (common != Family::other) return common;
  return any_moved ? Family::last : Family::plain;
}

}  // namespace

Result<void> build_concat(Builder& b, NodeId id) {
  const Node& node = b.node(id);
  ValueId y = node.outputs[0];
  const Shape& out = b.shape(y);
  int64_t axis = node.integer("axis", 1);
  if (axis < 0) axis += out.rank();

  Family family = axis == 1 ? concat_family(b, node) : Family::plain;
  std::vector<Operand> parts;
  for (ValueId v : node.inputs)
    parts.push_back(b.input(v, family == Family::plain
                                   ? b.plain_desc(v)
                                   : in_family(family, {b.shape(v).begin(), b.shape(v).end()})));
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
