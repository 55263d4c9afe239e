#include "host/onnx/weights.hpp"

#include <algorithm>

namespace vultus {

namespace {

// Field numbers of onnx.proto.
constexpr uint64_t kGraph = 7, kInitializer = 5, kRawData = 9;
constexpr uint64_t kVarint = 0, kFixed64 = 1, kDelimited = 2, kFixed32 = 5;
constexpr uint64_t kLarge = 1024;

/// Bytes of a source, through a window that moves along.
class Window {
 public:
  explicit Window(const ByteSource& source) : source_(source) {}

  std::optional<uint8_t> at(uint64_t offset) {
    if (offset < begin_ || offset >= begin_ + bytes_.size()) {
      if (offset >= source_.size()) return {};
      bytes_.resize(std::min<uint64_t>(kBytes, source_.size() - offset));
      begin_ = offset;
      if (!source_.read(begin_, bytes_)) {
        bytes_.clear();
        return {};
      }
    }
    return static_cast<uint8_t>(bytes_[offset - begin_]);
  }
  bool append_to(std::string& text, ByteRange range) const {
    const size_t before = text.size();
    text.resize(before + range.size);
    return source_.read(range.offset,
                        std::as_writable_bytes(std::span(text.data() + before, range.size)));
  }

 private:
  // Headers are what is read; weights are stepped over.
  static constexpr uint64_t kBytes = 4096;

  const ByteSource& source_;
  std::vector<std::byte> bytes_;
  uint64_t begin_ = 0;
};

/// One field of a message.
struct Field {
  uint64_t number = 0, type = 0;
  ByteRange all;      ///< with its tag
  ByteRange content;  ///< of a delimited one
};

/// Walks over the fields of a message.
class Reader {
 public:
  Reader(Window& window, ByteRange message)
      : window_(window), at_(message.offset), end_(message.offset + message.size) {}
  bool at_end() const { return at_ == end_; }

  std::optional<Field> next() {
    const uint64_t begin = at_;
    auto tag = varint();
    if (!tag) return {};
    Field field{*tag >> 3, *tag & 7, {}, {}};
    uint64_t size = 0;
    if (field.type == kVarint) {
      if (!varint()) return {};
    } else if (field.type == kDelimited) {
      auto length = varint();
      if (!length) return {};
      size = *length;
    } else if (field.type == kFixed64 || field.type == kFixed32) {
      size = field.type == kFixed64 ? 8 : 4;
    } else {
      return {};
    }
    if (size > end_ - at_) return {};
    field.content = {at_, size};
    at_ += size;
    field.all = {begin, at_ - begin};
    return field;
  }

 private:
  std::optional<uint64_t> varint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64 && at_ < end_; shift += 7) {
      const auto byte = window_.at(at_++);
      if (!byte) return {};
      value |= uint64_t{*byte & 0x7fu} << shift;
      if (*byte < 0x80) return value;
    }
    return {};
  }

  Window& window_;
  uint64_t at_, end_;
};

void append_varint(std::string& to, uint64_t value) {
  for (; value >= 0x80; value >>= 7)
    to.push_back(static_cast<char>(static_cast<uint8_t>(value | 0x80)));
  to.push_back(static_cast<char>(static_cast<uint8_t>(value)));
}

void append_message(std::string& to, uint64_t number, const std::string& content) {
  append_varint(to, number << 3 | kDelimited);
  append_varint(to, content.size());
  to += content;
}

/// The tensor without its raw data, which is left in `raw` when large.
bool take_out(Window& window, ByteRange tensor, std::string& rest, ByteRange& raw) {
  int pieces = 0;
  for (Reader reader(window, tensor); !reader.at_end();) {
    auto field = reader.next();
    if (!field) return false;
    if (field->number == kRawData && ++pieces > 1) return false;
    if (field->number == kRawData && field->type == kDelimited && field->content.size >= kLarge)
      raw = field->content;
    else if (!window.append_to(rest, field->all))
      return false;
  }
  return true;
}

bool take_out_of_graph(Window& window, ByteRange graph, std::string& rest,
                       std::vector<ByteRange>& raw) {
  for (Reader reader(window, graph); !reader.at_end();) {
    auto field = reader.next();
    if (!field) return false;
    if (field->number != kInitializer || field->type != kDelimited) {
      if (!window.append_to(rest, field->all)) return false;
      continue;
    }
    std::string tensor;
    if (!take_out(window, field->content, tensor, raw.emplace_back())) return false;
    append_message(rest, kInitializer, tensor);
  }
  return true;
}

}  // namespace

std::optional<WithoutWeights> take_weights_out(const ByteSource& model) {
  WithoutWeights without;
  Window window(model);
  for (Reader reader(window, {0, model.size()}); !reader.at_end();) {
    auto field = reader.next();
    if (!field) return {};
    if (field->number != kGraph || field->type != kDelimited) {
      if (!window.append_to(without.bytes, field->all)) return {};
      continue;
    }
    std::string graph;
    if (!take_out_of_graph(window, field->content, graph, without.raw)) return {};
    append_message(without.bytes, kGraph, graph);
  }
  return without;
}

}  // namespace vultus
