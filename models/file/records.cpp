#include "models/file/records.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

extern "C" {
#include <libavutil/crc.h>
}

namespace vultus {

namespace {

constexpr size_t kKindBytes = 8;
constexpr uint32_t kMostBytes = 1u << 30;
struct Head {
  uint32_t length = 0, crc = 0;
};

uint32_t crc_of(uint32_t length, std::span<const std::byte> bytes) {
  const AVCRC* table = av_crc_get_table(AV_CRC_32_IEEE_LE);
  uint32_t crc = av_crc(table, ~0u, reinterpret_cast<const uint8_t*>(&length), sizeof(length));
  if (bytes.empty()) return ~crc;  // av_crc would read before a null pointer
  return ~av_crc(table, crc, reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
}

}  // namespace

Result<RecordWriter> RecordWriter::create(const std::string& path, std::string_view kind,
                                          const std::string& shown) {
  const std::string name = shown.empty() ? path : shown;
  Descriptor file(
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0666));
  if (file.get() < 0) return unwritable(name, errno);
  std::array<char, kKindBytes> head{};
  std::copy_n(kind.begin(), std::min(kind.size(), kKindBytes), head.begin());
  if (!write_all(file.get(), head.data(), head.size())) return unwritable(name, errno);
  return RecordWriter(name, std::move(file), kKindBytes);
}

Result<RecordWriter> RecordWriter::reopen(const std::string& path, int64_t length,
                                          const std::string& shown) {
  const std::string name = shown.empty() ? path : shown;
  Descriptor file(::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW));
  if (file.get() < 0) return unwritable(name, errno);
  const off_t size = ::lseek(file.get(), 0, SEEK_END);
  if (length < static_cast<int64_t>(kKindBytes) || size < length)
    return Error{Errc::mismatch, fmt::format("{}: {} bytes are left of {}: it has to be made again",
                                             path, size, length)};
  if (::ftruncate(file.get(), length) != 0 || ::lseek(file.get(), length, SEEK_SET) != length)
    return unwritable(name, errno);
  return RecordWriter(name, std::move(file), length);
}

Result<void> RecordWriter::append(std::span<const std::byte> record) {
  if (record.size() > kMostBytes)
    return Error{Errc::internal, shown_ + ": a record of more than 2^30 bytes"};
  const auto length = static_cast<uint32_t>(record.size());
  const Head head{length, crc_of(length, record)};
  // One call, so that a kill rarely cuts a record.
  buffer_.resize(sizeof(head) + record.size());
  std::memcpy(buffer_.data(), &head, sizeof(head));
  std::copy(record.begin(), record.end(), buffer_.begin() + sizeof(head));
  if (!write_all(file_.get(), buffer_.data(), buffer_.size())) return unwritable(shown_, errno);
  length_ += static_cast<int64_t>(buffer_.size());
  return {};
}

Result<void> RecordWriter::sync() {
  if (::fdatasync(file_.get()) != 0) return unwritable(shown_, errno);
  return {};
}

Result<RecordReader> RecordReader::open(const std::string& path, std::string_view kind,
                                        int64_t length) {
  const bool missing = ::access(path.c_str(), F_OK) != 0 && errno == ENOENT;
  Result<OpenFile> opened = open_regular(path);
  if (!opened) return Error{missing ? Errc::bad_input : Errc::unwritable, opened.error().what};
  OpenFile file = std::move(*opened);
  const bool whole = length == std::numeric_limits<int64_t>::max();
  RecordReader reader(path, std::move(file.descriptor), whole ? file.size : length);
  if (file.size < reader.left_) return reader.damaged("it is shorter than it was");
  std::array<char, kKindBytes> head{}, wanted{};
  std::copy_n(kind.begin(), std::min(kind.size(), kKindBytes), wanted.begin());
  VULTUS_CHECK(reader.read(head.data(), head.size()));
  if (head != wanted) return reader.damaged("it is of another kind");
  return reader;
}

Error RecordReader::damaged(std::string_view how) const {
  return {Errc::mismatch, fmt::format("{}: byte {}: {}; it has to be made again", path_, at_, how)};
}

Result<void> RecordReader::read(void* to, size_t count) {
  if (left_ < static_cast<int64_t>(count)) return damaged("the file is cut off");
  char* at = static_cast<char*>(to);
  for (size_t have = 0; have < count;) {
    const ssize_t got = ::read(file_.get(), at + have, count - have);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0)
      return Error{Errc::unwritable, fmt::format("{}: cannot be read: {}", path_, strerror(errno))};
    if (got == 0) return damaged("the file is cut off");
    have += static_cast<size_t>(got);
  }
  at_ += static_cast<int64_t>(count);
  left_ -= static_cast<int64_t>(count);
  return {};
}

Result<std::optional<std::span<const std::byte>>> RecordReader::next() {
  if (left_ == 0) return std::optional<std::span<const std::byte>>();
  Head head;
  VULTUS_CHECK(read(&head, sizeof(head)));
  if (head.length > kMostBytes || head.length > left_) return damaged("a record is cut off");
  record_.resize(head.length);
  VULTUS_CHECK(read(record_.data(), record_.size()));
  if (crc_of(head.length, record_) != head.crc) return damaged("a record is damaged");
  return std::optional<std::span<const std::byte>>(record_);
}

}  // namespace vultus
