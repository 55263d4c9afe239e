#include <algorithm>
#include <numeric>

#include "host/graph/activation.hpp"
#include "host/graph/passes/passes.hpp"
#include "host/graph/passes/rewrite.hpp"
#include "host/ops/op.hpp"

// Conv(Concat(x, constant)) = Conv_x(x) + Conv_c(constant), and the second term is a constant map:
// what the coordinate channels of a CoordConv come to, its borders with their padding included.

namespace vultus {

namespace {

/// Multiply-accumulates that take as long as reading four bytes: few, so that a map is only made
/// where it saves on any device.
constexpr int64_t kMacsPerNumber = 32;
constexpr int64_t kMostMapBytes = int64_t{64} << 20;  ///< of all maps of a graph
constexpr int64_t kMostMacs = int64_t{256} << 20;     ///< that are spent on maps while loading
constexpr int64_t kFloat = static_cast<int64_t>(sizeof(float));

/// A convolution of a concatenation of channels, of which only `x` is computed.
struct Place {
  NodeId concat;
  ValueId x;
  std::vector<int64_t> computed, constant;  ///< channels of the concatenation
};

std::optional<Place> find_place(Graph& graph, NodeId n, const Readers& readers) {
  const Node& conv = graph.node(n);
  const Tensor* weights = conv.op == "Conv" ? graph.constant(conv.input(1)) : nullptr;
  if (!weights || conv.integer("group", 1) != 1 || conv.input(5) != kNoValue ||
      (conv.input(3) != kNoValue && conv.input(4) != kNoValue) || readers.only(conv.inputs[0]) != n)
    return std::nullopt;
  const Node* concat = producer_of(graph, conv.inputs[0]);
  if (!concat || concat->op != "Concat" || epilogue_is_set(*concat)) return std::nullopt;
  const int64_t axis = concat->integer("axis", 0);
  if (axis != 1 && axis != -3) return std::nullopt;
  Place place{graph.value(conv.inputs[0]).producer, kNoValue, {}, {}};
  int64_t channel = 0;
  for (ValueId v : concat->inputs) {
    if (!graph.constant(v) && place.x != kNoValue) return std::nullopt;
    if (!graph.constant(v)) place.x = v;
    for (int64_t c = 0; c < graph.shape(v)[1]; ++c)
      (graph.constant(v) ? place.constant : place.computed).push_back(channel++);
  }
  if (place.x == kNoValue || place.constant.empty()) return std::nullopt;
  if (graph.shape(conv.inputs[0]).elements() == 0 || graph.shape(conv.outputs[0]).elements() == 0)
    return std::nullopt;
  return place;
}

/// Whether the concatenation copies x, which a convolution that writes for it alone spares.
bool copies(Graph& graph, const Place& place, const Readers& readers) {
  const Node* before = producer_of(graph, place.x);
  return !before || before->op != "Conv" || readers.only(place.x) != place.concat;
}

int64_t macs_of_map(const Graph& graph, const Node& conv, const Place& place) {
  const Shape &w = graph.shape(conv.inputs[1]), &out = graph.shape(conv.outputs[0]);
  return static_cast<int64_t>(place.constant.size()) * w[2] * w[3] * w[0] * out[2] * out[3];
}

/// Reading the map costs less than what goes: the constant channels, the copy of x, the sums.
bool pays(Graph& graph, const Node& conv, const Place& place, const Readers& readers) {
  const Shape &all = graph.shape(conv.inputs[0]), &out = graph.shape(conv.outputs[0]);
  const int64_t pixels = all[2] * all[3];
  int64_t saved = 2 * static_cast<int64_t>(place.constant.size()) * pixels;
  if (copies(graph, place, readers))
    saved += 2 * static_cast<int64_t>(place.computed.size()) * pixels;
  saved += macs_of_map(graph, conv, place) / kMacsPerNumber;
  return out[1] * out[2] * out[3] < saved;
}

/// The constant channels of one image; nothing where images differ.
std::optional<Tensor> constant_channels(const Graph& graph, const Node& concat, int64_t channels) {
  const Shape& all = graph.shape(concat.outputs[0]);
  Tensor image(DType::f32, {1, channels, all[2], all[3]});
  auto to = image.as<float>().begin();
  for (ValueId v : concat.inputs) {
    const Tensor* t = graph.constant(v);
    if (!t) continue;
    auto numbers = t->as<float>();
    const size_t one = numbers.size() / static_cast<size_t>(all[0]);
    for (size_t n = 1; n < static_cast<size_t>(all[0]); ++n)
      if (!std::ranges::equal(numbers.first(one), numbers.subspan(n * one, one)))
        return std::nullopt;
    to = std::ranges::copy(numbers.first(one), to).out;
  }
  return image;
}

/// Weights [O,C,kh,kw] of some input channels.
Tensor weights_of(const Tensor& weights, const std::vector<int64_t>& channels) {
  Shape shape = weights.shape();
  const auto taps = static_cast<size_t>(shape[2] * shape[3]);
  const auto of_output = static_cast<size_t>(shape[1]) * taps;
  shape[1] = static_cast<int64_t>(channels.size());
  Tensor some = Tensor::uninitialised(DType::f32, shape);
  auto from = weights.as<float>();
  auto to = some.as<float>().begin();
  for (size_t o = 0; o < static_cast<size_t>(shape[0]); ++o)
    for (int64_t c : channels)
      to = std::ranges::copy(from.subspan(o * of_output + static_cast<size_t>(c) * taps, taps), to)
               .out;
  return some;
}

/// What the convolution makes of its constant channels alone.
Result<Tensor> map_of(const Graph& graph, const Node& conv, const Tensor& image,
                      const Tensor& weights) {
  Node alone = conv;
  set_epilogue(alone, {});
  alone.attributes.erase("second_scale");
  alone.inputs.resize(2);
  Shape shape = graph.shape(conv.outputs[0]);
  shape[0] = 1;
  Tensor map(DType::f32, shape);
  Eval eval{alone, {image.view(), weights.view()}, {map.view()}};
  VULTUS_CHECK(evaluate(*find_op("Conv"), eval));
  return map;
}

}  // namespace

Result<int> fuse_constant_channels(Graph& graph) {
  Readers readers(graph);
  int64_t weight_bytes = kMostStackedBytes, map_bytes = kMostMapBytes, macs = kMostMacs;
  int fused = 0;
  for (NodeId n = 0; n < static_cast<NodeId>(graph.nodes.size()); ++n) {
    const auto place = find_place(graph, n, readers);
    if (!place) continue;
    Node& conv = graph.node(n);
    const Tensor& weights = *graph.constant(conv.inputs[1]);
    const Shape out = graph.shape(conv.outputs[0]);
    const int64_t bytes = out[1] * out[2] * out[3] * kFloat;
    const int64_t work = macs_of_map(graph, conv, *place);
    if (bytes > map_bytes || work > macs ||
        static_cast<int64_t>(weights.size_bytes()) > weight_bytes ||
        !pays(graph, conv, *place, readers))
      continue;
    auto image = constant_channels(graph, graph.node(place->concat),
                                   static_cast<int64_t>(place->constant.size()));
    // One map for all images of a batch is an addend, not a residual.
    const size_t at = out[0] == 1 && conv.input(3) == kNoValue ? 3 : 4;
    if (!image || conv.input(at) != kNoValue || (at == 4 && conv.integer("addend_last", 0) != 0))
      continue;
    VULTUS_TRY(Tensor map, map_of(graph, conv, *image, weights_of(weights, place->constant)));
    map_bytes -= bytes;
    macs -= work;
    weight_bytes -= static_cast<int64_t>(weights.size_bytes());
    const ValueId rest =
        graph.add_constant(conv.name + ".weights", weights_of(weights, place->computed));
    const ValueId added = graph.add_constant(conv.name + ".map", std::move(map));
    conv.inputs.resize(std::max(conv.inputs.size(), at + 1), kNoValue);
    conv.inputs[0] = place->x;
    conv.inputs[1] = rest;
    conv.inputs[at] = added;
    ++fused;
  }
  graph.compact();
  return fused;
}

}  // namespace vultus
