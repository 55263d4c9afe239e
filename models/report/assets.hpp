#pragma once

#include "report/assets.hpp"

namespace vultus::report {

/// Of reports of videos. kChart and kChartStyle are uPlot, kChartLicence its licence as text, and
/// kSharp a script that stands before it.
extern const Asset kSharp, kChart, kChartStyle, kChartLicence, kCurves, kCurvesStyle;

}  // namespace vultus::report
