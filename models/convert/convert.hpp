#pragma once

#include <string>
#include <vector>

#include "host/core/result.hpp"

namespace vultus::convert {

/// A network out of a PyTorch checkpoint, as an ONNX file.
struct Converted {
  std::string kind;   ///< as in packs: "retinaface"
  std::string title;  ///< for people
  std::string onnx;   ///< the file's bytes
  size_t tensors = 0;
  int64_t parameters = 0;          ///< numbers that training changes
  std::vector<std::string> notes;  ///< what was left out, and why
};

/// Recognises the network by its keys, checks every key and shape, and writes it as ONNX. Nothing
/// in the checkpoint is executed. Tensors whose name begins with one of `ignored` may be left over.
/// bad_model or bad_input with a sentence that names the file.
Result<Converted> convert_checkpoint(const std::string& path,
                                     const std::vector<std::string>& ignored = {});

}  // namespace vultus::convert
