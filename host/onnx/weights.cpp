#include "host/onnx/weights.hpp"

#include <cstdint>

namespace vultus {

namespace {

using Bytes = std::span<const std::byte>;

// Field numbers of onnx.proto.
constexpr uint64_t kGraph = 7, kInitializer = 5, kRawData = 9;
constexpr uint64_t kVarint = 0, kFixed64 = 1, kDelimited = 2, kFixed32 = 5;
constexpr size_t kLarge = 1024;

/// One field of a message.
struct Field {
  uint64_t number = 0, type = 0;
  Bytes all;      ///< with its tag
  Bytes content;  ///< of a delimited one
};

class Reader {
 public:
  explicit Reader(Bytes bytes) : bytes_(bytes) {}
  bool at_end() const { return at_ == bytes_.size(); }

  std::optional<Field> next() {
    const size_t begin = at_;
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
    if (size > bytes_.size() - at_) return {};
    field.content = bytes_.subspan(at_, size);
    at_ += size;
    field.all = bytes_.subspan(begin, at_ - begin);
    return field;
  }

 private:
  std::optional<uint64_t> varint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64 && at_ < bytes_.size(); shift += 7) {
      const auto byte = static_cast<uint64_t>(bytes_[at_++]);
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    return {};
  }

  Bytes bytes_;
  size_t at_ = 0;
};

void append(std::string& to, Bytes bytes) {
  to.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

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
bool take_out(Bytes tensor, std::string& rest, Bytes& raw) {
  int pieces = 0;
  for (Reader reader(tensor); !reader.at_end();) {
    auto field = reader.next();
    if (!field) return false;
    if (field->number == kRawData && ++pieces > 1) return false;
    if (field->number == kRawData && field->type == kDelimited && field->content.size() >= kLarge)
      raw = field->content;
    else
      append(rest, field->all);
  }
  return true;
}

bool take_out_of_graph(Bytes graph, std::string& rest, std::vector<Bytes>& raw) {
  for (Reader reader(graph); !reader.at_end();) {
    auto field = reader.next();
    if (!field) return false;
    if (field->number != kInitializer || field->type != kDelimited) {
      append(rest, field->all);
      continue;
    }
    std::string tensor;
    if (!take_out(field->content, tensor, raw.emplace_back())) return false;
    append_message(rest, kInitializer, tensor);
  }
  return true;
}

}  // namespace

std::optional<WithoutWeights> take_weights_out(Bytes model) {
  WithoutWeights without;
  for (Reader reader(model); !reader.at_end();) {
    auto field = reader.next();
    if (!field) return {};
    if (field->number != kGraph || field->type != kDelimited) {
      append(without.bytes, field->all);
      continue;
    }
    std::string graph;
    if (!take_out_of_graph(field->content, graph, without.raw)) return {};
    append_message(without.bytes, kGraph, graph);
  }
  return without;
}

}  // namespace vultus
