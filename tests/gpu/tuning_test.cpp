#include <algorithm>
#include <filesystem>
#include <fstream>
#include <thread>

#include "gpu/context.hpp"
#include "gpu/conv_timings.hpp"
#include "gpu/ops/conv_choice.hpp"
#include "gpu/recording.hpp"
#include "tests/cpu/net.hpp"
#include "tests/support/gpu.hpp"
#include "tests/support/temporary_folder.hpp"

namespace vultus::gpu {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kConvolutions = 6;

/// Convolutions that differ: 3x3, 1x1, stride 2, short and long sums, a residual, groups.
test::Net small_net() {
  test::Net net;
  ValueId x = net.input({1, 16, 12, 12}, 1);
  x = net.conv(x, 24, 3, 2);
  ValueId y = net.conv(x, 40, 1, 4, test::with({}, {Activation::relu}));
  y = net.conv(y, 40, 1, 6, {}, {y});
  y = net.conv(y, 64, 3, 8, {{"strides", test::Ints{2, 2}}});
  y = net.conv(y, 5, 3, 10);
  net.output(net.conv(y, 16, 1, 12));
  return net;
}

class Tuned : public testing::Test {
 protected:
  void SetUp() override {
    auto opened = Context::create({.selector = "llvmpipe"});
    if (!opened) GTEST_SKIP() << opened.error().what;
    context = std::move(*opened);
    file = folder + "/convolutions-" + context->report().uuid + ".bin";
  }

  std::unique_ptr<Device> device(bool emulated = false) const {
    auto opened = open({.selector = "llvmpipe",
                        .validation = validation_available(),
                        .poison = true,
                        .emulate_cooperative = emulated,
                        .cache_folder = folder});
    EXPECT_TRUE(opened) << opened.error().what;
    return opened ? std::move(*opened) : nullptr;
  }

  struct Run {
    PartitionStats stats;
    std::vector<Tensor> outputs;
  };
  /// On a device opened for it.
  Run run(Tuning tuning, Precision precision = Precision::fp16, bool emulated = false) const {
    std::unique_ptr<Device> opened = device(emulated);
    if (!opened) return {};
    PartitionSpec spec = net.spec();
    spec.precision = precision;
    spec.tuning = tuning;
    auto partition = opened->compile(net.graph, spec);
    EXPECT_TRUE(partition) << partition.error().what;
    if (!partition) return {};
    EXPECT_TRUE((*partition)->upload(net.graph.inputs[0], net.inputs[0].view()));
    EXPECT_TRUE((*partition)->submit());
    EXPECT_TRUE((*partition)->wait());
    Run done{(*partition)->stats(), {}};
    for (ValueId v : net.graph.outputs) {
      done.outputs.emplace_back(DType::f32, net.graph.shape(v));
      EXPECT_TRUE((*partition)->download(v, done.outputs.back()));
    }
    for (const std::string& message : take_validation_messages(*opened))
      ADD_FAILURE() << message;
    return done;
  }
  void expect_same(const Run& a, const Run& b, Precision precision = Precision::fp16) const {
    ASSERT_EQ(a.outputs.size(), b.outputs.size());
    for (size_t i = 0; i < a.outputs.size(); ++i)
      EXPECT_LE(test::relative_l2(a.outputs[i].as<float>(), b.outputs[i].as<float>()),
                precision == Precision::fp32 ? 1e-5 : 2e-3);
  }

