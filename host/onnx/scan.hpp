#pragma once

#include <google/protobuf/io/zero_copy_stream.h>

#include "host/core/result.hpp"

namespace vultus {

/// Walks over the bytes of a model without keeping anything and counts what parsing would allocate
/// objects for. Two bytes of file can become 200 in memory, so this comes first.
Result<void> check_message_count(google::protobuf::io::ZeroCopyInputStream& stream);

}  // namespace vultus
