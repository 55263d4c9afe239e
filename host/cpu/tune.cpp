#include "host/cpu/tune.hpp"

#include <algorithm>
#include <array>
#include <limits>

#include "host/core/stopwatch.hpp"
#include "host/cpu/builder.hpp"

namespace vultus::cpu {

namespace {

constexpr size_t kRounds = 24, kLeastRounds = 4;
constexpr double kBudgetMs = 20000;
/// Another form must be that much faster than the rule's to be used, in both halves of the rounds:
/// less, or once, may be noise.
constexpr double kClearly = 0.97;
constexpr size_t kHalves = 2;

/// The partition with one form for each convolution, and the shortest time of every node in either
/// half of the rounds.
struct Trial {
  Program program;
  std::array<std::map<NodeId, double>, kHalves> ms = {};

  Result<void> run(const dnnl::stream& stream, size_t half) {
    std::map<NodeId, double> now;
    for (Step& step : program.steps) {
      Stopwatch watch;
      VULTUS_CHECK(execute(step, stream));
      now[step.node] += watch.lap_ms();
    }
    for (auto [node, time] : now) {
      double& shortest = ms[half].emplace(node, time).first->second;
      shortest = std::min(shortest, time);
    }
    return {};
  }
};

/// Of all convolutions with one key.
struct KeyTimes {
  ConvForm form = ConvForm::any;
  std::array<double, kHalves> ms = {};
};

std::map<std::string, KeyTimes> times_of(const Trial& trial) {
  std::map<std::string, KeyTimes> times;
  for (const ConvChoice& choice : trial.program.choices) {
    KeyTimes& sum = times[choice.key];
    sum.form = choice.used;
    for (size_t half = 0; half < kHalves; ++half)
      for (NodeId node : choice.nodes)
        // The second of a pair in one step has no time of its own.
        if (auto at = trial.ms[half].find(node); at != trial.ms[half].end())
          sum.ms[half] += at->second;
  }
  return times;
}

/// The fastest form of each key; the first trial is the rule's.
ConvForms fastest_of(const std::vector<Trial>& trials) {
  const auto rule = times_of(trials[0]);
  ConvForms fastest;
  for (const auto& [key, times] : rule)
    fastest[key] = times.form;
  std::map<std::string, double> lowest;
  for (const Trial& trial : trials)
    for (const auto& [key, times] : times_of(trial)) {
      const auto known = rule.find(key);
      if (known == rule.end() || times.form == known->second.form) continue;
      const KeyTimes& by_rule = known->second;
      double ratio = 0;
      for (size_t half = 0; half < kHalves; ++half)
        ratio = std::max(ratio, times.ms[half] / by_rule.ms[half]);
      double& best = lowest.emplace(key, kClearly).first->second;
      if (!(ratio < best)) continue;
      best = ratio;
      fastest[key] = times.form;
    }
  return fastest;
}

/// Every trial by turns, in two halves of equal length within the budget. False: the network does
/// not run on the numbers that happen to be in memory, so nothing can be timed.
Result<bool> run_all(std::vector<Trial>& trials, dnnl::stream& stream) {
  Stopwatch watch;
  size_t rounds = kRounds;
  for (size_t round = 0; round < rounds; ++round) {
    for (Trial& trial : trials)
      if (auto done = trial.run(stream, round * kHalves / rounds); !done) {
        if (done.error().code == Errc::out_of_memory) return done.error();
        return false;
      }
    if (round > 0) continue;
    const double affordable = std::min(kBudgetMs / std::max(watch.lap_ms(), 1.0), 1e3);
    rounds = std::clamp(static_cast<size_t>(affordable) / kHalves * kHalves, kLeastRounds, kRounds);
  }
  return true;
}

/// The forms beside the rule's of every convolution that was not timed yet.
std::map<std::string, std::vector<ConvForm>> others(const Program& by_rule, ConvTimings& timings) {
  std::map<std::string, std::vector<ConvForm>> list;
  for (const ConvChoice& choice : by_rule.choices) {
    if (timings.find(choice.key)) continue;
    std::vector<ConvForm> forms = choice.forms;
    std::erase(forms, choice.used);
    list[choice.key] = std::move(forms);
  }
  return list;
}

}  // namespace

Result<void> tune(const Graph& graph, const PartitionSpec& spec, const dnnl::engine& engine,
                  ConvTimings& timings) {
  // Trials run on zeros: nobody has written what is shared.
  PartitionSpec alone = spec;
  for (const PartitionSpec::Shared& shared : spec.shared)
    alone.inputs.push_back(shared.value);
  alone.shared.clear();
  auto build = [&](const ConvWish& wish) -> Result<Trial> {
    VULTUS_TRY(Program program, Builder(graph, alone, engine, wish).finish());
    return Trial{std::move(program)};
  };
  std::vector<Trial> trials;
  VULTUS_TRY(Trial by_rule, build([](const std::string&) { return std::nullopt; }));
  const auto untimed = others(by_rule.program, timings);
  if (untimed.empty()) return {};
  size_t most = 0;
  for (const auto& [key, forms] : untimed)
    most = std::max(most, forms.size());
  trials.push_back(std::move(by_rule));
  for (size_t i = 0; i < most; ++i) {
    VULTUS_TRY(Trial trial, build([&](const std::string& key) -> std::optional<ConvForm> {
                 auto at = untimed.find(key);
                 if (at == untimed.end() || i >= at->second.size()) return {};
                 return at->second[i];
               }));
    trials.push_back(std::move(trial));
  }
  dnnl::stream stream(engine);
  VULTUS_TRY(bool ran, run_all(trials, stream));
  if (!ran) return {};
  ConvForms fastest = fastest_of(trials);
  std::erase_if(fastest, [&](const auto& entry) { return !untimed.contains(entry.first); });
  timings.keep(fastest);
  return {};
}

}  // namespace vultus::cpu