  Result<Recording> recorded(Tuning tuning, ConvTimings* timings) const {
    PartitionSpec spec = net.spec();
    spec.precision = Precision::fp16;
    spec.tuning = tuning;
    return build_partition(*context, net.graph, spec, timings);
  }
  /// How many convolutions of the net find a timing in the file.
  int64_t found_in_file() const {
    ConvTimings timings(folder, context->report());
    auto recording = recorded(Tuning::cached, &timings);
    EXPECT_TRUE(recording) << recording.error().what;
    return recording ? std::ranges::count_if(recording->choices, &Choice::timed) : -1;
  }
  /// All that could be timed, by the rules' own order.
  std::vector<Choice> choices() const {
    ConvTimings none("-", context->report());
    auto recording = recorded(Tuning::measure, &none);
    EXPECT_TRUE(recording) << recording.error().what;
    return recording ? std::move(recording->choices) : std::vector<Choice>();
  }
  /// Every convolution's i-th alternative to the rule, where it has so many.
  ConvTactics alternatives(size_t i) const {
    ConvTactics tactics;
    for (const Choice& choice : choices())
      if (i < choice.others.size()) tactics[choice.key] = choice.others[i].tactic;
    return tactics;
  }
  ConvTactics kept() const {
    return unseal_timings(timings_key(context->report()), bytes_in(file));
  }
  static std::vector<std::byte> bytes_in(const std::string& path) {
    std::ifstream stream(path, std::ios::binary);
    std::string text((std::istreambuf_iterator<char>(stream)), {});
    auto bytes = std::as_bytes(std::span(text));
    return {bytes.begin(), bytes.end()};
  }
  void write(std::span<const std::byte> bytes) const {
    CacheFile(folder, fs::path(file).filename().string()).write(bytes);
  }
  void write(const ConvTactics& tactics) const {
    write(seal_timings(timings_key(context->report()), tactics));
  }

