#pragma once

#include <map>
#include <memory>
#include <string>

#include "host/run/session.hpp"

namespace vultus {

/// One network for several batches and input sizes: a session each, compiled when first asked for
/// and kept. The devices outlive it. One thread at a time.
class SessionPool {
 public:
  SessionPool(std::string path, SessionOptions options)
      : path_(std::move(path)), options_(std::move(options)) {}
  /// The session for that batch (0: as the file says) and those input shapes. Valid as long as the
  /// pool.
  Result<Session*> get(int64_t batch, const std::map<std::string, Shape>& shapes = {});
  size_t size() const { return sessions_.size(); }

 private:
  std::string path_;
  SessionOptions options_;
  std::map<std::string, std::unique_ptr<Session>> sessions_;
};

}  // namespace vultus
