#include "report/page.hpp"

#include <fmt/format.h>

#include "report/text.hpp"

namespace vultus::report {

namespace {

/// Patterns that charts fill their shapes with: devices differ in grey as well.
constexpr std::string_view kPatterns =
    "<svg class=\"defs\" width=\"0\" height=\"0\" aria-hidden=\"true\" focusable=\"false\"><defs>"
    "<pattern id=\"hatch\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\" "
    "patternTransform=\"rotate(45)\"><rect class=\"ground\" width=\"6\" height=\"6\"/>"
    "<rect class=\"line\" width=\"2\" height=\"6\"/></pattern>"
    "<pattern id=\"dots\" width=\"5\" height=\"5\" patternUnits=\"userSpaceOnUse\">"
    "<rect class=\"ground\" width=\"5\" height=\"5\"/><circle class=\"line\" cx=\"2.5\" "
    "cy=\"2.5\" r=\"1.1\"/></pattern>"
    "<pattern id=\"stripes\" width=\"4\" height=\"4\" patternUnits=\"userSpaceOnUse\">"
    "<rect class=\"ground\" width=\"4\" height=\"4\"/><rect class=\"line\" width=\"4\" "
    "height=\"1.4\"/></pattern></defs></svg>\n";

constexpr size_t kShort = 12;  ///< rows of a table that stays on one sheet of paper

std::string_view css_of(Table::Kind kind) {
  return kind == Table::Kind::number ? "num" : kind == Table::Kind::bar ? "bar" : "text";
}

/// JSON that cannot end the element it stands in: "<" only occurs in strings.
std::string inert(std::string_view json) {
  std::string out;
  out.reserve(json.size());
  for (char c : json)
    if (c == '<')
      out += "\\u003c";
    else
      out += c;
  return out;
}

}  // namespace

void Page::add(std::string id, std::string heading, std::string body) {
  if (!body.empty()) sections.push_back({std::move(id), std::move(heading), std::move(body)});
}

std::string Page::head() const {
  const auto sources = [](const Asset& first, const std::vector<Asset>& more) {
    std::string out = fmt::format("'sha256-{}'", first.hash);
    for (const Asset& asset : more)
      out += fmt::format(" 'sha256-{}'", asset.hash);
    return out;
  };
  std::string out = fmt::format(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; {}"
      "style-src {}; script-src {}; base-uri 'none'; form-action 'none'\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n"
      "<title>{} - Vultus {}</title>\n<style>{}</style>\n",
      pictures ? "img-src data:; " : "", sources(kStyle, styles), sources(kScript, scripts),
      escaped(title), escaped(kind), kStyle.text);
  for (const Asset& style : styles)
    out += fmt::format("<style>{}</style>\n", style.text);
  return out + "</head>\n";
}

std::string Page::html() const {
  std::string out =
      head() + fmt::format(
                   "<body>\n{}<a class=\"skip\" href=\"#main\">Skip to the "
                   "content</a>\n<header>\n<p class=\"kind\">Vultus {}</p>\n"
                   "<h1>{}</h1>\n<p class=\"headline\">{}</p>\n{}",
                   kPatterns, escaped(kind), escaped(title), escaped(headline), notice);
  out += "<dl class=\"facts\">\n";
  for (const Fact& fact : facts)
    out +=
        fmt::format("<div><dt>{}</dt><dd>{}</dd></div>\n", escaped(fact.what), escaped(fact.value));
  out += "</dl>\n</header>\n<nav aria-label=\"Contents\"><ul>\n";
  for (const Section& section : sections)
    out += fmt::format("<li><a href=\"#{}\">{}</a></li>\n", section.id, escaped(section.heading));
  out += "</ul></nav>\n<main id=\"main\">\n";
  for (const Section& section : sections)
    out += fmt::format(
        "<section id=\"{0}\" aria-labelledby=\"{0}-h\">\n<h2 id=\"{0}-h\">{1}</h2>\n{2}"
        "</section>\n",
        section.id, escaped(section.heading), section.body);
  out += "</main>\n";
  if (!footer.empty()) out += "<footer>\n" + footer + "</footer>\n";
  out +=
      "<div id=\"tip\" role=\"tooltip\" hidden></div>\n<div id=\"said\" class=\"unseen\" "
      "role=\"status\"></div>\n";
  if (!data.empty())
    out += "<script type=\"application/json\" id=\"data\">" + inert(data) + "</script>\n";
  out += fmt::format("<script>{}</script>\n", kScript.text);
  for (const Asset& script : scripts)
    out += fmt::format("<script>{}</script>\n", script.text);
  return out + "</body>\n</html>\n";
}

std::string paragraph(std::string_view text) {
  return fmt::format("<p>{}</p>\n", escaped(text));
}

std::string list(const std::vector<std::string>& items) {
  if (items.empty()) return {};
  std::string out = "<ul>\n";
  for (const std::string& item : items)
    out += fmt::format("<li>{}</li>\n", escaped(item));
  return out + "</ul>\n";
}

std::string figure(std::string_view kind, std::string_view caption, const std::string& drawing) {
  if (drawing.empty()) return {};
  return fmt::format(
      "<figure class=\"{0}\">\n<figcaption>{1}</figcaption>\n<div class=\"scroll\" role=\"region\" "
      "tabindex=\"0\" aria-label=\"{1}\">{2}</div>\n</figure>\n",
      kind, escaped(caption), drawing);
}

std::string Table::cell(const Column& column, const Cell& cell, bool head) const {
  if (column.kind == Kind::bar)
    return fmt::format(
        "<td class=\"bar {}\" data-v=\"{:.6g}\"><svg viewBox=\"0 0 100 10\" width=\"100\" "
        "height=\"10\" aria-hidden=\"true\" focusable=\"false\"><rect width=\"{:.1f}\" "
        "height=\"10\"/></svg></td>",
        cell.css, cell.value, 100 * cell.value);
  const std::string data =
      column.kind == Kind::number ? fmt::format(" data-v=\"{:.9g}\"", cell.value) : "";
  const std::string css =
      fmt::format("{}{}{}", css_of(column.kind), cell.css.empty() ? "" : " ", cell.css);
  return head ? fmt::format("<th scope=\"row\" class=\"{}\"{}>{}</th>", css, data,
                            escaped(cell.text))
              : fmt::format("<td class=\"{}\"{}>{}</td>", css, data, escaped(cell.text));
}

std::string Table::html() const {
  if (rows_.empty()) return {};
  std::string out = fmt::format(
      "<div class=\"scroll table{2}\" role=\"region\" tabindex=\"0\" aria-label=\"{0}\">\n<table "
      "data-rows=\"{1}\">\n<caption>{0}</caption>\n<thead><tr>",
      escaped(caption_), rows_.size(), rows_.size() <= kShort ? " short" : "");
  for (const Column& column : columns_)
    out += fmt::format("<th scope=\"col\" class=\"{}\">{}</th>", css_of(column.kind),
                       escaped(column.heading));
  out += "</tr></thead>\n<tbody>\n";
  for (const std::vector<Cell>& row : rows_) {
    out += "<tr>";
    for (size_t i = 0; i < row.size(); ++i)
      out += cell(columns_[i], row[i], i == 0);
    out += "</tr>\n";
  }
  return out + "</tbody>\n</table>\n</div>\n";
}

}  // namespace vultus::report
