#include <algorithm>
#include <utility>

#include "models/report/report.hpp"

namespace vultus::report {

namespace {

using Scores = std::array<std::optional<float>, kActionUnits.size()>;

std::optional<float>& score_of(std::string_view code, Scores& scores) {
  const auto at = std::ranges::find(kActionUnits, code, &ActionUnit::code);
  return scores[static_cast<size_t>(at - kActionUnits.begin())];
}

void add_side(const std::optional<face::Expression>& expression, const measure::EyeMeasures& eye,
              Scores& scores) {
  if (expression)
    for (size_t i = 0; i < face::Expression::kActionUnits.size(); ++i)
      score_of(face::Expression::kActionUnits[i], scores) = expression->action_units[i];
  if (eye.au43) score_of("AU43", scores) = static_cast<float>(*eye.au43);
  if (eye.au45) score_of("AU45", scores) = static_cast<float>(*eye.au45);
}

}  // namespace

std::vector<NamedMoment> moments_of(const measure::Sheet& sheet, int64_t frames) {
  if (frames == 1) return {{"The face", 1}};
  std::vector<NamedMoment> moments;
  if (sheet.rest)
    moments.push_back(
        {sheet.baseline.strict ? "At rest" : "At rest, with the mouth open or the eyes closed",
         sheet.rest->frame});
  for (size_t i = 0; i < sheet.peaks.size(); ++i)
    if (const auto& peak = sheet.peaks[i]; peak && peak->movement > peak->needed)
      moments.push_back(
          {"Peak of the " + std::string(measure::name_of(static_cast<measure::Region>(i))),
           peak->moment.frame});
  if (moments.empty() && sheet.clearest)
    moments.push_back({"The face that was measured", sheet.clearest->frame});
  return moments;
}

SampleSource samples_of(const RecordSource& records, const measure::MeasureOptions& options,
                        measure::Survey survey) {
  return [=, survey = std::move(survey)](const SampleVisitor& visit) {
    return measure::for_each_measured(
        records, options, survey,
        [&](const FrameRecord& record,
            std::span<const measure::FaceMeasures> faces) -> Result<void> {
          FrameSample sample{record.frame, record.seconds, record.damaged, {}};
          for (size_t i = 0; i < record.faces.size(); ++i) {
            FaceSample& to = sample.faces.emplace_back();
            to.id = record.faces[i].face.id;
            add_side(record.faces[i].left, faces[i].left, to.left);
            add_side(record.faces[i].right, faces[i].right, to.right);
            to.flags = faces[i].quality;
          }
          return visit(sample);
        });
  };
}

}  // namespace vultus::report
