#include "host/ops/slice.hpp"

#include <algorithm>

#include "host/cpu/builder.hpp"
#include "host/cpu/kernels.hpp"

namespace vultus::cpu {

Result<void> build_slice(Builder& b, NodeId id) {
  const Node& node = b.node(id);
  ValueId x = node.inputs[0], y = node.outputs[0];
  if (!b.is_dense_f32(id)) return b.add_plain(id);
  VULTUS_TRY(auto ranges, slice_ranges(b.graph(), node));
  if (std::ranges::any_of(ranges, [](const AxisRange& r) { return r.count != 1 && r.step != 1; }))
    return b.add_plain(id);
  dnnl::memory::dims begin, in(b.shape(x).begin(), b.shape(x).end()),
      out(b.shape(y).begin(), b.shape(y).end());
  for (const AxisRange& r : ranges)
    begin.push_back(r.start);

  Family family = family_of(b.layout(x));
  const int64_t block = family == Family::blocked16 ? 16 : family == Family::blocked8 ? 8 : 1;
  // A cut through a block: channels side by side can be cut anywhere.
  if (block > 1 && (begin[1] % block != 0 || out[1] % block != 0)) family = Family::last;
  if (family == Family::other) family = Family::plain;
  Operand source = b.input(x, in_family(family, in));
  Desc part = source.desc.submemory_desc(out, begin, true);
  if (part.is_zero()) return b.add_plain(id);
  Desc wanted = in_family(family, out);
  b.output_in(y, wanted, b.reordered({source.buffer, part}, wanted));
  return {};
}

}  // namespace vultus::cpu
