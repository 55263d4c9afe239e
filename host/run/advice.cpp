#include "host/run/advice.hpp"

#include <fmt/format.h>

namespace vultus {

namespace {

constexpr double kMuch = 0.2;       // of a run, where one partition could do better
constexpr double kHandOvers = 0.1;  // of a run, between partitions

double share(double part_ms, const RunFacts& facts) {
  return facts.wall_ms > 0 ? part_ms / facts.wall_ms : 0;
}

}  // namespace

std::optional<std::string> advice_on_waiting(const RunFacts& facts) {
  const double waits = share(facts.host_ms, facts);
  if (!facts.on_gpu || !facts.device_clock || !facts.may_overlap || waits < kMuch) return {};
  return fmt::format(
      "the GPU waits for the host in {:.0f} % of a run ({:.3f} of {:.3f} ms): overlap runs with "
      "--in-flight 2, or give it more at once with a bigger --batch",
      100 * waits, facts.host_ms, facts.wall_ms);
}

std::optional<std::string> advice_on_copies(const RunFacts& facts) {
  const double copies = facts.upload_ms + facts.read_back_ms;
  if (!facts.on_gpu || facts.partitions > 1 || share(copies, facts) < kMuch) return {};
  return fmt::format("copies take {:.0f} % of a run ({:.3f} ms in, {:.3f} ms out): {}",
                     100 * share(copies, facts), facts.upload_ms, facts.read_back_ms,
                     facts.may_overlap
                         ? "--in-flight 2 lets them overlap with computing"
                         : "give the network smaller inputs, or fewer and smaller outputs");
}

std::optional<std::string> advice_on_partitions(const RunFacts& facts) {
  const double hand_overs = facts.upload_ms + facts.read_back_ms + facts.host_ms;
  if (facts.partitions < 2 || share(hand_overs, facts) < kHandOvers) return {};
  return fmt::format(
      "hand-overs between {} partitions take {:.0f} % of a run ({:.3f} of {:.3f} ms): `vultus "
      "plan` "
      "says which nodes part them",
      facts.partitions, 100 * share(hand_overs, facts), hand_overs, facts.wall_ms);
}

std::optional<std::string> advice_on_software(const RunFacts& facts) {
  if (!facts.on_gpu || !facts.software) return {};
  return fmt::format(
      "this Vulkan device is the CPU in disguise, which computes for {:.3f} ms of a run: --device "
      "cpu uses kernels made for it",
      facts.compute_ms);
}

std::optional<std::string> advice_on_threads(const RunFacts& facts) {
  if (!facts.on_cpu || facts.threads >= facts.available_threads) return {};
  return fmt::format(
      "the CPU runs {} of the {} threads that it may: leave --threads out or raise it",
      facts.threads, facts.available_threads);
}

std::optional<std::string> advice_on_tuning(const RunFacts& facts) {
  if (facts.choices == 0 || facts.timed_choices > 0) return {};
  return fmt::format(
      "0 of {} convolutions were timed on this device: --tune keeps the fastest kernel of each",
      facts.choices);
}

std::vector<std::string> advice(const RunFacts& facts) {
  std::vector<std::string> list;
  for (auto* rule : {advice_on_software, advice_on_waiting, advice_on_copies, advice_on_partitions,
                     advice_on_threads, advice_on_tuning})
    if (auto sentence = rule(facts)) list.push_back(*std::move(sentence));
  return list;
}

}  // namespace vultus
