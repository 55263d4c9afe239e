#pragma once

#include <string>
#include <vector>

#include "host/core/result.hpp"

namespace vultus {

/// The folder OUT/NAME of one input. Everything is written into OUT/.NAME.vultus-partial and takes
/// its place in `commit`. Without that the destructor removes it, unless there is a checkpoint to
/// go on from: `kept`. A lock keeps two programs from writing the same one.
class OutputFolder {
 public:
  /// Makes OUT and the working folder; what an earlier run has left there stays if it has a
  /// checkpoint. unwritable when OUT/NAME exists and `force` is not set, and where what is there
  /// cannot be examined.
  static Result<OutputFolder> create(const std::string& out, const std::string& name, bool force);

  /// Whether `create` could make a folder in OUT. Tries it in the nearest folder that is there, and
  /// leaves nothing. unwritable.
  static Result<void> check_writable(const std::string& out);
  /// Where the run of an input that is not finished has its files.
  static std::string working_of(const std::string& out, const std::string& name);
  /// OUT/NAME for such a folder; empty for any other.
  static std::string final_of(const std::string& working);
  /// Whether a `commit` that replaced OUT/NAME was ended in the middle: some of the new files are
  /// still in the working folder.
  static bool half_replaced(const std::string& out, const std::string& name);
  /// Finishes such a commit; where OUT/NAME was removed since then, what is left of it is removed
  /// as well. unwritable.
  static Result<void> recover(const std::string& out, const std::string& name);

  OutputFolder(OutputFolder&& other) noexcept;
  OutputFolder& operator=(OutputFolder&&) = delete;
  ~OutputFolder();

  /// Where to write.
  const std::string& working() const { return working_; }
  const std::string& path() const { return final_; }
  /// What results are made from: they stay with them, so that tables can be made again.
  static constexpr const char* kJournal = "frames.journal";
  static constexpr const char* kCheckpoint = "checkpoint";
  std::string journal() const { return working_ + "/" + kJournal; }
  std::string checkpoint() const { return working_ + "/" + kCheckpoint; }
  bool has_checkpoint() const;
  /// Brings journal, checkpoint and videos of the finished OUT/NAME here, as of a run that has only
  /// the tables left to write. OUT/NAME stays as it is. unwritable.
  Result<void> take_back() const;
  /// Removes what an earlier run has left; nothing is kept then.
  void clear();
  void keep(bool keep) { keep_ = keep; }
  bool kept() const { return keep_; }
  /// Moves what was written to OUT/NAME. There, older outputs of ours are replaced or removed; any
  /// other file stays. When that fails or the program is killed, `recover` goes on.
  Result<void> commit();
  /// Removes, where OUT/NAME is finished, what only serves to go on: a run may be killed before it
  /// does.
  static void tidy(const std::string& out, const std::string& name);

 private:
  static Result<OutputFolder> hold(const std::string& out, const std::string& name);
  Result<void> replace();
  OutputFolder(std::string final, std::string working, int lock)
      : final_(std::move(final)), working_(std::move(working)), lock_(lock) {}

  std::string final_, working_;
  int lock_ = -1;
  bool keep_ = false;
};

}  // namespace vultus
