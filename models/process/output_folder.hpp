#pragma once

#include <string>
#include <vector>

#include "host/core/result.hpp"

namespace vultus {

/// The folder OUT/NAME of one input. Everything is written into OUT/NAME.partial and takes its
/// place in `commit`; if that is not reached the destructor removes it, so an interrupted run
/// leaves nothing that looks finished. A lock keeps two programs from writing the same one.
class OutputFolder {
 public:
  /// Makes OUT and OUT/NAME.partial. unwritable when OUT/NAME exists and `force` is not set.
  static Result<OutputFolder> create(const std::string& out, const std::string& name, bool force);

  OutputFolder(OutputFolder&& other) noexcept;
  OutputFolder& operator=(OutputFolder&&) = delete;
  ~OutputFolder();

  /// Where to write.
  const std::string& working() const { return working_; }
  const std::string& path() const { return final_; }
  /// Moves what was written to OUT/NAME. There, older outputs of ours are replaced or removed; any
  /// other file stays.
  Result<void> commit();

 private:
  OutputFolder(std::string final, std::string working, int lock)
      : final_(std::move(final)), working_(std::move(working)), lock_(lock) {}

  std::string final_, working_;
  int lock_ = -1;
};

}  // namespace vultus