  test::Net net = small_net();
  std::unique_ptr<Context> context;
  const test::TemporaryFolder temporary;
  const std::string folder = temporary.path();
  std::string file;
};

TEST_F(Tuned, WhatWasMeasuredIsKeptAndUsedByTheNextDevice) {
  Run measured = run(Tuning::measure);
  EXPECT_EQ(measured.stats.choices, kConvolutions);
  EXPECT_EQ(measured.stats.timed_choices, kConvolutions);
  EXPECT_EQ(kept().size(), static_cast<size_t>(kConvolutions));
  const auto written = bytes_in(file);
  Run later = run(Tuning::cached);
  EXPECT_EQ(later.stats.timed_choices, kConvolutions);
  EXPECT_EQ(later.stats.changed_choices, measured.stats.changed_choices);
  Run again = run(Tuning::measure);
  EXPECT_EQ(again.stats.timed_choices, kConvolutions);
  EXPECT_EQ(bytes_in(file), written) << "nothing was left to time";
  // fp32 has times of its own, beside these.
  EXPECT_EQ(run(Tuning::cached, Precision::fp32).stats.timed_choices, 0);
  EXPECT_EQ(run(Tuning::measure, Precision::fp32).stats.timed_choices, kConvolutions);
  EXPECT_EQ(kept().size(), static_cast<size_t>(2 * kConvolutions));
}

TEST_F(Tuned, MeasuredKernelsComputeWhatTheRulesDo) {
  for (Precision precision : {Precision::fp16, Precision::fp32}) {
    Run rules = run(Tuning::rules, precision);
    EXPECT_EQ(rules.stats.choices, kConvolutions);
    EXPECT_EQ(rules.stats.timed_choices, 0);
    expect_same(run(Tuning::measure, precision), rules, precision);
    expect_same(run(Tuning::cached, precision), rules, precision);
  }
}

TEST_F(Tuned, EveryTacticThatIsKeptIsTheOneThatRuns) {
  const Run rules = run(Tuning::rules);
  size_t tried = 0;
  for (size_t i = 0;; ++i) {
    const ConvTactics tactics = alternatives(i);
    if (tactics.empty()) break;
    ++tried;
    write(tactics);
    ConvTimings timings(folder, context->report());
    auto recording = recorded(Tuning::cached, &timings);
    ASSERT_TRUE(recording) << recording.error().what;
    const std::vector<Choice> possible = choices();
    for (const Dispatch& d : recording->dispatches) {
      if (d.choice < 0) continue;
      const Choice& made = recording->choices.at(static_cast<size_t>(d.choice));
      const Choice& offered = possible.at(static_cast<size_t>(d.choice));
      if (i >= offered.others.size()) continue;
      EXPECT_TRUE(made.timed);
      EXPECT_EQ(made.used, offered.others[i].tactic);
      EXPECT_EQ(d.kernel, offered.others[i].dispatch.kernel);
      EXPECT_EQ(d.spec, offered.others[i].dispatch.spec);
    }
    Run cached = run(Tuning::cached);
    EXPECT_EQ(cached.stats.timed_choices, static_cast<int64_t>(tactics.size()));
    EXPECT_EQ(cached.stats.changed_choices, static_cast<int64_t>(tactics.size()));
    expect_same(cached, rules);
  }
  EXPECT_GE(tried, 3u);
}

TEST_F(Tuned, CooperativeMatricesAreTimedWhereTheDeviceHasThem) {
  const Run rules = run(Tuning::rules);
  const Run emulated = run(Tuning::measure, Precision::fp16, true);
  EXPECT_EQ(emulated.stats.timed_choices, kConvolutions);
  expect_same(emulated, rules);
  EXPECT_EQ(run(Tuning::cached).stats.timed_choices, 0) << "another device, as kernels go";
}

TEST_F(Tuned, RulesNeitherReadNorWrite) {
  EXPECT_EQ(run(Tuning::rules).stats.timed_choices, 0);
  EXPECT_EQ(run(Tuning::cached).stats.timed_choices, 0);
  EXPECT_FALSE(fs::exists(file));
  write(alternatives(0));
  const auto before = bytes_in(file);
  const Run rules = run(Tuning::rules);
  EXPECT_EQ(rules.stats.timed_choices, 0);
  EXPECT_EQ(rules.stats.changed_choices, 0);
  EXPECT_EQ(bytes_in(file), before);
}

TEST_F(Tuned, ForcedKernelsAreNoChoice) {
  write(alternatives(0));
  std::unique_ptr<Device> opened = device();
  ASSERT_TRUE(opened);
  ASSERT_TRUE(force_convolutions(*opened, {ConvFamily::direct}));
  PartitionSpec spec = net.spec();
  spec.precision = Precision::fp16;
  spec.tuning = Tuning::measure;
  auto partition = opened->compile(net.graph, spec);
  ASSERT_TRUE(partition) << partition.error().what;
  EXPECT_EQ((*partition)->stats().choices, 0);
}

TEST_F(Tuned, ABrokenOrForeignFileIsIgnoredAndRebuilt) {
  const std::string key = timings_key(context->report());
  const ConvTactics tactics = alternatives(0);
  const auto good = seal_timings(key, tactics);
  auto flipped = good;
  flipped[flipped.size() / 2] ^= std::byte{4};
  const std::vector<std::vector<std::byte>> bad = {
      {good.begin(), good.end() - 7},
      flipped,
      std::vector<std::byte>(good.size(), std::byte{0x5a}),
      seal_timings(key + " of another driver", tactics),
      seal(key, std::span(good).first(50)),  // whole, but no whole entries
      std::vector<std::byte>(4u << 20)};
  for (const auto& bytes : bad) {
    write(good);
    EXPECT_GT(found_in_file(), 0);
    write(bytes);
    EXPECT_EQ(found_in_file(), 0);
  }
  EXPECT_EQ(run(Tuning::measure).stats.timed_choices, kConvolutions);
  EXPECT_EQ(run(Tuning::cached).stats.timed_choices, kConvolutions);
}

TEST(ConvTimingsFile, EveryTruncationAndFlippedByteIsRefused) {
  ConvKey key{};
  key.in_channels = 7;
  ConvTactics tactics{{key, {.family = ConvFamily::tile, .tile = 2, .split = 4}}};
  auto file = seal_timings("key", tactics);
  ASSERT_EQ(unseal_timings("key", file), tactics);
  for (size_t length = 0; length < file.size(); ++length)
    EXPECT_TRUE(unseal_timings("key", std::span(file).first(length)).empty()) << length;
  for (size_t i = 0; i < file.size(); ++i) {
    file[i] ^= std::byte{0x10};
    EXPECT_TRUE(unseal_timings("key", file).empty()) << i;
    file[i] ^= std::byte{0x10};
  }
}

TEST_F(Tuned, TacticsThatTheDeviceCannotRunAreIgnored) {
  const ConvTactic wrong[] = {
      {.family = ConvFamily::tile, .tile = 99},
      {.family = ConvFamily::tile, .tile = 0, .split = 3},
      {.family = ConvFamily::tile, .tile = 0, .split = 1u << 20},
      {.family = ConvFamily::coop, .tile = 0},
      {.family = ConvFamily::direct, .pixels = 0},
      {.family = ConvFamily::direct, .pixels = 5},
      {.family = ConvFamily::direct, .pixels = ~0u},
      {.family = ConvFamily::stem},
      {.family = ConvFamily::depthwise},
      {.family = ConvFamily::automatic},
      {.family = static_cast<ConvFamily>(200)},
  };
  const std::vector<Choice> possible = choices();
  for (const ConvTactic& tactic : wrong) {
    ConvTactics tactics;
    for (const Choice& choice : possible)
      tactics[choice.key] = tactic;
    write(tactics);
    ASSERT_FALSE(bytes_in(file).empty());
    EXPECT_EQ(found_in_file(), 0) << static_cast<int>(tactic.family);
  }
  expect_same(run(Tuning::cached), run(Tuning::rules));
  // They count as not timed.
  EXPECT_EQ(run(Tuning::measure).stats.timed_choices, kConvolutions);
  EXPECT_EQ(run(Tuning::cached).stats.timed_choices, kConvolutions);
}

ConvKey numbered(uint32_t thread, uint32_t i) {
  ConvKey key{};
  key.in_channels = thread;
  key.out_channels = i;
  return key;
}

TEST_F(Tuned, WritersSideBySideLeaveAFileThatIsSound) {
  constexpr uint32_t kThreads = 3, kWrites = 60;
  std::vector<std::thread> threads;
  for (uint32_t t = 0; t < kThreads; ++t)
    threads.emplace_back([&, t] {
      ConvTimings timings(folder, context->report());
      for (uint32_t i = 0; i < kWrites; ++i)
        timings.keep({{numbered(t, i), {.family = ConvFamily::direct, .pixels = i}}});
    });
  for (std::thread& thread : threads)
    thread.join();
  const ConvTactics left = kept();
  uint32_t whole = 0;  // writers whose every timing is there: at least the one that was last
  for (uint32_t t = 0; t < kThreads; ++t) {
    uint32_t found = 0;
    for (uint32_t i = 0; i < kWrites; ++i) {
      auto at = left.find(numbered(t, i));
      if (at == left.end()) continue;
      ++found;
      EXPECT_EQ(at->second.pixels, i);
    }
    whole += found == kWrites;
  }
  EXPECT_GE(whole, 1u);
  EXPECT_LE(left.size(), size_t{kThreads} * kWrites);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder), {}), 1) << "no temporary file stays";
}

