"use strict";
// Curves over time: uPlot draws, this connects. Everything else on the page is there without it.
(() => {
  const stage = document.getElementById("stage"), data = JSON.parse(document.getElementById("data").textContent);
  const said = document.getElementById("said"), film = document.querySelector(".film");
  const points = data.perSlot > 1 ? 2 : 1, slots = data.starts.length;
  const seconds = data.starts.map((ms) => ms / 1000), last = data.end / 1000;
  const next = (slot) => (slot + 1 < slots ? seconds[slot + 1] : last);
  const xs = points === 1 ? seconds : seconds.flatMap((start, slot) => [start, (start + next(slot)) / 2]);
  const whole = [xs[0], Math.max(last, xs[0] + 1e-3)];
  const step = slots > 1 ? (last - seconds[0]) / (slots - 1) : 1;
  let face = 0, view = whole, pinned = null, fit = false, printing = false, dragged = false, at = null;
  const shown = { left: true, right: true };
  const rows = [], plots = [];

  const make = (tag, css, text) => {
    const element = document.createElement(tag);
    if (css) element.className = css;
    if (text !== undefined) element.textContent = text;
    return element;
  };
  const css = (name) => getComputedStyle(stage).getPropertyValue(name).trim();

  function clock(time, digits) {
    const tens = 10 ** digits, total = Math.round(time * tens), whole = Math.floor(total / tens);
    const hours = Math.floor(whole / 3600), minutes = Math.floor(whole / 60) % 60;
    const rest = String(whole % 60).padStart(2, "0") + (digits ? "." + String(total % tens).padStart(digits, "0") : "");
    return hours ? hours + ":" + String(minutes).padStart(2, "0") + ":" + rest : minutes + ":" + rest;
  }
  const slotOf = (i) => Math.floor(i / points);
  function framesOf(i) {
    const first = slotOf(i) * data.perSlot + 1, final = Math.min(first + data.perSlot - 1, data.frames);
    return first === final ? "frame " + first : "frames " + first + "\u2013" + final;
  }
  function valueOf(series, i) {
    const number = (v) => (v / 1000).toFixed(2);
    const first = series[slotOf(i) * points], second = series[slotOf(i) * points + points - 1];
    if (first === null) return "\u2013";
    return first === second ? number(first) : number(Math.min(first, second)) + "\u2013" + number(Math.max(first, second));
  }
  const trackAt = (i) => data.tracks.find(([, a, b]) => a <= slotOf(i) && slotOf(i) <= b);
  // Places from which on the curves are of another track.
  const changes = data.tracks.slice(1).map(([, first]) => first * points);
  const flagsAt = (i) => data.lanes.filter((lane) => lane.runs.some(([a, b]) => a <= slotOf(i) && slotOf(i) <= b)).map((lane) => lane.name);

  // ---- What stands where the cursor is.
  const readout = make("div", "readout");
  const where = make("p"), picture = make("figure"), image = make("img"), caption = make("figcaption");
  picture.append(image, caption);
  picture.hidden = true;
  readout.append(where, picture);

  function nearest(time) {
    const images = [...document.querySelectorAll("img[data-seconds]")];
    const distance = (img) => Math.abs(Number(img.dataset.seconds) - time);
    const best = images.reduce((a, b) => (a && distance(a) <= distance(b) ? a : b), null);
    return best && distance(best) <= Math.max((whole[1] - whole[0]) / 20, 0.5) ? best : null;
  }
  function update(i) {
    const shownAt = i ?? pinned;
    if (shownAt === at) return;
    at = shownAt;
    for (const row of rows)
      row.tell(at);
    picture.hidden = true;
    if (at === null) {
      where.textContent = "Point at a curve for its values, click to keep a time, drag to zoom, double-click for the whole length. " +
        "Keys: arrows, + and \u2212, Enter, Escape.";
      return;
    }
    const flags = flagsAt(at);
    where.textContent = clock(xs[at], 2) + "  \u00b7  " + framesOf(at) + (changes.length && trackAt(at) ? "  \u00b7  track " + trackAt(at)[0] : "") + (flags.length ? "  \u00b7  " + flags.join(", ") : "") +
      (at === pinned ? "  \u00b7  kept (Escape lets go)" : "");
    const near = at === pinned ? nearest(xs[at]) : null;
    if (!near) return;
    image.src = near.src;
    image.alt = near.alt;
    caption.textContent = clock(Number(near.dataset.seconds), 2);
    picture.hidden = false;
  }
  function pin(i) {
    pinned = i;
    at = undefined;
    update(null);
    plots.forEach((plot) => plot.redraw(false));
  }

  // ---- The plots: one a row, all with the same stretch of time.
  function zoom(low, high) {
    const length = Math.min(Math.max(high - low, 5 * step), whole[1] - whole[0]);
    const from = Math.min(Math.max((low + high - length) / 2, whole[0]), whole[1] - length);
    view = [from, from + length];
    plots.forEach((plot) => plot.setScale("x", { min: view[0], max: view[1] }));
    reset.disabled = length >= whole[1] - whole[0];
    layFilm();
  }
  function drawUpright(plot, time, width, colour) {
    const x = Math.round(plot.valToPos(time, "x", true)), box = plot.bbox, draw = plot.ctx;
    if (x < box.left || x > box.left + box.width) return;
    draw.save();
    draw.fillStyle = css(colour);
    draw.fillRect(x - width / 2, box.top, width, box.height);
    draw.restore();
  }
  const drawPin = (plot) => pinned !== null && drawUpright(plot, xs[pinned], 2, "--ink");
  const drawChanges = (plot) => changes.forEach((i) => drawUpright(plot, (xs[i - 1] + xs[i]) / 2, 1, "--flag"));
  function options(height, more) {
    const grid = { stroke: () => css("--faint"), width: 1 };
    return {
      width: stage.clientWidth, height, padding: [7, 8, 3, 0], legend: { show: false },
      cursor: {
        y: false, sync: { key: "vultus" }, drag: { x: true, y: false, setScale: false, dist: 4 },
        points: { size: 7, width: 2 }, bind: { dblclick: () => () => { zoom(...whole); return null; } },
      },
      scales: { x: { time: false }, y: { range: [0, 1] } },
      axes: [{ size: 0, values: () => [], ticks: { show: false }, grid, gap: 0 },
        { size: 30, show: true, values: () => [], splits: [0, 1], ticks: { show: false }, grid: { show: false }, stroke: () => css("--soft") }],
      ...more,
      hooks: {
        setCursor: [(plot) => update(plot.cursor.idx ?? null)],
        setSelect: [(plot) => {
          if (plot.select.width < 4) return;
          dragged = true;
          const low = plot.posToVal(plot.select.left, "x"), high = plot.posToVal(plot.select.left + plot.select.width, "x");
          plot.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
          if (plot.cursor.event) zoom(low, high);
        }],
        draw: [...(more.paint ? [more.paint] : []), drawPin],
      },
    };
  }
  function add(row, options, values) {
    const plot = new uPlot(options, values, row);
    plot.over.addEventListener("click", () => {
      if (!dragged && plot.cursor.idx !== null && plot.cursor.idx !== undefined) pin(plot.cursor.idx);
      dragged = false;
    });
    plots.push(plot);
    return plot;
  }

  const isMeasured = (k) => data.faces.some((one) => [...one.left[k], ...one.right[k]].some((v) => v !== null));
  const seriesOf = (k, side) => data.faces[face][side][k];
  const scaled = (values) => values.map((v) => (v === null ? null : v / 1000));
  function curveRow(unit, k) {
    const row = make("div", "row"), head = make("p", "head"), values = make("span", "values");
    const left = make("span", "left"), right = make("span", "right");
    values.append(left, right);
    head.append(make("b", "", unit[0]), " ", make("span", "name", unit[1]), values);
    const zone = data.units.map((one, i) => (one[2] === unit[2] ? i : -1)).filter((i) => i >= 0);
    if (zone[0] === k && zone.some(isMeasured)) row.append(make("h3", "zone", unit[2]));
    row.append(head);
    stage.append(row);
    // No line joins two tracks; where there is no value on one side uPlot leaves it out itself.
    const gaps = (plot, series, from, to, empty) => empty.concat(changes
      .filter((i) => i > from && i <= to && plot.data[series][i - 1] !== null && plot.data[series][i] !== null)
      .map((i) => [plot.valToPos(xs[i - 1], "x", true), plot.valToPos(xs[i], "x", true)])).sort((a, b) => a[0] - b[0]);
    const line = (side) => ({ label: side, gaps, stroke: () => css("--" + side), width: 1.6, points: { size: 4, fill: () => css("--" + side) } });
    const both = (plot) => [...plot.data[1], ...plot.data[2]].filter((v) => v !== null);
    const range = (plot) => {
      if (!fit) return [0, 1];
      const all = both(plot), low = all.reduce((a, b) => Math.min(a, b), 1), high = all.reduce((a, b) => Math.max(a, b), 0);
      const room = Math.max(0.02, high - low) * 0.06;
      return all.length ? [Math.max(0, low - room), Math.min(1, high + room)] : [0, 1];
    };
    const number = (v) => (v === 0 || v === 1 ? String(v) : v.toFixed(2));
    const plot = add(row, options(66, {
      scales: { x: { time: false }, y: { range: (plot) => range(plot) } },
      axes: [{ size: 0, values: () => [], ticks: { show: false }, gap: 0, grid: { stroke: () => css("--faint"), width: 1 } },
        {
          size: 30, gap: 3, font: "10px system-ui, sans-serif", stroke: () => css("--soft"), ticks: { show: false },
          grid: { stroke: () => css("--faint"), width: 1 },
          splits: (plot, axis, low, high) => (fit ? [low, high] : [0, 0.5, 1]), values: (plot, splits) => splits.map(number),
        }],
      series: [{}, line("left"), line("right")],
      paint: drawChanges,
      bands: [{ series: [1, 2], fill: () => css("--left-soft") }, { series: [2, 1], fill: () => css("--right-soft") }],
    }), [xs, [], []]);
    const fill = () => {
      plot.setData([xs, scaled(seriesOf(k, "left")), scaled(seriesOf(k, "right"))], false);
      row.classList.toggle("empty", both(plot).length === 0);
    };
    const tell = (i) => {
      left.textContent = i === null ? "" : "left " + valueOf(seriesOf(k, "left"), i);
      right.textContent = i === null ? "" : "right " + valueOf(seriesOf(k, "right"), i);
    };
    fill();
    rows.push({ row, unit, plot, fill, tell });
  }
  function laneRow(lane) {
    const row = make("div", "row lane"), head = make("p", "head");
    head.append(make("span", "name", lane.name));
    row.append(head);
    stage.append(row);
    const paint = (plot) => {
      const draw = plot.ctx, box = plot.bbox;
      draw.save();
      draw.beginPath();
      draw.rect(box.left, box.top, box.width, box.height);
      draw.clip();
      draw.font = `${0.85 * box.height}px system-ui, sans-serif`;
      draw.textAlign = "left";
      draw.textBaseline = "middle";
      lane.runs.forEach(([first, final], k) => {
        const x = plot.valToPos(seconds[first] - step / 2, "x", true), end = plot.valToPos(seconds[final] + step / 2, "x", true);
        const name = lane.ids ? String(lane.ids[k]) : "";
        draw.fillStyle = css(!lane.ids ? "--flag" : k % 2 ? "--faint" : "--rule");
        draw.fillRect(x, box.top, Math.max(end - x, 3), box.height);
        draw.fillStyle = css("--ink");
        const from = Math.max(x, box.left) + 3;
        if (name && from + draw.measureText(name).width < end) draw.fillText(name, from, box.top + box.height / 2);
      });
      draw.restore();
    };
    add(row, options(lane.ids ? 26 : 20, { series: [{}, { show: false }], paint }), [xs, xs.map(() => null)]);
  }
  function axisRow() {
    const row = make("div", "row axis");
    stage.append(row);
    const digits = () => (view[1] - view[0] < 10 ? 1 : 0);
    const plot = options(30, { series: [{}, { show: false }] });
    plot.padding = [0, 8, 0, 0];
    plot.axes[0] = {
      size: 26, space: 70, font: "11px system-ui, sans-serif", stroke: () => css("--soft"), grid: { show: false },
      ticks: { stroke: () => css("--rule"), width: 1, size: 4 }, values: (_, splits) => splits.map((v) => clock(v, digits())),
      incrs: [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600],
    };
    add(row, plot, [xs, xs.map(() => null)]);
  }

  // ---- Small pictures above the time they belong to, as many as fit.
  function layFilm() {
    if (!film) return;
    const over = plots[0].over.getBoundingClientRect(), box = film.getBoundingClientRect();
    let free = -1e9;
    for (const item of film.children) {
      const time = Number(item.querySelector("img").dataset.seconds), width = item.offsetWidth || 64;
      const x = over.left - box.left + plots[0].valToPos(time, "x");
      const left = Math.max(0, Math.min(x - width / 2, film.clientWidth - width));
      const inside = time >= view[0] && time <= view[1] && left >= free;
      item.style.left = left + "px";
      item.style.visibility = inside ? "visible" : "hidden";
      if (inside) free = left + width + 3;
    }
  }

  // ---- Switches.
  const bar = make("div", "switches");
  function button(text, pressed, act, css) {
    const made = make("button", css, text);
    made.type = "button";
    if (pressed !== null) made.setAttribute("aria-pressed", String(pressed));
    made.addEventListener("click", () => {
      if (pressed !== null) made.setAttribute("aria-pressed", String((pressed = !pressed)));
      act(pressed);
    });
    return made;
  }
  const reset = button("Whole length", null, () => zoom(...whole));
  function group(label, ...items) {
    const made = make("div", "group");
    made.setAttribute("role", "group");
    made.setAttribute("aria-label", label);
    made.append(...items);
    return made;
  }
  function chooser() {
    const label = make("label", "chooser", "Face "), select = make("select");
    data.faces.forEach((one, k) => select.append(new Option(one.id === null ? "all" : String(one.id), String(k))));
    select.addEventListener("change", () => {
      face = Number(select.value);
      rows.forEach((row) => { row.fill(); row.plot.redraw(true, true); });
      at = undefined;
      update(null);
    });
    label.append(select);
    return label;
  }
  const side = (name, words) => button(words, true, (on) => {
    shown[name] = on;
    rows.forEach((row) => row.plot.setSeries(name === "left" ? 1 : 2, { show: on }));
  }, "side " + name);

  function keys(event) {
    const i = at ?? pinned, length = view[1] - view[0], middle = i === null || i === undefined ? (view[0] + view[1]) / 2 : xs[i];
    const stride = points * (event.shiftKey ? Math.max(1, Math.round(slots / 50)) : 1);
    const go = (to) => {
      const target = Math.min(Math.max(to, 0), xs.length - 1);
      if (xs[target] < view[0] || xs[target] > view[1]) zoom(xs[target] - length / 2, xs[target] + length / 2);
      queueMicrotask(() => {
        plots.forEach((plot) => plot.setCursor({ left: plot.valToPos(xs[target], "x"), top: 1 }, false));
        update(target);
        said.textContent = where.textContent;
      });
    };
    const start = i ?? xs.findIndex((x) => x >= view[0]);
    const act = {
      ArrowRight: () => go(start + stride), ArrowLeft: () => go(start - stride), Home: () => go(0), End: () => go(xs.length - 1),
      "+": () => zoom(middle - length / 4, middle + length / 4), "-": () => zoom(middle - length, middle + length),
      Enter: () => pin(i ?? null), Escape: () => { pin(null); zoom(...whole); },
    }[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }

  // ---- Together.
  stage.hidden = false;
  bar.append(group("Sides", side("left", "Left"), side("right", "Right")),
    group("Action units", ...data.units.map((unit, k) => {
      const chip = button(unit[0], true, (on) => { rows[k].row.hidden = !on; }, "chip");
      chip.title = unit[1];
      chip.disabled = !isMeasured(k);
      return chip;
    })),
    group("Scale", button("Fit height", false, (on) => { fit = on; rows.forEach((row) => row.plot.redraw(true, true)); rows.forEach((row) => row.plot.setScale("y", { min: 0, max: 1 })); }), reset));
  if (data.faces.length > 1) bar.prepend(chooser());
  stage.before(bar, readout);
  data.units.forEach(curveRow);
  if (changes.length) laneRow({ name: "track (face_id)", runs: data.tracks.map(([, first, final]) => [first, final]), ids: data.tracks.map(([id]) => id) });
  data.lanes.forEach(laneRow);
  axisRow();
  if (film) {
    film.classList.add("placed");
    stage.prepend(film);
  }
  stage.tabIndex = 0;
  stage.addEventListener("keydown", keys);
  stage.addEventListener("mouseleave", () => update(null));
  for (const moment of document.querySelectorAll(".moment")) {
    const time = Number(moment.querySelector("img").dataset.seconds);
    const nearestTo = xs.reduce((best, x, i) => (Math.abs(x - time) < Math.abs(xs[best] - time) ? i : best), 0);
    moment.append(button("Show in the curves", null, () => {
      pin(nearestTo);
      readout.scrollIntoView({ block: "center" });
      stage.focus({ preventScroll: true });
    }, "jump"));
  }
  pin(null);
  zoom(...whole);

  const paint = () => plots.forEach((plot) => plot.redraw(false, true));
  const resize = (width) => { plots.forEach((plot) => plot.setSize({ width, height: plot.height })); layFilm(); };
  new ResizeObserver(() => { if (!printing && stage.clientWidth > 0) resize(stage.clientWidth); }).observe(stage);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", paint);
  const print = (on) => {
    printing = on;
    stage.classList.toggle("printing", on);
    resize(on ? 680 : stage.clientWidth);
    paint();
  };
  addEventListener("beforeprint", () => print(true));
  addEventListener("afterprint", () => print(false));
})();
