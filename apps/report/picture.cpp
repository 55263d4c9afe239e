#include "apps/report/picture.hpp"

#include <fmt/format.h>
#include <graphviz/gvc.h>

#include <cstdlib>
#include <memory>

#include "report/text.hpp"

// The two plugins that are needed, linked rather than searched for: Graphviz then reads no
// configuration and loads no fonts.
extern "C" gvplugin_library_t gvplugin_dot_layout_LTX_library;
extern "C" gvplugin_library_t gvplugin_core_LTX_library;

namespace vultus::report {

namespace {

std::string* messages = nullptr;  // Graphviz reports by a function without a context

int keep_message(char* text) {
  if (messages && messages->size() < 500) *messages += text;
  return 0;
}

/// Collects what Graphviz complains about, instead of printing it.
class Messages {
 public:
  Messages() {
    messages = &text_;
    agseterrf(keep_message);
    agseterr(AGWARN);
  }
  ~Messages() {
    messages = nullptr;
    agseterrf(nullptr);
  }
  Messages(const Messages&) = delete;
  Messages& operator=(const Messages&) = delete;
  Error error(std::string_view what) const {
    return {Errc::bad_input, fmt::format("the picture of the plan could not be {}: {}", what,
                                         text_.empty() ? "Graphviz says nothing" : clean(text_))};
  }

 private:
  std::string text_;
};

struct FreeContext {
  void operator()(GVC_t* context) const { gvFreeContext(context); }
};
struct FreeGraph {
  GVC_t* context;
  void operator()(Agraph_t* graph) const {
    gvFreeLayout(context, graph);
    agclose(graph);
  }
};
struct FreeData {
  void operator()(char* data) const { gvFreeRenderData(data); }
};

/// The value of `name="..."` in a tag; empty when it has none.
std::string attribute(std::string_view tag, std::string_view name) {
  const std::string key = fmt::format(" {}=\"", name);
  const size_t at = tag.find(key);
  if (at == std::string_view::npos) return {};
  const size_t begin = at + key.size();
  return std::string(tag.substr(begin, tag.find('"', begin) - begin));
}

/// The number that such a value begins with.
double points(std::string_view tag, std::string_view name) {
  return std::strtod(attribute(tag, name).c_str(), nullptr);
}

// Points. Beyond, not even the colours of boxes could be told on one sheet.
constexpr double kPaperWidth = 6000, kPaperHeight = 8000;

}  // namespace

Result<std::string> draw(const std::string& dot) {
  Messages said;
  lt_symlist_t plugins[] = {{"gvplugin_dot_layout_LTX_library", &gvplugin_dot_layout_LTX_library},
                            {"gvplugin_core_LTX_library", &gvplugin_core_LTX_library},
                            {nullptr, nullptr}};
  std::unique_ptr<GVC_t, FreeContext> context(gvContextPlugins(plugins, 0));
  if (!context) return said.error("begun");
  std::unique_ptr<Agraph_t, FreeGraph> graph(agmemread(dot.c_str()), FreeGraph{context.get()});
  if (!graph) return said.error("read");
  if (gvLayout(context.get(), graph.get(), "dot") != 0) return said.error("laid out");
  char* data = nullptr;
  unsigned length = 0;
  const int failed = gvRenderData(context.get(), graph.get(), "svg", &data, &length);
  std::unique_ptr<char, FreeData> drawn(data);
  if (failed != 0 || !data) return said.error("drawn");
  return std::string(data, length);
}

std::string inline_svg(const std::string& document, const std::string& title,
                       const std::map<std::string, std::string>& titles) {
  const size_t begin = document.find("<svg");
  const size_t end_of_tag = document.find('>', begin);
  const size_t end = document.rfind("</svg>");
  if (begin == std::string::npos || end_of_tag == std::string::npos || end == std::string::npos)
    return {};
  const std::string_view tag(document.data() + begin, end_of_tag - begin);
  // Graphviz writes points, of which three are four of a page's pixels.
  const double width = points(tag, "width"), height = points(tag, "height");
  const bool vast = width > kPaperWidth || height > kPaperHeight;
  std::string out = fmt::format(
      "<svg class=\"graph{}\" viewBox=\"{}\" width=\"{:.0f}\" role=\"group\" aria-label=\"{}\">",
      vast ? " vast" : "", attribute(tag, "viewBox"), width * 4 / 3, escaped(title));
  size_t at = end_of_tag + 1;
  constexpr std::string_view kOpen = "<title>", kClose = "</title>";
  for (size_t next = document.find(kOpen, at); next < end; next = document.find(kOpen, at)) {
    out.append(document, at, next - at);
    const size_t close = document.find(kClose, next);
    if (close >= end) break;
    const auto known =
        titles.find(document.substr(next + kOpen.size(), close - next - kOpen.size()));
    if (known != titles.end()) out += fmt::format("<title>{}</title>", escaped(known->second));
    at = close + kClose.size();
  }
  out.append(document, at, end - at);
  out += "</svg>";
  return vast
             ? out +
                   "<p class=\"paper\">The picture is too large for paper: see the page itself, or "
                   "plan --svg.</p>"
             : out;
}

}  // namespace vultus::report
