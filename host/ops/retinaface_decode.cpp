#include "host/ops/retinaface_decode.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <span>

#include "host/ops/attribute_types.hpp"

namespace vultus {

namespace {

struct Level {
  int64_t step;
  std::array<float, 2> sizes;
};
constexpr std::array<Level, 3> kLevels{{{8, {16, 32}}, {16, {64, 128}}, {32, {256, 512}}}};

int64_t cells(int64_t size, int64_t step) {
  return (size + step - 1) / step;
}

int64_t priors_of(const Level& level, int64_t height, int64_t width) {
  return 2 * cells(height, level.step) * cells(width, level.step);
}

struct Candidate {
  double score;
  double x1, y1, x2, y2;
  int64_t prior;
};

/// The outputs of the network, a row a prior.
struct Rows {
  const float *loc, *conf, *landms;
};

/// The two of a row sum to one. Near one fp16 cannot tell neighbouring priors apart; near zero it
/// can.
double score_of(const float* conf) {
  return conf[1] > 0.5f ? 1 - double{conf[0]} : double{conf[1]};
}

/// Whether the prior gives a face, which is then in `to`.
bool decode(const RetinaFaceDecode& d, const Rows& rows, int64_t i, Candidate& to) {
  const double score = score_of(rows.conf + 2 * i);
  if (!(score > double{d.score_threshold}) || !std::isfinite(score)) return false;
  const RetinaFacePrior prior = retinaface_prior(d.height, d.width, i);
  const float* loc = rows.loc + 4 * i;
  const double move = 0.1 * double{prior.size};
  const double x = double{prior.x} + double{loc[0]} * move;
  const double y = double{prior.y} + double{loc[1]} * move;
  const double w = double{prior.size} * std::exp(double{loc[2]} * 0.2);
  const double h = double{prior.size} * std::exp(double{loc[3]} * 0.2);
  to = {score, x - w / 2, y - h / 2, x + w / 2, y + h / 2, i};
  return std::ranges::all_of(std::array{to.x1, to.y1, to.x2, to.y2},
                             [](double v) { return std::isfinite(static_cast<float>(v)); });
}

/// Overlap in whole pixels, as the reference code counts them.
double overlap(const Candidate& a, const Candidate& b) {
  const double width = std::max(0.0, std::min(a.x2, b.x2) - std::max(a.x1, b.x1) + 1);
  const double height = std::max(0.0, std::min(a.y2, b.y2) - std::max(a.y1, b.y1) + 1);
  const double shared = width * height;
  const double all =
      (a.x2 - a.x1 + 1) * (a.y2 - a.y1 + 1) + (b.x2 - b.x1 + 1) * (b.y2 - b.y1 + 1) - shared;
  return all > 0 ? shared / all : 0;
}

void write_row(const RetinaFaceDecode& d, const Rows& rows, const Candidate& face, float* to) {
  to[0] = static_cast<float>(face.x1);
  to[1] = static_cast<float>(face.y1);
  to[2] = static_cast<float>(face.x2);
  to[3] = static_cast<float>(face.y2);
  to[4] = static_cast<float>(face.score);
  const RetinaFacePrior prior = retinaface_prior(d.height, d.width, face.prior);
  const double move = 0.1 * double{prior.size};
  for (int64_t k = 0; k < 10; ++k)
    to[5 + k] = static_cast<float>(double{k % 2 == 0 ? prior.x : prior.y} +
                                   double{rows.landms[10 * face.prior + k]} * move);
  to[15] = static_cast<float>(face.prior);
}

Result<void> run(Eval& node, const RetinaFaceDecode& d) {
  const Rows rows{node.in[0].as<const float>().data(), node.in[1].as<const float>().data(),
                  node.in[2].as<const float>().data()};
  const int64_t priors = node.in[0].shape[1];
  auto* candidates = reinterpret_cast<Candidate*>(node.scratch);
  int64_t count = 0;
  for (int64_t i = 0; i < priors; ++i)
    count += decode(d, rows, i, candidates[count]) ? 1 : 0;
  std::sort(candidates, candidates + count, [](const Candidate& a, const Candidate& b) {
    return a.score != b.score ? a.score > b.score : a.prior < b.prior;
  });
  // Those that stay move to the front, where candidates have been looked at.
  int64_t kept = 0;
  for (int64_t next = 0; next < count && kept < d.most; ++next) {
    const Candidate& face = candidates[next];
    const bool covered = std::any_of(candidates, candidates + kept, [&](const Candidate& better) {
      return overlap(better, face) > double{d.nms_threshold};
    });
    if (!covered) candidates[kept++] = face;
  }
  float* out = node.out[0].as<float>().data();
  for (int64_t r = 0; r < d.most; ++r) {
    float* row = out + r * kRetinaFaceRow;
    std::fill(row, row + kRetinaFaceRow, 0.0f);
    row[15] = -1;
    if (r < kept) write_row(d, rows, candidates[r], row);
  }
  return {};
}

Result<void> infer(Infer& node) {
  VULTUS_CHECK(node.expect_inputs(3, 3));
  VULTUS_TRY(RetinaFaceDecode d, retinaface_decode_of(node.node()));
  const int64_t priors = retinaface_prior_count(d.height, d.width);
  const std::array<int64_t, 3> widths{4, 2, 10};
  for (size_t i = 0; i < 3; ++i) {
    VULTUS_CHECK(node.expect_type(i, {DType::f32}));
    if (node.shape(i) != Shape{1, priors, widths[i]})
      return node.fail(fmt::format("input {} is {}, a picture of {}x{} needs 1x{}x{}", i,
                                   node.shape(i).str(), d.width, d.height, priors, widths[i]));
  }
  return node.set(0, DType::f32, {d.most, kRetinaFaceRow});
}

Result<Prepared> prepare(const Eval& node) {
  VULTUS_TRY(RetinaFaceDecode d, retinaface_decode_of(node.node));
  return Prepared{[d](Eval& eval) { return run(eval, d); },
                  node.in[0].shape[1] * int64_t{sizeof(Candidate)} + int64_t{sizeof(Candidate)}};
}

const Register retinaface_decode({.name = "RetinaFaceDecode",
                                  .infer = infer,
                                  .prepare = prepare,
                                  .limits = "ours: boxes, points and suppression of RetinaFace"});

}  // namespace

int64_t retinaface_prior_count(int64_t height, int64_t width) {
  int64_t count = 0;
  for (const Level& level : kLevels)
    count += priors_of(level, height, width);
  return count;
}

RetinaFacePrior retinaface_prior(int64_t height, int64_t width, int64_t index) {
  for (const Level& level : kLevels) {
    const int64_t here = priors_of(level, height, width);
    if (index >= here) {
      index -= here;
      continue;
    }
    const int64_t cell = index / 2, across = cells(width, level.step);
    const auto step = static_cast<float>(level.step);
    return {(static_cast<float>(cell % across) + 0.5f) * step,
            (static_cast<float>(cell / across) + 0.5f) * step,
            level.sizes[static_cast<size_t>(index % 2)]};
  }
  return {};
}

Result<RetinaFaceDecode> retinaface_decode_of(const Node& node) {
  for (const char* key : {"height", "width", "most"})
    VULTUS_CHECK(expect_attribute<int64_t>(node, key));
  for (const char* key : {"score_threshold", "nms_threshold"})
    VULTUS_CHECK(expect_attribute<float>(node, key));
  RetinaFaceDecode d;
  d.height = node.integer("height", 0);
  d.width = node.integer("width", 0);
  d.most = node.integer("most", 0);
  d.score_threshold = node.real("score_threshold", d.score_threshold);
  d.nms_threshold = node.real("nms_threshold", d.nms_threshold);
  constexpr int64_t kLongest = 1 << 14, kMost = 4096;
  if (d.height < 1 || d.width < 1 || d.height > kLongest || d.width > kLongest || d.most < 1 ||
      d.most > kMost)
    return fail(node, fmt::format("height {} and width {} must be 1 to {}, most {} 1 to {}",
                                  d.height, d.width, kLongest, d.most, kMost));
  if (!(d.score_threshold >= 0 && d.nms_threshold >= 0))
    return fail(node, fmt::format("thresholds {} and {} must be 0 or more", d.score_threshold,
                                  d.nms_threshold));
  return d;
}

}  // namespace vultus
