// Aspect ratio, closure, blinks and closed eyes.
#include <gtest/gtest.h>

#include "models/measure/eyes.hpp"
#include "tests/models/clip_records.hpp"
#include "tests/models/synthetic_face.hpp"

namespace vultus::measure {
namespace {

/// Openness of both eyes as time goes by.
std::vector<FrameRecord> eyes_video(const std::vector<double>& seconds,
                                    const std::function<double(double)>& right,
                                    const std::function<double(double)>& left) {
  return video_of(seconds, [&](double at) {
    SyntheticFace face;
    face.gap_right = right(at);
    face.gap_left = left(at);
    return face;
  });
}

struct Visit {
  FrameRecord record;
  std::vector<FaceMeasures> faces;
};
std::vector<Visit> measured(const std::vector<FrameRecord>& video,
                            const MeasureOptions& options = synthetic_options()) {
  std::vector<Visit> visits;
  const Survey tracks = survey(source_of(video), options).value();
  const auto done = for_each_measured(source_of(video), options, tracks,
                                      [&](const FrameRecord& record, auto faces) -> Result<void> {
                                        visits.push_back({record, {faces.begin(), faces.end()}});
                                        return {};
                                      });
  EXPECT_TRUE(done) << done.error().what;
  return visits;
}

constexpr double kOpenGap = 10, kShutGap = 1;
auto open_but(double from, double to) {
  return [=](double at) { return at >= from && at < to ? kShutGap : kOpenGap; };
}
auto always_open() {
  return [](double) { return kOpenGap; };
}

TEST(EyeAspectRatio, IsTheMeanGapOverTheWidth) {
  SyntheticFace face;
  face.gap_right = 6;
  const double width = std::hypot(28, 1);
  const auto& right = Sides{}.half(LandmarkScheme::wflw98, Side::right);
  const auto& left = Sides{}.half(LandmarkScheme::wflw98, Side::left);
  const Landmarks points = place(face, {3, 0.4, {600, 300}});
  EXPECT_NEAR(*eye_aspect_ratio(points, right), 6 / width, 1e-9);
  EXPECT_NEAR(*eye_aspect_ratio(points, left), 10 / width, 1e-9);
  EXPECT_FALSE(eye_aspect_ratio({}, right));
  EXPECT_FALSE(eye_aspect_ratio(place(face, {0.01}), right)) << "corners less than a pixel apart";
}

TEST(EyeClosure, GoesFromOpenToShut) {
  EXPECT_DOUBLE_EQ(eye_closure(0.3, 0.3), 0);
  EXPECT_DOUBLE_EQ(eye_closure(0.5, 0.3), 0);
  EXPECT_DOUBLE_EQ(eye_closure(kShutShare * 0.3, 0.3), 1);
  EXPECT_DOUBLE_EQ(eye_closure(0, 0.3), 1);
  EXPECT_NEAR(eye_closure((1 + kShutShare) / 2 * 0.3, 0.3), 0.5, 1e-12);
}

TEST(Blinks, AShortClosureIsABlinkAndALongOneIsNot) {
  // The left eye blinks for 0.2 s, the right closes for 0.8 s.
  const auto visits = measured(eyes_video(times(0, 4, 30), open_but(2, 2.8), open_but(2, 2.2)));
  ASSERT_EQ(visits.size(), 120u);
  for (const Visit& visit : visits) {
    const double at = *visit.record.seconds;
    SCOPED_TRACE(at);
    const FaceMeasures& face = visit.faces.at(0);
    ASSERT_TRUE(face.right.au43 && face.right.au45 && face.left.au43 && face.left.au45);
    const bool right_shut = at >= 2 && at < 2.8, left_shut = at >= 2 && at < 2.2;
    EXPECT_EQ(*face.right.au43, right_shut ? 1 : 0);
    EXPECT_EQ(*face.right.au45, 0);
    EXPECT_EQ(*face.left.au43, 0);
    EXPECT_EQ(*face.left.au45, left_shut ? 1 : 0);
  }
}

TEST(Blinks, DurationIsTakenFromTimeStampsNotFromFrames) {
  // Six frames shut: 0.2 s at 30 a second, 0.6 s at 10 a second.
  std::vector<double> uneven = times(0, 2, 30);
  const double change = uneven.back() + 0.1;
  for (int i = 0; i < 30; ++i)
    uneven.push_back(change + 0.1 * i);
  auto gap = [&](double at) {
    const auto i = std::lower_bound(uneven.begin(), uneven.end(), at - 1e-9) - uneven.begin();
    return (i >= 20 && i < 26) || (i >= 70 && i < 76) ? kShutGap : kOpenGap;
  };
  const auto visits = measured(eyes_video(uneven, gap, gap));
  for (size_t i = 20; i < 26; ++i)
    EXPECT_EQ(*visits[i].faces[0].left.au45, 1);
  for (size_t i = 70; i < 76; ++i) {
    EXPECT_EQ(*visits[i].faces[0].left.au45, 0);
    EXPECT_EQ(*visits[i].faces[0].left.au43, 1);
  }
}

TEST(Blinks, HalfASecondIsTheBorder) {
  for (auto [frames, blink] : {std::pair{4, true}, std::pair{5, false}}) {
    const auto visits =
        measured(eyes_video(times(0, 6, 10), open_but(2.95, 2.95 + 0.1 * frames), always_open()));
    EXPECT_EQ(*visits[30].faces[0].right.au45, blink ? 1 : 0) << frames;
    EXPECT_EQ(*visits[30].faces[0].right.au43, blink ? 0 : 1) << frames;
  }
}

TEST(Blinks, EveryFrameIsVisitedOnceInOrderAndTheScoresSumToTheClosure) {
  auto wave = [](double at) { return 5.5 + 4.5 * std::cos(3 * at); };
  const auto visits = measured(eyes_video(times(0, 9, 25), wave, open_but(8, 99)));
  ASSERT_EQ(visits.size(), 225u);
  for (size_t i = 0; i < visits.size(); ++i) {
    EXPECT_EQ(visits[i].record.frame, static_cast<int64_t>(i) + 1);
    for (Side side : {Side::left, Side::right}) {
      const EyeMeasures& eye = visits[i].faces[0].eye(side);
      EXPECT_DOUBLE_EQ(*eye.au43 + *eye.au45, *eye.closure);
    }
  }
}

TEST(Blinks, ANodThatLooksLikeABlinkIsNotMeasured) {
  auto video = eyes_video(times(0, 3, 30), open_but(1, 1.2), open_but(1, 1.2));
  // The lids come together while the head is 35 degrees down.
  for (FrameRecord& record : video)
    if (*record.seconds >= 0.9 && *record.seconds < 1.3)
      for (const ModelPoint& point : head_model(LandmarkScheme::wflw98))
        record.faces[0].face.landmarks.points[static_cast<size_t>(point.landmark)] =
            Placement{}.at +
            2 * Point(point.mm.x, std::cos(0.61) * point.mm.y - std::sin(0.61) * point.mm.z);
  int voided = 0;
  for (const Visit& visit : measured(video)) {
    const FaceMeasures& face = visit.faces[0];
    if (*visit.record.seconds < 0.9 || *visit.record.seconds >= 1.3) {
      EXPECT_EQ(face.left.au45, 0);
      continue;
    }
    EXPECT_TRUE(face.quality.has(Flag::pitch));
    EXPECT_FALSE(face.left.au45);
    EXPECT_FALSE(face.left.closure);
    EXPECT_TRUE(face.left.ear);
    ++voided;
  }
  EXPECT_EQ(voided, 12);
}

TEST(Blinks, ANarrowEyeIsNotTakenForABlinkAndOneThatNeverOpensNotForOpen) {
  const auto narrow = measured(eyes_video(
      times(0, 3, 30), [](double) { return 6.5; }, [](double) { return 3.0; }));
  for (const Visit& visit : narrow) {
    EXPECT_EQ(*visit.faces[0].right.closure, 0);
    EXPECT_EQ(*visit.faces[0].left.closure, 1);
  }
}

TEST(Blinks, ShortTracksAndPicturesHaveNoScores) {
  for (const Visit& visit : measured(eyes_video(times(0, 0.4, 30), always_open(), always_open()))) {
    EXPECT_TRUE(visit.faces[0].left.ear);
    EXPECT_FALSE(visit.faces[0].left.au45);
  }
  auto untimed = eyes_video(times(0, 2, 30), always_open(), always_open());
  for (FrameRecord& record : untimed)
    record.seconds.reset();
  for (const Visit& visit : measured(untimed)) {
    EXPECT_TRUE(visit.faces[0].left.closure);
    EXPECT_FALSE(visit.faces[0].left.au45);
  }
}

TEST(Blinks, AFaceThatIsLostInABlinkEndsIt) {
  auto video = eyes_video(times(0, 4, 30), open_but(2, 9), open_but(2, 9));
  for (size_t i = 66; i < video.size(); ++i)
    video[i].faces.clear();
  const auto visits = measured(video);
  ASSERT_EQ(visits.size(), 120u);
  EXPECT_EQ(*visits[62].faces[0].left.au45, 1);
  EXPECT_TRUE(visits[70].faces.empty());
}

TEST(Blinks, AnErrorOfTheVisitorEndsThePass) {
  const auto video = eyes_video(times(0, 4, 30), always_open(), always_open());
  int visited = 0;
  const auto done = for_each_measured(source_of(video), synthetic_options(), {},
                                      [&](const FrameRecord&, auto) -> Result<void> {
                                        if (++visited == 7) return Error{Errc::unwritable, "full"};
                                        return {};
                                      });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().what, "full");
  EXPECT_EQ(visited, 7);
}

TEST(BlinksOfClips, ASignersBlinkIsFoundAndOpenEyesAreNoBlinks) {
  const auto& records = test::clip_records("intel_asl_10s.mp4");
  VULTUS_NEED_CLIP(records);
  const MeasureOptions options{{640, 480}, {}, kUsualPupilDistance};
  std::vector<int64_t> shut;
  for (const Visit& visit : measured(records, options))
    for (size_t i = 0; i < visit.faces.size(); ++i) {
      const EyeMeasures& eye = visit.faces[i].left;
      if (visit.record.faces[i].face.id < 4 && eye.au45 && *eye.au45 > 0.7)
        shut.push_back(visit.record.frame);
    }
  std::string frames;
  for (int64_t frame : shut)
    frames += fmt::format("{} ", frame);
  RecordProperty("shut", frames);
  auto has = [&](int64_t frame) { return std::ranges::count(shut, frame) > 0; };
  // Seen in the pictures: eyes shut at 295-296, open at 40, 70, 120, 135, 255, 290.
  EXPECT_TRUE(has(295) && has(296)) << frames;
  for (int64_t open : {40, 70, 120, 135, 255, 290})
    EXPECT_FALSE(has(open)) << frames;
}

}  // namespace
}  // namespace vultus::measure
