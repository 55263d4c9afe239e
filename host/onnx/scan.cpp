#include "host/onnx/scan.hpp"

#include <fmt/format.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

#include <limits>
#include <vector>

#include "host/onnx/limits.hpp"
#include "host/onnx/proto.hpp"

namespace vultus {

namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::internal::WireFormatLite;

/// Protobuf's own limit.
constexpr size_t kMaxDepth = 100;

class Scanner {
 public:
  Scanner(google::protobuf::io::ZeroCopyInputStream& stream, MessageKind kind)
      : input_(&stream), kind_(kind) {
    input_.SetTotalBytesLimit(std::numeric_limits<int>::max());
  }

  Result<void> run() {
    levels_.push_back({kind_ == MessageKind::model ? onnx::ModelProto::descriptor()
                                                   : onnx::TensorProto::descriptor(),
                       0});
    for (;;) {
      uint32_t tag = input_.ReadTag();
      if (tag != 0) {
        VULTUS_CHECK(read_field(tag));
      } else if (levels_.size() == 1) {
        return {};
      } else {
        if (input_.BytesUntilLimit() != 0) return damaged();
        input_.PopLimit(levels_.back().outer_limit);
        levels_.pop_back();
      }
    }
  }

 private:
  struct Level {
    const Descriptor* type;
    google::protobuf::io::CodedInputStream::Limit outer_limit;
  };

  Error damaged() const {
    return bad_model(fmt::format("is not an ONNX {}, or is damaged or cut off",
                                 kind_ == MessageKind::model ? "model" : "tensor"));
  }

  Result<void> read_field(uint32_t tag) {
    const FieldDescriptor* field =
        levels_.back().type->FindFieldByNumber(WireFormatLite::GetTagFieldNumber(tag));
    auto wire_type = WireFormatLite::GetTagWireType(tag);
    bool delimited = wire_type == WireFormatLite::WIRETYPE_LENGTH_DELIMITED;
    if (wire_type == WireFormatLite::WIRETYPE_START_GROUP) return damaged();  // ONNX has none
    // Numbers grow little; strings, messages and what is unknown become objects.
    if ((delimited || !field) && ++count_ > kMaxMessages)
      return bad_model(fmt::format("consists of over {} parts, which is the limit", kMaxMessages));
    if (!delimited || !field || !field->message_type())
      return WireFormatLite::SkipField(&input_, tag) ? Result<void>() : damaged();
    uint32_t length = 0;
    if (!input_.ReadVarint32(&length) || length > uint32_t{std::numeric_limits<int>::max()} ||
        levels_.size() == kMaxDepth)
      return damaged();
    levels_.push_back({field->message_type(), input_.PushLimit(static_cast<int>(length))});
    return {};
  }

  google::protobuf::io::CodedInputStream input_;
  MessageKind kind_;
  std::vector<Level> levels_;
  int count_ = 0;
};

}  // namespace

Result<void> check_message_count(google::protobuf::io::ZeroCopyInputStream& stream,
                                 MessageKind kind) {
  return Scanner(stream, kind).run();
}

}  // namespace vultus
