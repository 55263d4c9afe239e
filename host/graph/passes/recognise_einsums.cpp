#include <algorithm>

#include "host/graph/passes/passes.hpp"
#include "host/graph/passes/patterns.hpp"
#include "host/graph/passes/rewrite.hpp"

namespace vultus {

namespace {

struct Equation {
  std::vector<std::string> terms;
  std::string result;
};

/// "bij,bjk->bik" with one letter per axis, each once per term and an explicit result; nothing for
/// any other form.
std::optional<Equation> parse(std::string text) {
  std::erase(text, ' ');
  size_t arrow = text.find("->");
  if (arrow == std::string::npos) return std::nullopt;
  Equation equation{{""}, text.substr(arrow + 2)};
  for (char c : text.substr(0, arrow)) {
    if (c == ',')
      equation.terms.emplace_back();
    else
      equation.terms.back() += c;
  }
  auto plain = [](std::string term) {
    bool letters = std::all_of(term.begin(), term.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    });
    std::sort(term.begin(), term.end());
    return letters && std::adjacent_find(term.begin(), term.end()) == term.end();
  };
  if (!plain(equation.result) || !std::all_of(equation.terms.begin(), equation.terms.end(), plain))
    return std::nullopt;
  return equation;
}

bool same_letters(std::string a, std::string b) {
  std::sort(a.begin(), a.end());
  std::sort(b.begin(), b.end());
  return a == b;
}

/// Inserts nodes before the present one and rewires; the graph's order is restored by compact.
class EinsumRewriter {
 public:
  explicit EinsumRewriter(Graph& graph) : graph_(graph) {}

  bool rewrite(NodeId n) {
    auto equation = parse(graph_.node(n).text("equation", ""));
    if (!equation || equation->terms.size() != graph_.node(n).inputs.size()) return false;
    for (size_t i = 0; i < equation->terms.size(); ++i)
      if (static_cast<int>(equation->terms[i].size()) !=
          graph_.shape(graph_.node(n).inputs[i]).rank())
        return false;
    if (equation->terms.size() == 1) return to_transpose(n, *equation);
    if (equation->terms.size() == 2) return to_product(n, *equation) || to_matmul(n, *equation);
    return false;
  }

 private:
  static std::vector<int64_t> permutation(const std::string& from, const std::string& to) {
    std::vector<int64_t> perm;
    for (char c : to)
      perm.push_back(static_cast<int64_t>(from.find(c)));
    return perm;
  }

  bool to_transpose(NodeId n, const Equation& e) {
    if (!same_letters(e.terms[0], e.result)) return false;
    Node& node = graph_.node(n);
    node.op = "Transpose";
    node.attributes.clear();
    node.attributes["perm"] = permutation(e.terms[0], e.result);
    return true;
  }

  bool to_product(NodeId n, const Equation& e) {
    if (e.terms[0] != e.result || e.terms[1] != e.result) return false;
    Node& node = graph_.node(n);
    // Einsum does not broadcast sizes of 1.
    if (!(graph_.shape(node.inputs[0]) == graph_.shape(node.inputs[1]))) return false;
    node.op = "Mul";
    node.attributes.clear();
    return true;
  }

  /// Result = batch + i + k, first term batch + {i, j}, second batch + {j, k} or just {j, k}.
  bool to_matmul(NodeId n, const Equation& e) {
    if (e.result.size() < 2) return false;
    std::string batch = e.result.substr(0, e.result.size() - 2);
    char i = e.result[e.result.size() - 2], k = e.result.back();
    if (e.terms[0].size() != e.result.size()) return false;
    size_t at = e.terms[0].find_first_not_of(e.result);
    if (at == std::string::npos || e.result.find(e.terms[0][at]) != std::string::npos) return false;
    char j = e.terms[0][at];
    bool shared = e.terms[1].size() == 2;
    std::string wanted[2] = {batch + i + j, (shared ? "" : batch) + j + k};
    for (size_t t = 0; t < 2; ++t)
      if (!same_letters(wanted[t], e.terms[t])) return false;
    for (size_t t = 0; t < 2; ++t)
      transpose_input(n, t, permutation(e.terms[t], wanted[t]));
    graph_.node(n).op = "MatMul";
    graph_.node(n).attributes.clear();
    return true;
  }

  void transpose_input(NodeId n, size_t i, std::vector<int64_t> perm) {
    if (std::is_sorted(perm.begin(), perm.end())) return;
    ValueId x = graph_.node(n).inputs[i];
    Shape shape;
    for (int64_t axis : perm)
      shape.push_back(graph_.shape(x)[static_cast<int>(axis)]);
    Node node;
    node.name = graph_.node(n).name + ".transpose" + std::to_string(i);
    node.op = "Transpose";
    node.opset = graph_.node(n).opset;
    node.attributes["perm"] = std::move(perm);
    node.inputs = {x};
    node.outputs = {graph_.add_value(node.name, graph_.value(x).dtype, shape)};
    graph_.value(node.outputs[0]).producer = static_cast<NodeId>(graph_.nodes.size());
    graph_.node(n).inputs[i] = node.outputs[0];
    graph_.nodes.push_back(std::move(node));
  }

  Graph& graph_;
};

}  // namespace

int recognise_einsums(Graph& graph) {
  EinsumRewriter rewriter(graph);
  int found = 0;
  auto count = static_cast<NodeId>(graph.nodes.size());
  for (NodeId n = 0; n < count; ++n)
    if (graph.node(n).op == "Einsum" && rewriter.rewrite(n)) ++found;
  return found;
}

}  // namespace vultus
