#include <optional>

#include "models/measure/sheet.hpp"
#include "models/process/job.hpp"
#include "models/process/journal.hpp"
#include "models/process/notes.hpp"
#include "models/process/openface_table.hpp"
#include "models/process/tables.hpp"

namespace vultus {

namespace {

constexpr const char* kSheet = "asymmetry.csv";

/// How often the first face was another one than in the frame with a face before.
class Restarts {
 public:
  void push(const FrameRecord& record) {
    const int id = record.faces.front().face.id;
    count_ += last_ >= 0 && id != last_;
    last_ = id;
  }
  int count() const { return count_; }

 private:
  int last_ = -1, count_ = 0;
};

Summary::Baseline baseline_of(const measure::Baseline& baseline) {
  Summary::Baseline of{{}, {}, baseline.frames, baseline.how()};
  if (baseline.kind == measure::BaselineChoice::Kind::none) return of;
  of.from = baseline.from;
  of.to = baseline.to;
  return of;
}

Result<void> write_sheet(const std::string& path, const measure::Sheet& sheet) {
  const std::string text = to_csv(sheet);
  const size_t header = text.find('\n');
  VULTUS_TRY(CsvFile file, CsvFile::create(path, text.substr(0, header)));
  // The last line's end is added by the file.
  VULTUS_CHECK(file.add(text.substr(header + 1, text.size() - header - 2)));
  return file.finish();
}

}  // namespace

Result<measure::MeasureOptions> Processor::measuring(const Job& job) const {
  VULTUS_TRY(JournalReader journal, JournalReader::open(job.folder.journal()));
  return measure::MeasureOptions{journal.header().size, options_.sides,
                                 job.options.pupil_distance_mm};
}

measure::RecordSource Processor::Job::records() const {
  return [path = folder.journal()](const measure::RecordVisitor& visit) -> Result<void> {
    VULTUS_TRY(JournalReader journal, JournalReader::open(path));
    while (true) {
      VULTUS_TRY(std::optional<FrameRecord> record, journal.next());
      if (!record) return {};
      VULTUS_CHECK(visit(*record));
    }
  };
}

Result<void> Processor::write_tables(Job& job) {
  face::StageTimes::Timer timer(&job.times, "tables");
  Summary& summary = job.summary;
  VULTUS_TRY(const measure::MeasureOptions options, measuring(job));
  const measure::RecordSource records = job.records();
  VULTUS_TRY(measure::Survey tracks, survey(records, options));
  VULTUS_TRY(Tables tables, Tables::create(job.folder.working(), layout()));
  std::optional<OpenFaceTable> openface;
  if (job.options.openface) {
    VULTUS_TRY(openface, OpenFaceTable::create(job.folder.working()));
  }
  Restarts restarts;
  FrameRanges damaged;
  VULTUS_CHECK(for_each_measured(records, options, tracks,
                                 [&](const FrameRecord& record, auto faces) -> Result<void> {
                                   if (record.faces.empty())
                                     ++summary.frames_without_face;
                                   else
                                     restarts.push(record);
                                   if (record.damaged) damaged.add(record.frame);
                                   if (openface) VULTUS_CHECK(openface->add(record, faces));
                                   return tables.add(record, faces);
                                 }));
  VULTUS_CHECK(tables.finish());
  if (openface) VULTUS_CHECK(openface->finish());
  if (auto sentence = damaged_sentence(damaged)) summary.lost.push_back(*std::move(sentence));
  const auto notes = face_sentences(summary, options_, restarts.count(), job.most_faces);
  summary.warnings.insert(summary.warnings.end(), notes.begin(), notes.end());

  VULTUS_TRY(job.sheet, measure::compute_sheet(records, {options, job.options.baseline}));
  VULTUS_CHECK(write_sheet(job.file(kSheet), job.sheet));
  summary.asymmetry = job.sheet.notes;
  summary.baseline = baseline_of(job.sheet.baseline);
  summary.mm_per_pixel = job.sheet.mm_per_pixel;
  const measure::Outcome outcome = outcome_of(job.sheet);
  summary.sheet_numbers = outcome.rows;
  summary.valid_numbers = outcome.valid;
  summary.usable_frames = job.sheet.unflagged_frames;
  summary.outputs = Tables::names();
  summary.outputs.push_back(kSheet);
  if (openface) {
    summary.outputs.push_back(OpenFaceTable::kName);
    summary.warnings.push_back(OpenFaceTable::not_measured());
  }
  return {};
}

}  // namespace vultus
