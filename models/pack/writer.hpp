#pragma once

#include <string>
#include <vector>

#include "models/pack/kinds.hpp"
#include "models/pack/pack.hpp"

namespace vultus {

/// A network on its way into a pack.
struct NewNetwork {
  const PackKind* kind = nullptr;
  std::string onnx;     ///< the file's bytes
  std::string licence;  ///< empty: what is known of the kind
  std::string source;   ///< name of the file it was made from, without its folder
  std::string source_sha256;
};

struct PackTarget {
  std::string folder;
  std::string name = {};  ///< of a new pack; empty: the folder's
  bool force = false;     ///< networks of the same role are replaced
};

/// Makes the pack, or adds to the one that is there, and returns it. Each network is opened and
/// checked against its kind first. pack.json is replaced last and in one step: until then the pack
/// is what it was. unwritable where a role is taken or the folder cannot be written; after an error
/// nothing new is left.
Result<Pack> add_to_pack(const PackTarget& target, const std::vector<const NewNetwork*>& networks);

}  // namespace vultus
