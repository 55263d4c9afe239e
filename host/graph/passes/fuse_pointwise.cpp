#include <algorithm>
#include <cstdlib>
#include <set>

#include "host/graph/passes/passes.hpp"
#include "host/graph/passes/pointwise_emit.hpp"
#include "host/graph/passes/rewrite.hpp"

namespace vultus {

namespace {

/// Above this a member is not computed anew for every element that repeats its result.
constexpr int64_t kMostRepeated = 1 << 16;
/// What bounds the search around one node in graphs made to be slow.
constexpr int kMostTries = 48;
constexpr NodeId kFarthest = 256;
constexpr int kMostRounds = 32;
/// A GPU compiles each program anew, which takes a tenth of a second; real networks have a handful.
constexpr size_t kMostPrograms = 64;

/// What is compiled of a program: all but the values of its immediates.
using ProgramKey = std::vector<uint32_t>;

ProgramKey key_of(const PointwiseBody& body, const Shape& shape) {
  const PointwiseProgram& p = body.program;
  ProgramKey key{static_cast<uint32_t>(p.inputs), static_cast<uint32_t>(p.immediates.size())};
  for (const auto& input : body.inputs)
    key.push_back(input.shape == shape ? 0 : 1);
  for (const PointwiseInstruction& i : p.code)
    key.insert(key.end(), {static_cast<uint32_t>(i.op), i.a, i.b, i.c});
  key.insert(key.end(), p.results.begin(), p.results.end());
  return key;
}

/// Groups of nodes that become one Pointwise node each. The graph is compacted: nodes are in
/// topological order, and as long as they are, one group after the other may be replaced.
class Grouping {
 public:
  /// `programs`: those made so far.
  Grouping(Graph& graph, std::set<ProgramKey>& programs)
      : graph_(graph), programs_(programs), readers_(graph.consumers()) {
    const size_t count = graph.nodes.size();
    free_.resize(count);
    for (size_t n = 0; n < count; ++n)
      free_[n] = is_pointwise(graph, graph.nodes[n]) || is_view(graph, graph.nodes[n]);
  }

  /// Whether a node now stands before one that it depends on.
  bool disordered() const { return disordered_; }

  /// Grows a group around `seed` and replaces it; whether there was one.
  bool fuse_around(NodeId seed) {
    if (!free_[static_cast<size_t>(seed)] || graph_.node(seed).op == "Reshape") return false;
    shape_ = graph_.shape(graph_.node(seed).outputs[0]);
    member_.assign(free_.size(), false);
    members_.clear();
    insert(seed);
    if (!evaluate()) return false;
    int tries = 0;
    for (bool grown = true; grown;) {
      grown = false;
      for (NodeId n : neighbours(seed))
        if (tries++ < kMostTries) grown = try_insert(n) || grown;
    }
    if (!worthwhile()) return false;
    ProgramKey key = key_of(*body_, shape_);
    if (programs_.size() >= kMostPrograms && !programs_.contains(key)) return false;
    programs_.insert(std::move(key));
    replace();
    return true;
  }

 private:
  void insert(NodeId n) {
    member_[static_cast<size_t>(n)] = true;
    members_.push_back(n);
    std::ranges::sort(members_);
  }
  void remove(NodeId n) {
    member_[static_cast<size_t>(n)] = false;
    std::erase(members_, n);
  }

  bool try_insert(NodeId n) {
    insert(n);
    if (convex() && evaluate()) return true;
    remove(n);
    evaluate();
    return false;
  }

  /// Free nodes that make what members read, or read what members make at its full size.
  std::vector<NodeId> neighbours(NodeId seed) const {
    std::vector<NodeId> found;
    auto add = [&](NodeId n) {
      if (n >= 0 && std::abs(n - seed) <= kFarthest && free_[static_cast<size_t>(n)] &&
          !member_[static_cast<size_t>(n)])
        found.push_back(n);
    };
    for (NodeId m : members_) {
      for (ValueId v : graph_.node(m).inputs)
        if (v != kNoValue && !graph_.value(v).constant) add(graph_.value(v).producer);
      for (NodeId reader : readers_[static_cast<size_t>(graph_.node(m).outputs[0])])
        if (free_[static_cast<size_t>(reader)] && graph_.node(reader).op != "Reshape" &&
            graph_.shape(graph_.node(reader).outputs[0]) == shape_)
          add(reader);
    }
    std::ranges::sort(found);
    found.erase(std::unique(found.begin(), found.end()), found.end());
    return found;
  }

