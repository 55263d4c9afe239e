#include "apps/common.hpp"
#include "models/pack/sha256.hpp"

namespace vultus::app {

std::optional<std::string> network_sha256(const std::string& path) {
  auto sum = sha256_of_file(path);
  return sum ? std::optional(*sum) : std::nullopt;
}

}  // namespace vultus::app
