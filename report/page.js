"use strict";
// Comfort only: without it everything is there to read, and the browser shows titles itself.
const tip = document.getElementById("tip");

function show(mark) {
  tip.textContent = mark.getAttribute("aria-label");
  tip.hidden = false;
  const at = mark.getBoundingClientRect(), size = tip.getBoundingClientRect();
  const left = Math.max(8, Math.min(at.left + at.width / 2 - size.width / 2, innerWidth - size.width - 8));
  const above = at.top - size.height - 8;
  tip.style.left = left + "px";
  tip.style.top = (above > 4 ? above : Math.min(at.bottom + 8, innerHeight - size.height - 8)) + "px";
}

const hide = () => { tip.hidden = true; };

// A drawing is one stop for Tab; arrows, Home and End move inside it.
function connect(drawing) {
  const marks = [...drawing.querySelectorAll(".mark, .node")];
  const focus = (i) => {
    marks.forEach((mark) => mark.setAttribute("tabindex", "-1"));
    marks[i].setAttribute("tabindex", "0");
  };
  marks.forEach((mark, i) => {
    const title = mark.querySelector("title");
    mark.setAttribute("role", "img");
    mark.setAttribute("aria-label", title ? title.textContent : mark.textContent.trim());
    if (title) title.remove();
    mark.querySelectorAll("a").forEach((link) => link.removeAttribute("xlink:title"));
    mark.addEventListener("pointerenter", () => show(mark));
    mark.addEventListener("pointerleave", hide);
    mark.addEventListener("focus", () => { focus(i); show(mark); });
    mark.addEventListener("blur", hide);
    mark.addEventListener("keydown", (event) => {
      const to = { ArrowRight: i + 1, ArrowDown: i + 1, ArrowLeft: i - 1, ArrowUp: i - 1, Home: 0, End: marks.length - 1 }[event.key];
      if (event.key === "Escape") hide();
      if (to === undefined || !marks[to]) return;
      event.preventDefault();
      marks[to].focus();
    });
  });
  if (marks.length) focus(0);
}

// Pictures begin where the network does; a button shows those that are larger than their frame whole.
function frame(drawing) {
  const view = drawing.closest(".scroll");
  const toFirst = () => {
    const boxes = [...drawing.querySelectorAll(".node")].map((node) => node.getBoundingClientRect());
    const at = boxes.reduce((first, box) => (box.top < first.top ? box : first)), area = view.getBoundingClientRect();
    view.scrollLeft += at.left + at.width / 2 - area.left - area.width / 2;
  };
  toFirst();
  if (view.scrollHeight <= view.clientHeight && view.scrollWidth <= view.clientWidth) return;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "whole";
  button.textContent = "Whole picture";
  button.setAttribute("aria-pressed", "false");
  button.addEventListener("click", () => {
    const whole = drawing.classList.toggle("whole");
    button.setAttribute("aria-pressed", String(whole));
    if (!whole) toFirst();
  });
  view.before(button);
}

function value(cell) {
  return cell.dataset.v === undefined ? cell.textContent : Number(cell.dataset.v);
}

function sortable(table) {
  const heads = [...table.tHead.rows[0].cells], body = table.tBodies[0];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const numbers = head.classList.contains("num") || head.classList.contains("bar");
      const was = head.getAttribute("aria-sort");
      // Numbers are first wanted from the largest on.
      const down = was ? was === "ascending" : numbers;
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const rows = [...body.rows].map((row) => [value(row.cells[column]), row]);
      const compare = (a, b) => (numbers ? a - b : a.localeCompare(b, "en", { numeric: true }));
      rows.sort(([a], [b]) => (down ? compare(b, a) : compare(a, b)));
      body.append(...rows.map(([, row]) => row));
    });
  });
}

function filterable(table) {
  const label = document.createElement("label"), input = document.createElement("input");
  const frame = table.parentElement, said = document.getElementById("said");
  label.className = "filter";
  label.textContent = "Only rows with ";
  input.type = "search";
  input.autocomplete = "off";
  label.append(input);
  frame.before(label);
  input.addEventListener("input", () => {
    const wanted = input.value.toLowerCase();
    let left = 0;
    for (const row of table.tBodies[0].rows) {
      row.hidden = !row.textContent.toLowerCase().includes(wanted);
      left += row.hidden ? 0 : 1;
    }
    said.textContent = left + " of " + table.dataset.rows + " rows";
  });
}

document.querySelectorAll("svg.chart, svg.graph").forEach(connect);
document.querySelectorAll("svg.graph").forEach(frame);
document.querySelectorAll("table").forEach((table) => {
  if (Number(table.dataset.rows) > 1) sortable(table);
  if (Number(table.dataset.rows) > 20) filterable(table);
});
addEventListener("scroll", hide, { passive: true });