  /// Whether nothing outside lies between two members.
  bool convex() const {
    std::vector<bool> below(free_.size(), false);  // reads a member through nodes outside
    for (NodeId n = members_.front(); n <= members_.back(); ++n) {
      const bool inside = member_[static_cast<size_t>(n)];
      for (ValueId v : graph_.node(n).inputs) {
        if (v == kNoValue || graph_.value(v).constant || graph_.value(v).producer < 0) continue;
        const auto before = static_cast<size_t>(graph_.value(v).producer);
        if (inside && below[before]) return false;
        if (!inside && (member_[before] || below[before])) below[static_cast<size_t>(n)] = true;
      }
    }
    return true;
  }

  bool read_outside(ValueId v) const {
    const auto& readers = readers_[static_cast<size_t>(v)];
    return graph_.is_output(v) ||
           std::ranges::any_of(readers, [&](NodeId r) { return !member_[static_cast<size_t>(r)]; });
  }

  /// Finds the results and the program of the present members; false when they make none.
  bool evaluate() {
    results_.clear();
    for (NodeId m : members_) {
      const ValueId v = graph_.node(m).outputs[0];
      const Shape& own = graph_.shape(v);
      const bool full = own == shape_ && graph_.node(m).op != "Reshape";
      if (!full && (shape_.elements() > kMostRepeated || read_outside(v))) return false;
      if (read_outside(v)) results_.push_back(v);
    }
    body_ = emit_pointwise(graph_, member_, results_, shape_);
    return body_ && broadcasts_to_shape();
  }

  /// Whether the inputs alone give the result its shape: constants that became immediates may have
  /// had axes of their own.
  bool broadcasts_to_shape() const {
    std::optional<Shape> all = Shape{};
    for (const auto& input : body_->inputs)
      if (all) all = broadcast(*all, input.shape);
    return all == shape_;
  }

  /// Whether a dispatch is saved: Casts of booleans and Reshapes cost none.
  bool worthwhile() const {
    return std::ranges::count_if(members_, [&](NodeId m) {
             const std::string& op = graph_.node(m).op;
             return op != "Cast" && op != "Reshape";
           }) >= 2;
  }

  ValueId materialise(const PointwiseBody::Input& input, const std::string& name) {
    if (input.made) return graph_.add_constant(name, input.made->clone());
    if (graph_.shape(input.value) == input.shape) return input.value;
    disordered_ = true;
    Node view;
    view.name = name;
    view.opset = 18;
    view.outputs = {graph_.add_value(name, graph_.value(input.value).dtype, input.shape)};
    const auto id = static_cast<NodeId>(graph_.nodes.size());
    graph_.value(view.outputs[0]).producer = id;
    graph_.nodes.push_back(std::move(view));
    make_reshape(graph_, id, input.value);
    return graph_.node(id).outputs[0];
  }

  void replace() {
    Node fused;
    const NodeId home = members_.back();
    fused.name = graph_.node(home).name;
    fused.op = "Pointwise";
    fused.opset = graph_.node(home).opset;
    fused.outputs = results_;
    set_pointwise_program(fused, body_->program);
    for (size_t i = 0; i < body_->inputs.size(); ++i)
      fused.inputs.push_back(
          materialise(body_->inputs[i], fused.name + ".input" + std::to_string(i)));
    for (NodeId m : members_) {
      graph_.node(m) = Node{};
      free_[static_cast<size_t>(m)] = false;
    }
    for (ValueId v : results_) {
      graph_.value(v).producer = home;
      for (NodeId reader : readers_[static_cast<size_t>(v)])
        disordered_ = disordered_ || reader < home;
    }
    graph_.node(home) = std::move(fused);
  }

  Graph& graph_;
  std::set<ProgramKey>& programs_;
  std::vector<std::vector<NodeId>> readers_;
  std::vector<bool> free_, member_;
  std::vector<NodeId> members_;
  std::vector<ValueId> results_;
  Shape shape_;
  std::optional<PointwiseBody> body_;
  bool disordered_ = false;
};

}  // namespace

Result<int> fuse_pointwise(Graph& graph) {
  int fused = 0;
  std::set<ProgramKey> programs;
  // Last nodes first: their results are the largest.
  bool again = true;
  for (int round = 0; again && round < kMostRounds; ++round) {
    Grouping grouping(graph, programs);
    for (auto n = static_cast<NodeId>(graph.nodes.size()); n-- > 0 && !grouping.disordered();)
      fused += grouping.fuse_around(n) ? 1 : 0;
    again = grouping.disordered();
    graph.compact();
  }
  return fused;
}

}  // namespace vultus
