#include <optional>

#include "models/process/job.hpp"
#include "models/process/journal.hpp"
#include "models/process/notes.hpp"
#include "models/process/tables.hpp"

namespace vultus {

Result<void> Processor::write_tables(Job& job) {
  face::StageTimes::Timer timer(&job.times, "tables");
  Summary& summary = job.summary;
  VULTUS_TRY(JournalReader journal, JournalReader::open(job.folder.journal()));
  VULTUS_TRY(Tables tables, Tables::create(job.folder.working(), layout()));
  int front_id = -1, restarts = 0;
  while (true) {
    VULTUS_TRY(std::optional<FrameRecord> record, journal.next());
    if (!record) break;
    VULTUS_CHECK(tables.add(*record));
    if (record->faces.empty()) {
      ++summary.frames_without_face;
      continue;
    }
    const int id = record->faces.front().face.id;
    restarts += front_id >= 0 && id != front_id;
    front_id = id;
  }
  VULTUS_CHECK(tables.finish());
  const auto notes = face_sentences(summary, options_, restarts, job.most_faces);
  summary.warnings.insert(summary.warnings.end(), notes.begin(), notes.end());
  summary.outputs = Tables::names();
  return {};
}

}  // namespace vultus
