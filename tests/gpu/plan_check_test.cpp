#include "tests/gpu/plan_check.hpp"

#include <gtest/gtest.h>

#include <random>

#include "gpu/context.hpp"
#include "host/graph/passes/passes.hpp"
#include "host/onnx/import.hpp"
#include "host/plan/plan.hpp"
#include "tests/support/gpu.hpp"
#include "tests/support/networks.hpp"
#include "tests/support/support.hpp"

namespace vultus::gpu {
namespace {

constexpr uint64_t kNoLimit = ~uint64_t{0};

/// Kernels that read what exists and write something new, now and then something old again.
Recording random_recording(uint32_t seed) {
  std::mt19937 engine(seed);
  auto below = [&](size_t n) { return static_cast<size_t>(engine() % n); };
  Recording recording;
  auto add = [&](bool upload, bool constant) {
    Recording::BufferInfo info;
    info.bytes = 32 * (1 + below(200));
    info.upload = upload;
    info.constant = constant;
    info.name = fmt::format("b{}", recording.buffers.size());
    if (upload) {
      info.offset = recording.upload_bytes;
      recording.upload_bytes += (info.bytes + 63) / 64 * 64;
    }
    recording.buffers.push_back(info);
    return static_cast<BufferId>(recording.buffers.size() - 1);
  };
  std::vector<BufferId> written;
  for (size_t i = 0; i < 1 + below(3); ++i)
    written.push_back(add(true, false));
  for (size_t i = 0; i < below(4); ++i)
    written.push_back(add(false, true));
  std::vector<BufferId> scratch;
  size_t count = 1 + below(60);
  for (size_t i = 0; i < count; ++i) {
    Dispatch dispatch{-1, "k", {}, {}, {}, {1, 1, 1}};
    for (size_t k = 0; k < 1 + below(3); ++k)
      dispatch.bindings.push_back({written[below(written.size())], Access::read});
    BufferId out =
        below(5) == 0 && !scratch.empty() ? scratch[below(scratch.size())] : add(false, false);
    bool again = std::find(scratch.begin(), scratch.end(), out) != scratch.end();
    std::erase_if(dispatch.bindings, [&](const Binding& b) { return b.buffer == out; });
    dispatch.bindings.push_back({out, again && below(2) == 0 ? Access::read_write : Access::write});
    if (!again) written.push_back(out);
    scratch.push_back(out);
    recording.dispatches.push_back(std::move(dispatch));
  }
  for (size_t i = 0; i < 1 + below(3); ++i)
    recording.downloads.push_back(
        {0, {written[below(written.size())], Layout::linear, DType::f32, {1}}});
  schedule(recording);
  return recording;
}

TEST(GpuPlan, OfRandomKernelsHoldsWhatItPromises) {
  for (uint32_t seed = 0; seed < 1000; ++seed) {
    Recording recording = random_recording(seed);
    ArenaLayout layout = lay_out(recording, 64);
    ASSERT_EQ(check_plan(recording, layout, 64, kNoLimit), "") << "seed " << seed;
  }
}

TEST(GpuPlan, TheCheckSeesMemoryGivenAwayTooEarly) {
  int seen = 0, tried = 0;
  for (uint32_t seed = 0; seed < 200; ++seed) {
    Recording recording = random_recording(seed);
    ArenaLayout layout = lay_out(recording, 64);
    // Everything on top of everything else: fine only where hardly anything lives.
    if (recording.dispatches.size() < 5) continue;
    ++tried;
    for (size_t i = 0; i < layout.offsets.size(); ++i)
      layout.offsets[i] = 0;
    seen += check_plan(recording, layout, 64, kNoLimit) != "";
  }
  EXPECT_EQ(seen, tried);
}

TEST(GpuPlan, TheCheckSeesALongRangeAndAMisalignedOne) {
  Recording recording = random_recording(3);
  ArenaLayout layout = lay_out(recording, 64);
  EXPECT_NE(check_plan(recording, layout, 64, 16), "");
  for (uint64_t& offset : layout.offsets)
    offset += 32;
  layout.bytes += 32;
  EXPECT_NE(check_plan(recording, layout, 64, kNoLimit), "");
}

Result<std::unique_ptr<Context>> context_with(uint64_t max_storage_range) {
  OpenOptions options;
  options.selector = "llvmpipe";
  options.max_storage_range = max_storage_range;
  return Context::create(options);
}

Result<Graph> optimised(const std::string& path, const ShapeBindings& shapes) {
  VULTUS_TRY(Graph graph, import_onnx(path, shapes));
  VULTUS_CHECK(optimise(graph));
  return graph;
}

void expect_sound_plans(const Context& context, const Graph& graph, const Plan& plan) {
  std::map<ValueId, Handover> exported;
  for (const PlannedPartition& part : plan.partitions) {
    if (part.device->info().kind != DeviceKind::gpu) continue;
    std::vector<Handover> imports;
    for (const PartitionSpec::Import& import : part.spec.imports) {
      ASSERT_TRUE(exported.contains(import.value)) << graph.value(import.value).name;
      imports.push_back(exported.at(import.value));
    }
    auto recording = build_partition(context, graph, part.spec, nullptr, imports);
    ASSERT_TRUE(recording) << recording.error().what;
    ASSERT_EQ(recording->exports.size(), part.spec.exports.size());
    for (Handover handover : recording->exports) {
      handover.bytes = recording->buffers[static_cast<size_t>(handover.source.buffer)].bytes;
      exported.insert_or_assign(handover.value, handover);
    }
    ArenaLayout layout = lay_out(*recording, context.alignment());
    EXPECT_EQ(check_plan(*recording, layout, context.alignment(), context.caps().max_storage_range),
              "");
  }
}

class GpuPlans : public testing::TestWithParam<test::ReferenceNetwork> {};

TEST_P(GpuPlans, OfRealNetworksHoldWhatTheyPromise) {
  VULTUS_NEED_GPU(gpu);
  VULTUS_NEED_SHARED(model, std::string("models/") + GetParam().model + ".onnx");
  auto context = context_with(0);
  ASSERT_TRUE(context) << context.error().what;
  auto cpu = open_cpu(1);
  ASSERT_TRUE(cpu);
  ShapeBindings shapes;
  if (std::string_view(GetParam().model).ends_with("dynamic")) shapes["input"] = {2, 3, 241, 321};
  auto graph = optimised(model, shapes);
  ASSERT_TRUE(graph) << graph.error().what;
  for (Precision precision : {Precision::fp16, Precision::fp32}) {
    auto plan = make_plan(*graph, {&gpu, cpu->get()}, {precision});
    ASSERT_TRUE(plan) << plan.error().what;
    expect_sound_plans(**context, *graph, *plan);
  }
  PlanOptions mixed{.precision = Precision::fp16};
  for (size_t n = 3; n < graph->nodes.size(); n += 5)
    mixed.keep_fp32.push_back(graph->nodes[n].name);
  auto plan = make_plan(*graph, {&gpu, cpu->get()}, mixed);
  ASSERT_TRUE(plan) << plan.error().what;
  expect_sound_plans(**context, *graph, *plan);
}

INSTANTIATE_TEST_SUITE_P(Networks, GpuPlans, testing::ValuesIn(test::reference_networks()),
                         [](const testing::TestParamInfo<test::ReferenceNetwork>& info) {
                           return info.param.test_name();
                         });

TEST(GpuPlan, NoKernelSeesMoreThanTheDeviceLetsIt) {
  VULTUS_NEED_GPU(unlimited);
  (void)unlimited;
  VULTUS_NEED_SHARED(model, "models/retinaface_mnet025_640x640.onnx");
  constexpr uint64_t kLimit = 1u << 20;
  OpenOptions options;
  options.selector = "llvmpipe";
  options.cache_folder = "-";
  options.max_storage_range = kLimit;
  auto gpu = open(options);
  ASSERT_TRUE(gpu) << gpu.error().what;
  auto context = context_with(kLimit);
  ASSERT_TRUE(context);
  auto cpu = open_cpu(2);
  ASSERT_TRUE(cpu);
  auto graph = optimised(model, {});
  ASSERT_TRUE(graph) << graph.error().what;
  auto plan = make_plan(*graph, {gpu->get(), cpu->get()}, {Precision::fp32});
  ASSERT_TRUE(plan) << plan.error().what;
  EXPECT_GT(plan->partitions.size(), 1u) << "large tensors stay on the CPU, small ones do not";
  expect_sound_plans(**context, *graph, *plan);

  SessionOptions both{.devices = {gpu->get(), cpu->get()}, .precision = Precision::fp32};
  SessionOptions without{.devices = {cpu->get()}, .precision = Precision::fp32};
  auto session = Session::load(model, both), reference = Session::load(model, without);
  ASSERT_TRUE(session) << session.error().what;
  ASSERT_TRUE(reference) << reference.error().what;
  Tensor x = test::random_tensor({1, 3, 640, 640}, 4, -100, 100);
  for (Session* s : {&*session, &*reference}) {
    ASSERT_TRUE(s->set_input(s->input_names()[0], x.view()));
    auto ran = s->run();
    ASSERT_TRUE(ran) << ran.error().what;
  }
  for (size_t i = 0; i < session->output_names().size(); ++i)
    EXPECT_LE(test::relative_l2(session->output(i).as<float>(), reference->output(i).as<float>()),
              1e-5);
}

}  // namespace
}  // namespace vultus::gpu
