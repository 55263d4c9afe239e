#include "apps/bench_html.hpp"

#include <algorithm>

#include "apps/plan_dot.hpp"
#include "apps/report/bench_page.hpp"
#include "apps/report/picture.hpp"
#include "host/core/write_file.hpp"

namespace vultus::app {

namespace {

size_t pictured(const std::vector<BenchCase>& cases) {
  const auto weighed = std::ranges::find_if(cases, [](const BenchCase& c) {
    return c.opened->goal == Goal::fastest && c.opened->owned.size() > 1;
  });
  const auto most = std::ranges::max_element(
      cases, {}, [](const BenchCase& c) { return c.session->plan().partitions.size(); });
  return static_cast<size_t>((weighed != cases.end() ? weighed : most) - cases.begin());
}

}  // namespace

Result<void> write_bench_page(const BenchOptions& options, const std::vector<BenchCase>& cases,
                              const Json& document) {
  const size_t which = pictured(cases);
  const Session& session = *cases[which].session;
  const PlanPicture plan = plan_picture(session.graph(), session.plan(), kDrawn);
  VULTUS_TRY(std::string drawn, report::draw(plan.dot));
  const report::BenchPicture picture{
      which, report::inline_svg(drawn, "Placement of the layers", plan.tooltips), plan.note};
  return write_file(options.html,
                    {report::bench_page(document, picture, provenance(options.model))});
}

}  // namespace vultus::app
