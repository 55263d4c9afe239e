#include "models/process/journal.hpp"

#include <fmt/format.h>

#include <cmath>

#include "models/file/bytes.hpp"

namespace vultus {

namespace {

constexpr std::string_view kKind = "VULTJRN";
constexpr uint32_t kVersion = 2, kWithoutBlurAndPts = 1;

Error damaged(const std::string& path, std::string_view what) {
  return {Errc::mismatch, fmt::format("{}: {}; it has to be made again", path, what)};
}

void put(ByteWriter& to, const Rational& r) {
  to.put(r.num);
  to.put(r.den);
}

Rational get_rational(ByteReader& from) {
  Rational r;
  r.num = from.get<int64_t>();
  r.den = from.get<int64_t>();
  return r;
}

void put(ByteWriter& to, const std::optional<double>& number) {
  to.put(number.has_value());
  to.put(number.value_or(0));
}

std::optional<double> get_optional(ByteReader& from) {
  const bool there = from.get<bool>();
  const auto number = from.get<double>();
  return there ? std::optional(number) : std::nullopt;
}

void put(ByteWriter& to, const std::optional<face::Expression>& expression) {
  to.put(expression.has_value());
  if (!expression) return;
  for (float score : expression->action_units)
    to.put(score);
  for (float probability : expression->emotions)
    to.put(probability);
  to.put(expression->gaze_yaw);
  to.put(expression->gaze_pitch);
}

std::optional<face::Expression> get_expression(ByteReader& from) {
  if (!from.get<bool>()) return std::nullopt;
  face::Expression expression;
  for (float& score : expression.action_units)
    score = from.get<float>();
  for (float& probability : expression.emotions)
    probability = from.get<float>();
  expression.gaze_yaw = from.get<float>();
  expression.gaze_pitch = from.get<float>();
  return expression;
}

void put(ByteWriter& to, const FaceRecord& record) {
  const face::TrackedFace& face = record.face;
  to.put(int32_t{face.id});
  to.put(face.score);
  for (double side : {face.box.x1, face.box.y1, face.box.x2, face.box.y2})
    to.put(side);
  to.put(static_cast<uint8_t>(face.landmarks.scheme));
  to.put(static_cast<uint32_t>(face.landmarks.points.size()));
  for (const face::Point& p : face.landmarks.points) {
    to.put(p.x);
    to.put(p.y);
  }
  put(to, record.blur);
  put(to, record.whole);
  put(to, record.left);
  put(to, record.right);
}

FaceRecord get_face(ByteReader& from, uint32_t version) {
  FaceRecord record;
  face::TrackedFace& face = record.face;
  face.id = from.get<int32_t>();
  face.score = from.get<double>();
  for (double* side : {&face.box.x1, &face.box.y1, &face.box.x2, &face.box.y2})
    *side = from.get<double>();
  face.landmarks.scheme = static_cast<face::LandmarkScheme>(from.get<uint8_t>());
  face.landmarks.points.resize(from.get_count(2 * sizeof(double)));
  for (face::Point& p : face.landmarks.points) {
    p.x = from.get<double>();
    p.y = from.get<double>();
  }
  if (version > kWithoutBlurAndPts) record.blur = get_optional(from);
  record.whole = get_expression(from);
  record.left = get_expression(from);
  record.right = get_expression(from);
  return record;
}

}  // namespace

Result<Journal> Journal::create(const std::string& path, const JournalHeader& header) {
  VULTUS_TRY(RecordWriter file, RecordWriter::create(path, kKind));
  ByteWriter bytes;
  bytes.put(kVersion);
  bytes.put_text(header.identity);
  bytes.put(static_cast<uint8_t>(header.scheme));
  bytes.put(int32_t{header.size.width});
  bytes.put(int32_t{header.size.height});
  put(bytes, header.time_base);
  put(bytes, header.frame_rate);
  VULTUS_CHECK(file.append(bytes.bytes()));
  return Journal(std::move(file));
}

Result<Journal> Journal::reopen(const std::string& path, int64_t length) {
  VULTUS_TRY(RecordWriter file, RecordWriter::reopen(path, length));
  return Journal(std::move(file));
}

Result<void> Journal::append(const FrameRecord& record) {
  ByteWriter bytes;
  bytes.put(record.frame);
  put(bytes, record.seconds);
  bytes.put(record.pts);
  bytes.put(record.damaged);
  bytes.put(static_cast<uint32_t>(record.faces.size()));
  for (const FaceRecord& face : record.faces)
    put(bytes, face);
  return file_.append(bytes.bytes());
}

Result<JournalReader> JournalReader::open(const std::string& path, int64_t length) {
  VULTUS_TRY(RecordReader file, RecordReader::open(path, kKind, length));
  JournalReader reader(std::move(file));
  VULTUS_TRY(auto record, reader.file_.next());
  if (!record) return damaged(path, "the journal is empty");
  ByteReader bytes(*record);
  reader.version_ = bytes.get<uint32_t>();
  if (reader.version_ != kVersion && reader.version_ != kWithoutBlurAndPts)
    return damaged(path, "the journal is of another version of this program");
  JournalHeader& header = reader.header_;
  header.identity = bytes.get_text();
  header.scheme = static_cast<face::LandmarkScheme>(bytes.get<uint8_t>());
  header.size.width = bytes.get<int32_t>();
  header.size.height = bytes.get<int32_t>();
  header.time_base = get_rational(bytes);
  header.frame_rate = get_rational(bytes);
  if (!bytes.done() || header.scheme > face::LandmarkScheme::ibug68)
    return damaged(path, "the journal's head is damaged");
  return reader;
}

Result<std::optional<FrameRecord>> JournalReader::next() {
  VULTUS_TRY(auto stored, file_.next());
  if (!stored) return std::optional<FrameRecord>();
  ByteReader bytes(*stored);
  FrameRecord record;
  record.frame = bytes.get<int64_t>();
  record.seconds = get_optional(bytes);
  if (version_ > kWithoutBlurAndPts)
    record.pts = bytes.get<int64_t>();
  else if (record.seconds && header_.time_base.value() > 0)
    record.pts = std::llround(*record.seconds / header_.time_base.value());
  record.damaged = bytes.get<bool>();
  constexpr size_t kLeastBytesOfAFace = 52;
  record.faces.resize(bytes.get_count(kLeastBytesOfAFace));
  bool same_scheme = true;
  for (FaceRecord& face : record.faces) {
    face = get_face(bytes, version_);
    same_scheme &= face.face.landmarks.scheme == header_.scheme;
  }
  if (!bytes.done() || !same_scheme || record.frame != ++frames_)
    return damaged(file_.path(), fmt::format("the record after frame {} is damaged", frames_ - 1));
  return std::optional<FrameRecord>(std::move(record));
}

}  // namespace vultus