TEST_F(Tuned, DevicesThatMeasureSideBySideLeaveAFileThatIsSound) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 2; ++t)
    threads.emplace_back(
        [&] { EXPECT_EQ(run(Tuning::measure).stats.timed_choices, kConvolutions); });
  for (std::thread& thread : threads)
    thread.join();
  EXPECT_EQ(run(Tuning::cached).stats.timed_choices, kConvolutions);
}

TEST_F(Tuned, TheFileStaysSmall) {
  ConvTimings timings(folder, context->report());
  for (uint32_t t = 0; t < 12; ++t) {
    ConvTactics many;
    for (uint32_t i = 0; i < 1000; ++i)
      many[numbered(t, i)] = {.family = ConvFamily::direct, .pixels = 8};
    timings.keep(many);
    EXPECT_TRUE(kept().contains(numbered(t, 0))) << "the newest are there";
  }
  EXPECT_LE(fs::file_size(file), 1u << 20);
}

TEST_F(Tuned, WithoutAFolderTimingsLastAsLongAsTheDevice) {
  ConvTimings timings("-", context->report());
  EXPECT_FALSE(timings.find(numbered(1, 1)));
  timings.keep({{numbered(1, 1), {.family = ConvFamily::direct, .pixels = 4}}});
  timings.keep({{numbered(1, 2), {.family = ConvFamily::direct, .pixels = 2}}});
  ASSERT_TRUE(timings.find(numbered(1, 1)));
  EXPECT_EQ(timings.find(numbered(1, 1))->pixels, 4u);
  EXPECT_FALSE(ConvTimings("-", context->report()).find(numbered(1, 1)));
}

}  // namespace
}  // namespace vultus::gpu
