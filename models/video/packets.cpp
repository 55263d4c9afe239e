#include "models/video/packets.hpp"

#include "models/file/bytes.hpp"

namespace vultus {

namespace {

constexpr std::string_view kKind = "VULTPKT";
constexpr uint32_t kVersion = 1;

Error damaged(const std::string& path) {
  return {Errc::mismatch, path + ": the pictures in it are damaged; it has to be made again"};
}

}  // namespace

Result<PacketWriter> PacketWriter::create(const std::string& path, const PacketTrack& track,
                                          const std::string& shown) {
  VULTUS_TRY(RecordWriter file, RecordWriter::create(path, kKind, shown));
  ByteWriter head;
  head.put(kVersion);
  for (int32_t number : {track.size.width, track.size.height, track.ticks, track.range,
                         track.primaries, track.transfer, track.matrix, track.profile, track.level})
    head.put(number);
  head.put(track.frame_rate.num);
  head.put(track.frame_rate.den);
  head.put_bytes(track.parameters);
  VULTUS_CHECK(file.append(head.bytes()));
  return PacketWriter(std::move(file));
}

Result<PacketWriter> PacketWriter::reopen(const std::string& path, int64_t length,
                                          const std::string& shown) {
  VULTUS_TRY(RecordWriter file, RecordWriter::reopen(path, length, shown));
  return PacketWriter(std::move(file));
}

Result<void> PacketWriter::append(const PacketView& packet) {
  ByteWriter bytes;
  bytes.put(packet.pts);
  bytes.put(packet.duration);
  bytes.put(packet.key);
  bytes.put_bytes(packet.bytes);
  return file_.append(bytes.bytes());
}

Result<PacketReader> PacketReader::open(const std::string& path, int64_t length) {
  VULTUS_TRY(RecordReader file, RecordReader::open(path, kKind, length));
  PacketReader reader(std::move(file));
  VULTUS_TRY(auto record, reader.file_.next());
  if (!record) return damaged(path);
  ByteReader head(*record);
  if (head.get<uint32_t>() != kVersion) return damaged(path);
  PacketTrack& track = reader.track_;
  for (int32_t* number :
       {&track.size.width, &track.size.height, &track.ticks, &track.range, &track.primaries,
        &track.transfer, &track.matrix, &track.profile, &track.level})
    *number = head.get<int32_t>();
  track.frame_rate.num = head.get<int64_t>();
  track.frame_rate.den = head.get<int64_t>();
  const auto parameters = head.get_bytes(head.rest().size());
  track.parameters.assign(parameters.begin(), parameters.end());
  if (!head.done() || track.parameters.empty() || track.ticks < 1) return damaged(path);
  return reader;
}

Result<std::optional<PacketView>> PacketReader::next() {
  VULTUS_TRY(auto record, file_.next());
  if (!record) return std::optional<PacketView>();
  ByteReader bytes(*record);
  PacketView packet;
  packet.pts = bytes.get<int64_t>();
  packet.duration = bytes.get<int64_t>();
  packet.key = bytes.get<bool>();
  packet.bytes = bytes.get_bytes(bytes.rest().size());
  if (!bytes.done() || packet.bytes.empty()) return damaged(file_.path());
  return std::optional<PacketView>(packet);
}

}  // namespace vultus
