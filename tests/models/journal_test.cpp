// Records and journals: exact, streamed, and refused when damaged in any way.
#include "models/process/journal.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <random>
#include <sstream>

#include "models/file/bytes.hpp"
#include "tests/support/temporary_folder.hpp"

namespace vultus {
namespace {

namespace fs = std::filesystem;

const JournalHeader kHeader{
    "program, settings, source", face::LandmarkScheme::ibug68, {1920, 1081}, {1, 90000}, {25, 1}};

constexpr int kPoints = 3;  // few: files are cut at every byte

face::Expression an_expression(float seed) {
  face::Expression e;
  for (size_t i = 0; i < e.action_units.size(); ++i)
    e.action_units[i] = seed / static_cast<float>(i + 3);
  e.emotions.fill(seed);
  e.gaze_yaw = -seed;
  e.gaze_pitch = std::numeric_limits<float>::denorm_min();
  return e;
}

FrameRecord a_record(int64_t frame) {
  FrameRecord record{frame, static_cast<double>(frame) / 3, frame % 4 == 3, {}};
  for (int id = 0; id < frame % 3; ++id) {
    FaceRecord face{{id * 7, 1.0 / 3, {0.1, -2e300, 5, std::nan("")}, {}}, {}, {}, {}};
    face.face.landmarks.scheme = face::LandmarkScheme::ibug68;
    for (int i = 0; i < kPoints; ++i)
      face.face.landmarks.points.emplace_back(i / 7.0, -0.0);
    face.whole = an_expression(0.3f);
    if (id == 0) face.blur = 1.0 / 7;
    if (id == 1) face.right = an_expression(0.7f);
    record.faces.push_back(face);
  }
  if (frame == 5) record.seconds.reset();
  record.pts = (int64_t{1} << 62) / frame;
  return record;
}

/// Equal bit for bit: what is written of both is the same.
std::string bytes_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

class JournalTest : public ::testing::Test {
 protected:
  std::string path(const std::string& name) const { return (root_ / name).string(); }
  int64_t write(const std::string& name, int64_t frames) const {
    Journal journal = Journal::create(path(name), kHeader).value();
    for (int64_t frame = 1; frame <= frames; ++frame)
      journal.append(a_record(frame)).value();
    journal.sync().value();
    return journal.length();
  }
  void spoil(const std::string& name, const std::string& bytes) const {
    std::ofstream(root_ / name, std::ios::binary) << bytes;
  }
  /// Frames read until the end, or the error.
  static Result<int64_t> read(const std::string& file) {
    VULTUS_TRY(JournalReader reader, JournalReader::open(file));
    for (int64_t frames = 0;; ++frames) {
      VULTUS_TRY(auto record, reader.next());
      if (!record) return frames;
    }
  }
  const test::TemporaryFolder temporary_;
  const fs::path root_ = temporary_.path();
};

TEST_F(JournalTest, TheVersionBeforeIsReadWithTimesOfItsTimeBase) {
  RecordWriter file = RecordWriter::create(path("old"), "VULTJRN").value();
  ByteWriter head, frame;
  head.put(uint32_t{1});
  head.put_text("identity");
  head.put(static_cast<uint8_t>(face::LandmarkScheme::ibug68));
  for (int32_t side : {640, 480})
    head.put(side);
  for (int64_t number : {1, 90000, 25, 1})
    head.put(number);
  ASSERT_TRUE(file.append(head.bytes()));
  frame.put(int64_t{1});
  frame.put(true);
  frame.put(0.25);
  frame.put(false);
  frame.put(uint32_t{1});
  frame.put(int32_t{7});
  for (double number : {0.9, 1.0, 2.0, 3.0, 4.0})
    frame.put(number);
  frame.put(static_cast<uint8_t>(face::LandmarkScheme::ibug68));
  frame.put(uint32_t{0});
  for (int i = 0; i < 3; ++i)
    frame.put(false);
  ASSERT_TRUE(file.append(frame.bytes()));
  ASSERT_TRUE(file.sync());
  JournalReader reader = JournalReader::open(path("old")).value();
  const auto record = reader.next();
  ASSERT_TRUE(record && *record) << record.error().what;
  EXPECT_EQ((*record)->pts, 22500);
  ASSERT_EQ((*record)->faces.size(), 1u);
  EXPECT_EQ((*record)->faces[0].face.id, 7);
  EXPECT_FALSE((*record)->faces[0].blur);
}

TEST_F(JournalTest, RecordsComeBackBitForBit) {
  write("a", 9);
  JournalReader reader = JournalReader::open(path("a")).value();
  EXPECT_EQ(reader.header(), kHeader);
  Journal copy = Journal::create(path("b"), reader.header()).value();
  for (int64_t frame = 1; frame <= 9; ++frame) {
    FrameRecord record = reader.next().value().value();
    EXPECT_EQ(record.frame, frame);
    EXPECT_EQ(record.seconds.has_value(), frame != 5);
    EXPECT_EQ(record.damaged, frame % 4 == 3);
    ASSERT_EQ(record.faces.size(), static_cast<size_t>(frame % 3));
    for (const FaceRecord& face : record.faces) {
      EXPECT_EQ(face.face.score, 1.0 / 3);
      EXPECT_TRUE(std::isnan(face.face.box.y2));
      EXPECT_EQ(face.face.landmarks[kPoints - 1].x, (kPoints - 1) / 7.0);
      EXPECT_EQ(face.whole->emotions[3], 0.3f);
      EXPECT_FALSE(face.left);
    }
    ASSERT_TRUE(copy.append(record));
  }
  EXPECT_FALSE(reader.next().value());
  EXPECT_EQ(bytes_of(root_ / "a"), bytes_of(root_ / "b"));
}

TEST_F(JournalTest, WritingGoesOnWhereItWasCutOff) {
  write("whole", 8);
  const int64_t length = write("cut", 5);
  std::ofstream(root_ / "cut", std::ios::app | std::ios::binary) << "half a record";
  {
    Journal journal = Journal::reopen(path("cut"), length).value();
    for (int64_t frame = 6; frame <= 8; ++frame)
      ASSERT_TRUE(journal.append(a_record(frame)));
  }
  EXPECT_EQ(bytes_of(root_ / "cut"), bytes_of(root_ / "whole"));
  EXPECT_EQ(Journal::reopen(path("cut"), 1 << 20).error().code, Errc::mismatch);
  EXPECT_EQ(Journal::reopen(path("none"), length).error().code, Errc::unwritable);
}

TEST_F(JournalTest, OneCutOffAnywhereIsRefusedExceptBetweenRecords) {
  write("whole", 4);
  const std::string whole = bytes_of(root_ / "whole");
  std::vector<int64_t> good;
  for (size_t length = 0; length <= whole.size(); ++length) {
    spoil("cut", whole.substr(0, length));
    Result<int64_t> frames = read(path("cut"));
    if (frames)
      good.push_back(*frames);
    else
      EXPECT_EQ(frames.error().code, Errc::mismatch) << frames.error().what;
  }
  EXPECT_EQ(good, (std::vector<int64_t>{0, 1, 2, 3, 4}));
}

TEST_F(JournalTest, EveryFlippedBitIsFound) {
  write("whole", 3);
  const std::string whole = bytes_of(root_ / "whole");
  std::mt19937 random(7);
  for (size_t at = 0; at < whole.size(); ++at) {
    std::string flipped = whole;
    flipped[at] = static_cast<char>(flipped[at] ^ (1 << random() % 8));
    spoil("flipped", flipped);
    Result<int64_t> frames = read(path("flipped"));
    ASSERT_FALSE(frames) << "byte " << at;
    EXPECT_EQ(frames.error().code, Errc::mismatch);
    EXPECT_NE(frames.error().what.find("flipped"), std::string::npos);
  }
}

TEST_F(JournalTest, RecordsWithAGoodSumAndBadContentAreRefused) {
  write("whole", 3);
  std::mt19937 random(11);
  for (int round = 0; round < 300; ++round) {
    RecordReader reader = RecordReader::open(path("whole"), "VULTJRN").value();
    RecordWriter writer = RecordWriter::create(path("bad"), "VULTJRN").value();
    const int victim = static_cast<int>(random() % 4);
    for (int i = 0; auto record = reader.next().value(); ++i) {
      std::vector<std::byte> bytes(record->begin(), record->end());
      if (i == victim) bytes.resize(random() % bytes.size());
      ASSERT_TRUE(writer.append(bytes));
    }
    ASSERT_FALSE(read(path("bad"))) << "round " << round;
  }
}

TEST_F(JournalTest, AMissingOrForeignFileIsRefused) {
  EXPECT_EQ(read(path("none")).error().code, Errc::bad_input);
  spoil("foreign", "VULTPKT and more");
  EXPECT_EQ(read(path("foreign")).error().code, Errc::mismatch);
}

TEST(Bytes, ReadingPastTheEndGivesNothingAndIsRemembered) {
  ByteWriter writer;
  writer.put(1.5);
  writer.put_text("name");
  writer.put(uint32_t{1000000});
  ByteReader good(writer.bytes());
  EXPECT_EQ(good.get<double>(), 1.5);
  EXPECT_EQ(good.get_text(), "name");
  EXPECT_EQ(good.get_count(8), 0u) << "a million things do not fit";
  EXPECT_FALSE(good.done());
  ByteReader brief(writer.bytes().first(10));
  EXPECT_EQ(brief.get<double>(), 1.5);
  EXPECT_EQ(brief.get_text(), "");
  EXPECT_EQ(brief.get<int>(), 0);
  EXPECT_FALSE(brief.done());
}

}  // namespace
}  // namespace vultus
