#include "tests/graph/graph_builder.hpp"

namespace vultus::test {
namespace {

/// Sample `n` of a batch, as a batch of one.
Tensor sample(const Tensor& all, int64_t n) {
  Shape shape = all.shape();
  shape[0] = 1;
  Tensor one(all.dtype(), shape);
  std::copy_n(all.bytes() + static_cast<size_t>(n) * one.size_bytes(), one.size_bytes(),
              one.bytes());
  return one;
}

/// A batch through the changed graph gives what its samples give one by one through the first.
void expect_sample_by_sample(const Graph& before, int64_t batch) {
  Graph after = before;
  auto changed = rebatch(after, batch);
  ASSERT_TRUE(changed) << changed.error().what;
  auto device = open_cpu(1);
  ASSERT_TRUE(device);
  std::vector<Tensor> data;
  std::vector<const Tensor*> inputs;
  for (ValueId v : after.inputs)
    data.push_back(random_tensor(after.shape(v), static_cast<uint32_t>(v), -2, 2));
  for (const Tensor& t : data)
    inputs.push_back(&t);
  auto together = run_on(**device, after, inputs);
  ASSERT_TRUE(together) << together.error().what;
  for (int64_t n = 0; n < batch; ++n) {
    std::vector<Tensor> ones;
    for (const Tensor& t : data)
      ones.push_back(sample(t, n));
    std::vector<const Tensor*> one_inputs;
    for (const Tensor& t : ones)
      one_inputs.push_back(&t);
    auto alone = run_on(**device, before, one_inputs);
    ASSERT_TRUE(alone) << alone.error().what;
    for (size_t i = 0; i < alone->size(); ++i)
      EXPECT_LE(relative_l2(sample((*together)[i], n).as<float>(), (*alone)[i].as<float>()),
                kRounding);
  }
}

TEST(Rebatch, AnImageNetworkWithAHeadWorksSampleBySample) {
  GraphBuilder b;
  ValueId x = b.input({1, 3, 8, 8});
  ValueId grid = b.weights({1, 2, 8, 8});
  ValueId y = b.conv(b.node("Concat", {x, grid}, {{"axis", int64_t{1}}}), 6,
                     {{"pads", std::vector<int64_t>{1, 1, 1, 1}}});
  y = b.node("Relu", {b.batch_norm(y)});
  ValueId scale = b.node("Sigmoid", {b.node("GlobalAveragePool", {y})});
  y = b.node("Mul", {y, scale});
  y = b.node(
      "MaxPool", {y},
      {{"kernel_shape", std::vector<int64_t>{2, 2}}, {"strides", std::vector<int64_t>{2, 2}}});
  ValueId rows =
      b.node("Reshape", {b.node("Transpose", {y}, {{"perm", std::vector<int64_t>{0, 2, 3, 1}}}),
                         b.integers({1, 32, 3})});
  ValueId soft = b.node("Softmax", {rows}, {{"axis", int64_t{-1}}});
  ValueId sums = b.node("ReduceSum", {soft, b.integers({1})}, {{"keepdims", int64_t{0}}});
  ValueId flat = b.node("Reshape", {y, b.integers({1, -1})});
  ValueId linear =
      b.node("Gemm", {flat, b.weights({5, 96}), b.weights({5})}, {{"transB", int64_t{1}}});
  expect_sample_by_sample(b.build({soft, sums, linear}), 3);
}

TEST(Rebatch, ProductsOfMatricesKeepSamplesApart) {
  GraphBuilder b;
  ValueId x = b.input({1, 4, 6});
  ValueId turned = b.node("Transpose", {x}, {{"perm", std::vector<int64_t>{0, 2, 1}}});
  ValueId square = b.node("MatMul", {x, turned});
  ValueId product = b.node("MatMul", {x, b.weights({6, 2})});
  ValueId part = b.node("Slice", {square, b.integers({1}), b.integers({3}), b.integers({1})});
  expect_sample_by_sample(b.build({square, product, part}), 2);
}

TEST(Rebatch, EinsumsThatNameTheBatchFirstKeepSamplesApart) {
  GraphBuilder b;
  ValueId x = b.input({1, 4, 6}), y = b.input({1, 6});
  ValueId product = b.node("Einsum", {x, y}, {{"equation", std::string("bij, bj -> bi")}});
  ValueId table =
      b.node("Einsum", {x, b.weights({6, 3})}, {{"equation", std::string("bij,jk->bik")}});
  expect_sample_by_sample(b.build({product, table}), 3);
  for (const char* equation : {"bij,bj->ij", "bij,kj->bik", "bij,bj"}) {
    GraphBuilder other;
    ValueId a = other.input({1, 4, 6}), c = other.input({1, 6});
    Graph graph =
        other.build({other.node("Einsum", {a, c}, {{"equation", std::string(equation)}})});
    EXPECT_FALSE(rebatch(graph, 2)) << equation;
  }
}

TEST(Rebatch, ABatchOfOneChangesNothing) {
  GraphBuilder b;
  Graph graph = b.build({b.node("ReduceSum", {b.input({1, 4})}, {{"keepdims", int64_t{0}}})});
  EXPECT_TRUE(rebatch(graph, 1));
}

std::string refusal(Graph graph) {
  auto changed = rebatch(graph, 2);
  EXPECT_FALSE(changed);
  return changed ? "" : changed.error().what;
}

TEST(Rebatch, WhatWouldMixSamplesIsRefusedByName) {
  const std::pair<const char*, Attributes> alone[] = {
      {"Softmax", {{"axis", int64_t{0}}}},
      {"Transpose", {{"perm", std::vector<int64_t>{1, 0, 2}}}},
      {"Flatten", {{"axis", int64_t{0}}}},
      {"ReduceMean", {{"axes", std::vector<int64_t>{0, 1}}}},
      {"ReduceMean", {}},
  };
  for (const auto& [op, attributes] : alone) {
    GraphBuilder b;
    std::string why = refusal(b.build({b.node(op, {b.input({1, 4, 6})}, attributes)}));
    EXPECT_NE(why.find(op), std::string::npos) << why;
  }
}

TEST(Rebatch, IndicesThatCountSamplesAreRefused) {
  std::vector<Operand> x;
  x.push_back({Tensor(DType::f32, {1, 1, 4, 4})});
  auto graph = single_node("MaxPool", {{"kernel_shape", std::vector<int64_t>{2, 2}}}, x, 2);
  ASSERT_TRUE(graph) << graph.error().what;
  std::string why = refusal(std::move(*graph));
  EXPECT_NE(why.find("its indices count samples"), std::string::npos) << why;
}

TEST(Rebatch, SizesThatDoNotFollowAreRefused) {
  GraphBuilder first;
  EXPECT_NE(refusal(first.build(
                {first.node("Reshape", {first.input({1, 4, 6}), first.integers({4, 6})})})),
            "");
  GraphBuilder second;  // lines the batch up with rows of a table
  ValueId x = second.input({1, 4});
  EXPECT_NE(refusal(second.build({second.node("Add", {x, second.weights({3, 4})})})), "");
  GraphBuilder third;
  EXPECT_NE(refusal(third.build({third.node("Relu", {third.input({4, 4})})})).find("no batch of 1"),
            std::string::npos);
  GraphBuilder fourth;
  ValueId a = fourth.input({1, 4});
  EXPECT_NE(refusal(fourth.build({fourth.node("MatMul", {fourth.weights({4, 1}), a})})), "");
}

}  // namespace
}  // namespace vultus::test
