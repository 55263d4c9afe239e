#include "gpu/conv_family.hpp"

#include <array>

namespace vultus::gpu {

std::string_view name_of(ConvFamily family) {
  constexpr std::array<std::string_view, 6> kNames{"auto", "direct",    "tile",
                                                   "coop", "depthwise", "stem"};
  return kNames.at(static_cast<size_t>(family));
}

std::optional<ConvFamily> parse_conv_family(std::string_view text) {
  for (ConvFamily family :
       {ConvFamily::automatic, ConvFamily::direct, ConvFamily::tile, ConvFamily::coop})
    if (text == name_of(family)) return family;
  return std::nullopt;
}

}  // namespace vultus::gpu
