#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/core/result.hpp"
#include "host/run/session.hpp"
#include "models/face/detection.hpp"
#include "models/face/landmarker.hpp"
#include "models/face/multitask.hpp"

namespace vultus {

/// One network of a pack, its file found and its checksum verified.
struct PackNetwork {
  std::string role;     ///< "detector", "landmarks", "multitask", or one that is not used here
  std::string kind;     ///< one of `pack_kinds` (models/pack/kinds.hpp)
  std::string licence;  ///< of this network; empty where only the pack states one
  std::string path;
  std::string sha256;
  std::optional<double> score_threshold;  ///< "threshold": of the kind where absent
  std::optional<double> nms_threshold;
  bool rgb = true;  ///< "channels": "rgb" or "bgr"; the detectors that let one choose
  /// "emotions" of a multitask network, in the order of its output.
  std::vector<std::string> emotions;
};

/// AffectNet's numbering, as OpenFace 3.0 names its output, for packs that do not state theirs. It
/// is disputed: other networks trained from the same backbone order the classes by the alphabet,
/// and nothing in the published weights tells.
std::vector<std::string> usual_emotions();

/// A folder with `pack.json` and the networks it names:
/// {"schema": 1, "name": "...", "version": "...", "licence": "...", "notes": "...",
///  "networks": {"detector": {"file": "x.onnx", "sha256": "...", "kind": "retinaface",
///                            "threshold": 0.5, "nms": 0.4},
///               "landmarks": {"file": "y.onnx", "sha256": "...", "kind": "pfld98",
///                             "licence": "...", "source": {"file": "...", "sha256": "..."}},
///               "multitask": {"file": "z.onnx", "sha256": "...", "kind": "mtl",
///                             "emotions": ["neutral", "happy", ...]}}}
struct Pack {
  std::string folder, name, version, licence, notes;
  std::map<std::string, PackNetwork> networks;
};

/// Reads and verifies a pack: every file lies inside the folder (links that lead out are refused)
/// and has the checksum that the manifest tells. bad_model with what differs.
Result<Pack> read_pack(const std::string& folder);
/// The same for a pack that is to work: it has a detector and a landmark network.
Result<Pack> load_pack(const std::string& folder);

/// Where a pack is looked for, in order: `chosen`, a folder or the pack.json in it, alone when it
/// is not empty, else $VULTUS_PACK
/// alone when set, else ./packs/default, $XDG_DATA_HOME/vultus/models/default (~/.local/share),
/// /usr/share/vultus/models/default.
std::vector<std::string> pack_search_path(const std::string& chosen = "");
/// The first of them that has a pack.json; an error lists all.
Result<std::string> find_pack(const std::string& chosen = "");

/// The networks by their role, opened and checked against what their kind takes and gives. They
/// look at `picture`. The devices in `session` outlive them.
Result<std::unique_ptr<face::Detector>> open_detector(
    const Pack& pack, const SessionOptions& session,
    std::shared_ptr<face::Picture> picture = std::make_shared<face::Picture>());
Result<std::unique_ptr<face::Landmarker>> open_landmarker(
    const Pack& pack, const SessionOptions& session,
    std::shared_ptr<face::Picture> picture = std::make_shared<face::Picture>());
/// Null when the pack has no multitask network.
Result<std::unique_ptr<face::Multitask>> open_multitask(
    const Pack& pack, const SessionOptions& session,
    std::shared_ptr<face::Picture> picture = std::make_shared<face::Picture>());

}  // namespace vultus
