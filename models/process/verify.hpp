#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "host/core/result.hpp"

namespace vultus {

/// What re-opening the results of one input has shown.
struct Verification {
  std::string folder;
  std::string input;  ///< as run.json names it
  int64_t frames = 0;
  bool complete = false;             ///< no frame of the input was lost
  std::vector<std::string> checked;  ///< names of files
  std::vector<std::string> differences;
  std::vector<std::string> make_again;  ///< words of a command, but for -o; may be empty
};

/// How thoroughly.
enum class Depth : uint8_t {
  sizes,     ///< the bytes that each file has
  contents,  ///< and a row, record or picture for every frame
  sums,      ///< and the checksums
};
/// Re-opens everything that run.json in `folder` lists: the bytes and SHA-256 of each file, a row
/// for every frame in each table of frames, a record in the journal, a picture in each video,
/// counted by its packets. Differences are found, not errors; bad_input where there is no run.json
/// of ours.
Result<Verification> verify_results(const std::string& folder, Depth depth = Depth::sums);

/// What a run that was stopped or killed has left in its hidden folder.
struct Unfinished {
  std::string folder;   ///< that one
  std::string results;  ///< the folder that the results will have
  int64_t frames = 0;   ///< measured; a run goes on behind them
};
/// Those in `path`, however deep. Empty where there are none.
std::vector<Unfinished> unfinished_results(const std::string& path);

/// The folders of results that `path` stands for: itself, or those in it, however deep, that have a
/// run.json or a summary.json; hidden ones and links to folders are passed over. bad_input where
/// there are none.
Result<std::vector<std::string>> result_folders(const std::string& path);

}  // namespace vultus
