#include "models/process/checkpoint.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "models/file/bytes.hpp"
#include "models/file/file.hpp"
#include "models/file/records.hpp"

namespace vultus {

namespace {

using face::CutDetector;
using face::Landmarks;
using face::LandmarkSmoother;
using face::LandmarkTracker;
using face::Tracker;

constexpr std::string_view kKind = "VULTCKP";
constexpr uint32_t kVersion = 4;
constexpr int kMostSide = 4096;  // of a thumbnail

void put(ByteWriter& to, const std::vector<std::string>& lines) {
  to.put(static_cast<uint32_t>(lines.size()));
  for (const std::string& line : lines)
    to.put_text(line);
}

void get(ByteReader& from, std::vector<std::string>& lines) {
  lines.resize(from.get_count(sizeof(uint32_t)));
  for (std::string& line : lines)
    line = from.get_text();
}

void put(ByteWriter& to, const Landmarks& landmarks) {
  to.put(static_cast<uint8_t>(landmarks.scheme));
  to.put(static_cast<uint32_t>(landmarks.points.size()));
  for (const face::Point& p : landmarks.points) {
    to.put(p.x);
    to.put(p.y);
  }
}

void get(ByteReader& from, Landmarks& landmarks) {
  landmarks.scheme = static_cast<face::LandmarkScheme>(from.get<uint8_t>());
  landmarks.points.resize(from.get_count(2 * sizeof(double)));
  for (face::Point& p : landmarks.points) {
    p.x = from.get<double>();
    p.y = from.get<double>();
  }
}

void put(ByteWriter& to, const face::Detection& face) {
  to.put(face.score);
  for (double side : {face.box.x1, face.box.y1, face.box.x2, face.box.y2})
    to.put(side);
  to.put(face.has_points);
  for (const face::Point& p : face.points) {
    to.put(p.x);
    to.put(p.y);
  }
}

void get(ByteReader& from, face::Detection& face) {
  face.score = from.get<double>();
  for (double* side : {&face.box.x1, &face.box.y1, &face.box.x2, &face.box.y2})
    *side = from.get<double>();
  face.has_points = from.get<bool>();
  for (face::Point& p : face.points) {
    p.x = from.get<double>();
    p.y = from.get<double>();
  }
}

void put(ByteWriter& to, const Tracker::Track& track) {
  to.put(int32_t{track.id});
  put(to, track.face);
  to.put(track.lost);
}

void get(ByteReader& from, Tracker::Track& track) {
  track.id = from.get<int32_t>();
  get(from, track.face);
  track.lost = from.get<bool>();
}

void put(ByteWriter& to, const LandmarkSmoother& smoother) {
  const LandmarkSmoother::State& state = smoother.state();
  to.put(state.previous.has_value());
  put(to, state.previous.value_or(Landmarks{}));
  put(to, state.smoothed);
}

void get(ByteReader& from, LandmarkSmoother& smoother) {
  LandmarkSmoother::State state;
  const bool has_previous = from.get<bool>();
  Landmarks previous;
  get(from, previous);
  if (has_previous) state.previous = std::move(previous);
  get(from, state.smoothed);
  smoother.restore(std::move(state));
}

void put(ByteWriter& to, const CutDetector& cuts) {
  const CutDetector::State& state = cuts.state();
  const cv::Mat& grey = state.thumbnail;  // continuous: a result of cvtColor
  to.put(state.usual);
  to.put(int32_t{grey.rows});
  to.put(int32_t{grey.cols});
  to.put_bytes(std::as_bytes(std::span(grey.data, grey.total())));
}

void get(ByteReader& from, CutDetector& cuts) {
  CutDetector::State state;
  state.usual = from.get<double>();
  const int rows = std::clamp(from.get<int32_t>(), 0, kMostSide);
  const int columns = std::clamp(from.get<int32_t>(), 0, kMostSide);
  const auto pixels = from.get_bytes(static_cast<size_t>(rows) * static_cast<size_t>(columns));
  if (!pixels.empty()) {
    state.thumbnail.create(rows, columns, CV_8UC1);
    std::memcpy(state.thumbnail.data, pixels.data(), pixels.size());
  }
  cuts.restore(std::move(state));
}

void put(ByteWriter& to, const Tracker::State& state) {
  to.put(static_cast<uint32_t>(state.tracks.size()));
  for (const Tracker::Track& track : state.tracks)
    put(to, track);
  put(to, state.cuts);
  to.put(int32_t{state.since_search});
  to.put(int32_t{state.next_id});
  to.put(static_cast<uint64_t>(state.most_faces));
}

void get(ByteReader& from, Tracker::State& state) {
  constexpr size_t kLeastBytesOfATrack = 126;
  state.tracks.resize(from.get_count(kLeastBytesOfATrack));
  for (Tracker::Track& track : state.tracks)
    get(from, track);
  get(from, state.cuts);
  state.since_search = from.get<int32_t>();
  state.next_id = from.get<int32_t>();
  state.most_faces = static_cast<size_t>(from.get<uint64_t>());
}

void put(ByteWriter& to, const LandmarkTracker::State& state) {
  put(to, state.tracker);
  to.put(static_cast<uint32_t>(state.smoothers.size()));
  for (const auto& [id, smoother] : state.smoothers) {
    to.put(int32_t{id});
    put(to, smoother);
  }
}

void get(ByteReader& from, LandmarkTracker::State& state) {
  get(from, state.tracker);
  constexpr size_t kLeastBytesOfASmoother = 15;
  for (size_t left = from.get_count(kLeastBytesOfASmoother); left > 0; --left) {
    const int id = from.get<int32_t>();
    get(from, state.smoothers[id]);
  }
}

void put(ByteWriter& to, const VideoState& video) {
  to.put_text(video.file);
  to.put(video.packet_bytes);
  to.put(video.joined);
  to.put(video.summary.frames);
  to.put(video.summary.audio_packets);
  put(to, video.summary.warnings);
}

void get(ByteReader& from, VideoState& video) {
  video.file = from.get_text();
  video.packet_bytes = from.get<int64_t>();
  video.joined = from.get<bool>();
  video.summary.frames = from.get<int64_t>();
  video.summary.audio_packets = from.get<int64_t>();
  get(from, video.summary.warnings);
}

void put(ByteWriter& to, const ReadSummary& read) {
  for (int64_t count : {read.declared_frames, read.decoded_frames, read.damaged_frames,
                        read.trimmed_frames, read.decoder_errors, read.moved_stamps})
    to.put(count);
  put(to, read.missing);
  put(to, read.warnings);
}

void get(ByteReader& from, ReadSummary& read) {
  for (int64_t* count : {&read.declared_frames, &read.decoded_frames, &read.damaged_frames,
                         &read.trimmed_frames, &read.decoder_errors, &read.moved_stamps})
    *count = from.get<int64_t>();
  get(from, read.missing);
  get(from, read.warnings);
}

}  // namespace

Result<void> Checkpoint::save(const std::string& path) const {
  ByteWriter bytes;
  bytes.put(kVersion);
  bytes.put_text(identity);
  bytes.put(frames);
  bytes.put(journal_bytes);
  bytes.put(rendered);
  bytes.put(static_cast<uint32_t>(videos.size()));
  for (const VideoState& video : videos)
    put(bytes, video);
  bytes.put(decoded);
  put(bytes, read);
  put(bytes, tracker);
  for (int64_t count :
       {transfers.uploads, transfers.downloads, transfers.upload_bytes, transfers.download_bytes})
    bytes.put(count);
  bytes.put(seconds);
  bytes.put(int32_t{resumptions});
  bytes.put_text(started);
  {
    VULTUS_TRY(RecordWriter file, RecordWriter::create(path + ".partial", kKind, path));
    VULTUS_CHECK(file.append(bytes.bytes()));
    VULTUS_CHECK(file.sync());
  }
  if (::rename((path + ".partial").c_str(), path.c_str()) != 0 || !sync_folder_of(path))
    return unwritable(path, errno);
  return {};
}

Result<Checkpoint> Checkpoint::load(const std::string& path) {
  const Error damaged{Errc::mismatch, path + ": the checkpoint is damaged or of another version"};
  VULTUS_TRY(RecordReader file, RecordReader::open(path, kKind));
  VULTUS_TRY(auto record, file.next());
  if (!record) return damaged;
  ByteReader bytes(*record);
  if (bytes.get<uint32_t>() != kVersion) return damaged;
  Checkpoint c;
  c.identity = bytes.get_text();
  c.frames = bytes.get<int64_t>();
  c.journal_bytes = bytes.get<int64_t>();
  c.rendered = bytes.get<int64_t>();
  constexpr size_t kLeastBytesOfAVideo = 33;
  c.videos.resize(bytes.get_count(kLeastBytesOfAVideo));
  for (VideoState& video : c.videos)
    get(bytes, video);
  c.decoded = bytes.get<bool>();
  get(bytes, c.read);
  get(bytes, c.tracker);
  for (int64_t* count : {&c.transfers.uploads, &c.transfers.downloads, &c.transfers.upload_bytes,
                         &c.transfers.download_bytes})
    *count = bytes.get<int64_t>();
  c.seconds = bytes.get<double>();
  c.resumptions = bytes.get<int32_t>();
  c.started = bytes.get_text();
  if (!bytes.done() || c.frames < 0 || c.rendered < 0 || c.rendered > c.frames) return damaged;
  return c;
}

}  // namespace vultus
