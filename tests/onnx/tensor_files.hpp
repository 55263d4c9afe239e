#pragma once

#include <filesystem>
#include <fstream>

#include "tests/onnx/model_builder.hpp"
#include "tests/support/temporary_folder.hpp"

namespace vultus::test {

inline onnx::TensorProto float_tensor(const std::string& name, const std::vector<int64_t>& dims,
                                      const std::vector<float>& values) {
  onnx::TensorProto proto;
  if (!name.empty()) proto.set_name(name);
  proto.set_data_type(onnx::TensorProto::FLOAT);
  for (int64_t d : dims)
    proto.add_dims(d);
  for (float v : values)
    proto.add_float_data(v);
  return proto;
}

/// A temporary folder for files of tensors.
class TensorFolder {
 public:
  std::filesystem::path path() const { return folder_.path(); }
  /// The path of the file; folders on the way to it are made.
  std::string write(const std::string& name, const std::string& bytes) const {
    const std::filesystem::path file = path() / name;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << bytes;
    return file.string();
  }
  std::string write(const std::string& name, const onnx::TensorProto& proto) const {
    return write(name, proto.SerializeAsString());
  }

 private:
  TemporaryFolder folder_;
};

}  // namespace vultus::test
