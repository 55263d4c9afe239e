#pragma once

#include <google/protobuf/io/zero_copy_stream.h>

#include "host/core/result.hpp"

namespace vultus {

/// What the outermost message of a file is.
enum class MessageKind { model, tensor };

/// Walks over the bytes of a file without keeping anything and counts what parsing would allocate
/// objects for. Two bytes of file can become 200 in memory, so this comes first.
Result<void> check_message_count(google::protobuf::io::ZeroCopyInputStream& stream,
                                 MessageKind kind);

}  // namespace vultus
