#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "report/assets.hpp"

namespace vultus::report {

/// How a page came to be.
struct Provenance {
  std::string command, version, date;  ///< date: "2026-11-21 14:05 UTC"
  std::string network;                 ///< its file
};

/// One self-contained HTML document: styles and the script inside, no other file, and a policy that
/// lets the browser ask for none. Texts are escaped here; `body` and `extra` are markup.
struct Page {
  struct Fact {
    std::string what, value;
  };
  struct Section {
    std::string id, heading, body;
  };
  std::string kind, title, headline;  ///< "Plan", the network, one sentence
  std::vector<Fact> facts;
  std::vector<Section> sections;
  std::vector<Asset> styles = {}, scripts = {};  ///< besides those of every page
  bool pictures = false;                         ///< holds <img> with data: addresses
  /// JSON for the scripts, as the text of #data; nothing: there is no such element.
  std::string data = {};
  std::string notice = {}, footer = {};  ///< markup, below the headline and at the end

  /// Left out when there is nothing in it.
  void add(std::string id, std::string heading, std::string body);
  std::string html() const;

 private:
  std::string head() const;
};

/// <p> with that text.
std::string paragraph(std::string_view text);
std::string list(const std::vector<std::string>& items);
/// A drawing with its caption, scrolling in itself where the page is narrow. `kind` is its class.
std::string figure(std::string_view kind, std::string_view caption, const std::string& drawing);

/// A table that can be sorted and, when it is long, filtered.
class Table {
 public:
  enum class Kind { text, number, bar };
  struct Column {
    std::string heading;
    Kind kind = Kind::text;
  };
  /// Sorted by `value` in columns of numbers; in a bar, its length 0..1.
  struct Cell {
    std::string text;
    double value = 0;
    std::string css = {};
  };
  Table(std::string caption, std::vector<Column> columns)
      : caption_(std::move(caption)), columns_(std::move(columns)) {}
  void row(std::vector<Cell> cells) { rows_.push_back(std::move(cells)); }
  bool empty() const { return rows_.empty(); }
  /// The first column heads its row.
  std::string html() const;

 private:
  std::string cell(const Column& column, const Cell& cell, bool head) const;
  std::string caption_;
  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
};

}  // namespace vultus::report
