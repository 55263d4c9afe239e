#include "host/run/session_pool.hpp"

#include <fmt/format.h>

namespace vultus {

Result<Session*> SessionPool::get(int64_t batch, const std::map<std::string, Shape>& shapes) {
  std::string key = std::to_string(batch);
  for (const auto& [name, shape] : shapes)
    key += fmt::format("\n{}={}", name, shape.str());
  if (auto known = sessions_.find(key); known != sessions_.end()) return known->second.get();
  SessionOptions options = options_;
  options.batch = batch;
  for (const auto& [name, shape] : shapes)
    options.shapes[name] = shape;
  VULTUS_TRY(Session session, Session::load(path_, options));
  auto& kept = sessions_[key];
  kept = std::make_unique<Session>(std::move(session));
  return kept.get();
}

}  // namespace vultus
