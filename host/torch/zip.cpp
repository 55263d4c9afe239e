// Checkpoints of PyTorch 1.6 and later: a zip archive of data.pkl and one record for each storage.
#include <fmt/format.h>
#include <zip.h>

#include <algorithm>
#include <cctype>

#include "host/torch/checkpoint.hpp"
#include "host/torch/limits.hpp"

namespace vultus::torch {

namespace {

Error bad(std::string what) {
  return {Errc::bad_model, std::move(what)};
}

struct CloseArchive {
  void operator()(zip_t* archive) const { zip_discard(archive); }
};
struct CloseFile {
  void operator()(zip_file_t* file) const { zip_fclose(file); }
};

/// An archive in memory: names and sizes of its records, none of them compressed.
class Archive {
 public:
  struct Record {
    zip_uint64_t index;
    uint64_t size;
  };

  static Result<std::unique_ptr<Archive>> open(std::span<const std::byte> bytes);
  Result<std::vector<std::byte>> read(const std::string& name) const;
  const std::map<std::string, Record, std::less<>>& records() const { return records_; }

 private:
  Result<void> list(size_t file_bytes);
  std::unique_ptr<zip_t, CloseArchive> archive_;
  std::map<std::string, Record, std::less<>> records_;
};

Result<std::unique_ptr<Archive>> Archive::open(std::span<const std::byte> bytes) {
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* source = zip_source_buffer_create(bytes.data(), bytes.size(), 0, &error);
  auto archive = std::make_unique<Archive>();
  if (source) archive->archive_.reset(zip_open_from_source(source, ZIP_RDONLY, &error));
  if (!archive->archive_) {
    if (source) zip_source_free(source);
    Error why = bad(fmt::format("is a damaged or truncated zip file ({}); get the file again",
                                zip_error_strerror(&error)));
    zip_error_fini(&error);
    return why;
  }
  zip_error_fini(&error);
  VULTUS_CHECK(archive->list(bytes.size()));
  return archive;
}

Result<void> Archive::list(size_t file_bytes) {
  const zip_int64_t count = zip_get_num_entries(archive_.get(), 0);
  if (count > kMaxRecords) return bad(fmt::format("holds more than {} records", kMaxRecords));
  uint64_t total = 0;
  for (zip_uint64_t i = 0; i < static_cast<zip_uint64_t>(count); ++i) {
    zip_stat_t stat;
    constexpr zip_uint64_t kNeeded = ZIP_STAT_NAME | ZIP_STAT_SIZE | ZIP_STAT_COMP_METHOD;
    if (zip_stat_index(archive_.get(), i, ZIP_FL_ENC_RAW, &stat) != 0 ||
        (stat.valid & kNeeded) != kNeeded)
      return bad("has a record without name or size; get the file again");
    // PyTorch stores records as they are; compressed ones could be far larger than the file.
    if (stat.comp_method != ZIP_CM_STORE)
      return bad(
          fmt::format("record '{}' is compressed, which PyTorch never does; save the "
                      "checkpoint with torch.save",
                      printable(stat.name)));
    if (stat.size > file_bytes - total)
      return bad(fmt::format("record '{}' claims more bytes than the file has; get the file again",
                             printable(stat.name)));
    total += stat.size;
    if (!records_.emplace(stat.name, Record{i, stat.size}).second)
      return bad(fmt::format("holds record '{}' twice", printable(stat.name)));
  }
  return {};
}

Result<std::vector<std::byte>> Archive::read(const std::string& name) const {
  const Record& record = records_.at(name);
  std::unique_ptr<zip_file_t, CloseFile> file(zip_fopen_index(archive_.get(), record.index, 0));
  if (!file)
    return bad(fmt::format("record '{}' cannot be opened: {}", printable(name),
                           zip_strerror(archive_.get())));
  std::vector<std::byte> bytes(record.size);
  const zip_int64_t got = zip_fread(file.get(), bytes.data(), bytes.size());
  std::byte beyond;
  // libzip compares the checksum when the end is reached.
  if (got < 0 || static_cast<uint64_t>(got) != record.size ||
      zip_fread(file.get(), &beyond, 1) != 0)
    return bad(fmt::format("record '{}' is damaged ({}); get the file again", printable(name),
                           zip_file_strerror(file.get())));
  return bytes;
}

class ZipRecords : public Records {
 public:
  /// `folder` is what the names of the archive begin with.
  ZipRecords(std::unique_ptr<Archive> archive, std::string folder, std::vector<std::byte> pickle)
      : archive_(std::move(archive)), folder_(std::move(folder)), pickle_(std::move(pickle)) {}

  std::optional<uint64_t> size(std::string_view key) const override {
    // A key is a number; one with '/' or '.' would leave the folder.
    if (!std::ranges::all_of(key, [](unsigned char c) { return std::isalnum(c) != 0; }))
      return std::nullopt;
    auto at = archive_->records().find(fmt::format("{}data/{}", folder_, key));
    return at == archive_->records().end() ? std::nullopt : std::optional(at->second.size);
  }
  Result<std::vector<std::byte>> read(const std::string& key) const override {
    return archive_->read(fmt::format("{}data/{}", folder_, key));
  }
  std::span<const std::byte> pickle() const { return pickle_; }

 private:
  std::unique_ptr<Archive> archive_;
  std::string folder_;
  std::vector<std::byte> pickle_;
};

/// "archive/" of "archive/data.pkl".
Result<std::string> folder_of(const Archive& archive) {
  constexpr std::string_view kPickle = "data.pkl";
  std::optional<std::string> folder;
  for (const auto& [name, record] : archive.records()) {
    if (name.ends_with("/constants.pkl"))
      return bad(
          "is a TorchScript archive, which holds code; save the weights alone "
          "(torch.save(model.state_dict(), FILE))");
    if (!name.ends_with(kPickle) || std::ranges::count(name, '/') > 1) continue;
    if (name.size() > kPickle.size() && name[name.size() - kPickle.size() - 1] != '/') continue;
    if (folder) return bad("holds two descriptions (data.pkl)");
    folder = name.substr(0, name.size() - kPickle.size());
  }
  if (!folder) return bad("is a zip file, but no PyTorch checkpoint: it holds no data.pkl");
  return *folder;
}

}  // namespace

bool is_zip(std::span<const std::byte> bytes) {
  return bytes.size() >= 4 && std::string_view(reinterpret_cast<const char*>(bytes.data()), 4) ==
                                  std::string_view("PK\x03\x04", 4);
}

Result<Parts> open_zip(std::span<const std::byte> bytes) {
  VULTUS_TRY(std::unique_ptr<Archive> archive, Archive::open(bytes));
  VULTUS_TRY(std::string folder, folder_of(*archive));
  if (archive->records().contains(folder + "byteorder")) {
    VULTUS_TRY(std::vector<std::byte> order, archive->read(folder + "byteorder"));
    if (std::string_view(reinterpret_cast<const char*>(order.data()), order.size()) != "little")
      return bad("was written on a big-endian machine; save it again on another");
  }
  VULTUS_TRY(std::vector<std::byte> description, archive->read(folder + "data.pkl"));
  auto records =
      std::make_unique<ZipRecords>(std::move(archive), std::move(folder), std::move(description));
  VULTUS_TRY(Pickle pickle, read_pickle(records->pickle()));
  return Parts{std::move(pickle), std::move(records)};
}

}  // namespace vultus::torch
