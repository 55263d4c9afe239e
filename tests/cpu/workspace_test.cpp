#include <fmt/format.h>

#include "host/run/random_input.hpp"
#include "tests/support/networks.hpp"
#include "tests/support/support.hpp"

namespace vultus::test {
namespace {

/// All outputs of a run on made-up inputs.
std::vector<Tensor> outputs_of(Session& session) {
  std::vector<Tensor> outputs;
  const Graph& graph = session.graph();
  for (ValueId v : graph.inputs)
    EXPECT_TRUE(session.set_input(graph.value(v).name, random_input(graph, v).view()));
  const auto run = session.run();
  EXPECT_TRUE(run) << run.error().what;
  for (size_t i = 0; i < session.output_names().size(); ++i)
    outputs.push_back(session.output(i).clone());
  return outputs;
}

// What one leaves in the memory must not matter to the next, nor what lay there at first.
TEST(CpuWorkspace, NetworksThatShareItGiveWhatTheyGiveAlone) {
  auto cpu = open_cpu(2);
  ASSERT_TRUE(cpu) << cpu.error().what;
  std::vector<Session> sharing;
  std::vector<std::vector<Tensor>> alone;
  for (const char* model : {"version-RFB-320", "retinaface_mnet025_dynamic", "star98_256_seeded",
                            "mtl_efficientnet_b0_224_seeded"}) {
    VULTUS_NEED_SHARED(path, fmt::format("models/{}.onnx", model));
    SessionOptions options{.devices = {cpu->get()}};
    if (std::string_view(model).starts_with("retinaface"))
      options.shapes = {{"input", {1, 3, 96, 160}}};
    auto own = Session::load(path, options);
    ASSERT_TRUE(own) << own.error().what;
    alone.push_back(outputs_of(*own));
    options.share_workspace = true;
    auto shared = Session::load(path, options);
    ASSERT_TRUE(shared) << shared.error().what;
    sharing.push_back(std::move(*shared));
  }
  for (int round = 0; round < 2; ++round)
    for (size_t n = 0; n < sharing.size(); ++n) {
      const std::vector<Tensor> outputs = outputs_of(sharing[n]);
      ASSERT_EQ(outputs.size(), alone[n].size());
      for (size_t i = 0; i < outputs.size(); ++i)
        EXPECT_TRUE(std::ranges::equal(outputs[i].as<float>(), alone[n][i].as<float>()))
            << sharing[n].graph().name << ", output " << i << ", round " << round;
    }
}

}  // namespace
}  // namespace vultus::test
