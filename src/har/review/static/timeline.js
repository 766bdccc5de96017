// Draws scores and events of a recording on a canvas, and turns the pointer into what it means.

const FONT = "12px system-ui, sans-serif";
const GUTTER = [96, 220];
const MAX_SHARE = 0.3;
const LINE_H = 15;
const SCORE_H = 34;
const ROW_H = 20;
const GAP = 6;
const OVERVIEW_H = 22;
const EDGE_PX = 6;
const WHOLE = "whole recording";
const MIN_SPAN_S = 0.5;

export class Timeline {
  constructor(canvas, actions) {
    this.canvas = canvas;
    canvas.timeline = this;
    this.actions = actions;
    this.context = canvas.getContext("2d");
    this.view = [0, 1];
    this.now = 0;
    this.drag = null;
    this.lanes = null;
    canvas.addEventListener("pointerdown", (event) => this.onDown(event));
    canvas.addEventListener("pointermove", (event) => this.onMove(event));
    canvas.addEventListener("pointerup", (event) => this.onUp(event));
    canvas.addEventListener("pointercancel", () => (this.drag = null));
    canvas.addEventListener("wheel", (event) => this.onWheel(event), { passive: false });
    new ResizeObserver(() => this.resize()).observe(canvas.parentElement);
    this.frame = 0;
  }

  show(lanes, labels, scores, selected) {
    const isOther = this.lanes !== lanes;
    Object.assign(this, { lanes, labels, scores, selected });
    if (isOther) this.view = [0, lanes.recording.duration_s];
    this.resize();
  }

  // Rows from top to bottom. Names make the gutter as wide as they need, within bounds, and their row
  // as high: nothing of them is cut.
  layOut() {
    const rows = [];
    const labels = this.scores ? this.scores.labels : [];
    for (const label of labels) rows.push({ kind: "score", label, name: label, height: SCORE_H, title: "" });
    const sources = [
      ["model", "found", this.lanes.found.filter((event) => event.source !== "coding")],
      ["coding", "coded before", this.lanes.found.filter((event) => event.source === "coding")],
      ["other", "other observers", this.lanes.recording.others.filter((item) => item.kind === "keep")],
      ["mine", "yours", this.lanes.mine],
    ];
    for (const [kind, title, events] of sources) {
      if (!events.length && (kind === "coding" || kind === "other")) continue;
      const used = this.labels.filter((label) => events.some((event) => event.label === label));
      for (const label of used.length ? used : [""]) {
        const own = events.filter((event) => event.label === label);
        const longest = own.reduce((most, event) => Math.max(most, event.end_s - event.start_s), 0);
        const name = label === used[0] || !label ? `${title}: ${label || "none"}` : label;
        rows.push({ kind, label, height: ROW_H, title, name, events: own, longest });
      }
    }
    this.fit(rows);
    let y = GAP;
    for (const [k, row] of rows.entries()) {
      if (k && row.title !== rows[k - 1].title) y += GAP;
      row.y = y;
      y += row.height + 2;
    }
    this.sampleRow = { y: y + GAP };
    this.height = y + GAP + OVERVIEW_H + 8;
    return rows;
  }

  fit(rows) {
    const c = this.context;
    c.font = FONT;
    const names = [...rows.map((row) => row.name), WHOLE];
    const widest = Math.max(...names.map((name) => c.measureText(name).width)) + 10;
    this.gutter = Math.min(Math.max(widest, GUTTER[0]), GUTTER[1], Math.max(this.width * MAX_SHARE, GUTTER[0]));
    for (const row of rows) {
      row.lines = this.wrap(row.name);
      row.height = Math.max(row.height, row.lines.length * LINE_H + 4);
    }
  }

  // Lines of a name that are no wider than the gutter, broken at spaces, in words where it must be.
  wrap(name) {
    const isWide = (text) => this.context.measureText(text).width > this.gutter - 8;
    const lines = [""];
    for (const piece of name.split(/(?<= )/)) {
      if (lines.at(-1) && isWide(lines.at(-1) + piece.trimEnd())) lines.push("");
      for (const letter of piece) {
        if (lines.at(-1) && letter !== " " && isWide(lines.at(-1) + letter)) lines.push("");
        lines[lines.length - 1] += letter;
      }
    }
    return lines.map((line) => line.trim());
  }

  resize() {
    if (!this.lanes) return;
    const ratio = window.devicePixelRatio || 1;
    this.width = this.canvas.parentElement.clientWidth;
    this.rows = this.layOut();
    this.canvas.style.height = `${this.height}px`;
    this.canvas.width = Math.round(this.width * ratio);
    this.canvas.height = Math.round(this.height * ratio);
    this.context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.colors = readColors();
    this.draw();
  }

  setNow(now, follow) {
    this.now = now;
    const [low, high] = this.view;
    if (follow && !this.drag && (now < low || now > high)) {
      this.setView(now - (high - low) * 0.1, high - low);
    }
    this.draw();
  }

  setView(low, span) {
    const last = this.lanes.recording.duration_s;
    const length = Math.min(Math.max(span, MIN_SPAN_S), last);
    const start = Math.min(Math.max(low, 0), last - length);
    this.view = [start, start + length];
    this.draw();
  }

  zoom(factor, at = this.now) {
    const [low, high] = this.view;
    const center = at < low || at > high ? (low + high) / 2 : at;
    this.setView(center - (center - low) * factor, (high - low) * factor);
  }

  toX(time) {
    const [low, high] = this.view;
    return this.gutter + ((time - low) / (high - low)) * (this.width - this.gutter - 4);
  }

  toTime(x) {
    const [low, high] = this.view;
    return low + ((x - this.gutter) / (this.width - this.gutter - 4)) * (high - low);
  }

  draw() {
    if (this.frame || !this.lanes) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this.paint();
    });
  }

  paint() {
    const { context: c, colors, width, height } = this;
    c.clearRect(0, 0, width, height);
    c.font = FONT;
    c.textBaseline = "middle";
    c.fillStyle = colors.lane;
    for (const row of this.rows) c.fillRect(this.gutter, row.y, width - this.gutter - 4, row.height);
    this.paintSamples();
    for (const row of this.rows) {
      this.paintName(row.lines, row.y + row.height / 2);
      if (row.kind === "score") this.paintScores(row);
      else for (const event of this.inView(row)) this.paintEvent(row, event);
    }
    this.paintOverview();
    const x = this.toX(this.now);
    if (x >= this.gutter) {
      c.fillStyle = colors.now;
      c.fillRect(x - 1, 0, 2, height - OVERVIEW_H - 6);
    }
  }

  paintSamples() {
    const c = this.context;
    c.fillStyle = this.colors.sample;
    c.globalAlpha = 0.6;
    for (const item of this.lanes.samples) {
      if (item.end_s < this.view[0] || item.start_s > this.view[1]) continue;
      const left = Math.max(this.toX(item.start_s), this.gutter);
      c.fillRect(left, 0, Math.max(this.toX(item.end_s) - left, 1), this.height - OVERVIEW_H - 6);
    }
    c.globalAlpha = 1;
  }

  paintScores(row) {
    const { context: c, scores } = this;
    const column = scores.labels.indexOf(row.label) + 1;
    const first = Math.max(Math.floor(this.findStep(this.view[0])) - 1, 0);
    const n = scores.values.length / scores.width;
    const last = Math.min(Math.ceil(this.findStep(this.view[1])) + 1, n);
    const step = Math.max(Math.floor((last - first) / ((this.width - this.gutter) * 1.5)), 1);
    c.beginPath();
    for (let k = first; k < last; k += step) {
      let most = 0;
      for (let i = k; i < Math.min(k + step, last); i++) {
        most = Math.max(most, scores.values[i * scores.width + column]);
      }
      const x = Math.max(this.toX(scores.values[k * scores.width]), this.gutter);
      const y = row.y + row.height - 2 - most * (row.height - 4);
      if (k === first) c.moveTo(x, y);
      else c.lineTo(x, y);
    }
    c.strokeStyle = this.colorOf(row.label);
    c.lineWidth = 1.5;
    c.stroke();
  }

  findStep(time) {
    const { values, width } = this.scores;
    let low = 0;
    let high = values.length / width;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (values[middle * width] < time) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  // Events of a row that are in view: those by start, found by halving, so thousands cost nothing.
  inView(row) {
    const [low, high] = this.view;
    let first = 0;
    let end = row.events.length;
    while (first < end) {
      const middle = (first + end) >> 1;
      if (row.events[middle].start_s < low - row.longest) first = middle + 1;
      else end = middle;
    }
    const seen = [];
    for (let k = first; k < row.events.length && row.events[k].start_s <= high; k++) {
      if (row.events[k].end_s >= low) seen.push(row.events[k]);
    }
    return seen;
  }

  paintEvent(row, event) {
    const { context: c, colors } = this;
    const isSelected = this.selected === event.key && (row.kind === "mine" || row.kind === "model");
    const [start, end] = this.drag?.key === event.key && row.kind === this.drag.row ? this.drag.span : [event.start_s, event.end_s];
    const left = Math.max(this.toX(start), this.gutter);
    const width = Math.max(this.toX(end) - left, 3);
    const status = row.kind === "model" ? this.lanes.status(event.key) : "";
    c.globalAlpha = row.kind === "mine" ? 1 : status ? 0.3 : 0.75;
    c.fillStyle = this.colorOf(event.label);
    c.fillRect(left, row.y + 2, width, row.height - 4);
    c.globalAlpha = 1;
    if (status === "reject") {
      c.fillStyle = colors.ink;
      c.fillRect(left, row.y + row.height / 2 - 1, width, 2);
    }
    if (isSelected) {
      c.strokeStyle = colors.ink;
      c.lineWidth = 2;
      c.strokeRect(left - 1, row.y + 1, width + 2, row.height - 2);
    }
  }

  paintOverview() {
    const { context: c, colors } = this;
    const top = this.height - OVERVIEW_H;
    const last = this.lanes.recording.duration_s;
    const scale = (this.width - this.gutter - 4) / last;
    c.fillStyle = colors.lane;
    c.fillRect(this.gutter, top, last * scale, OVERVIEW_H - 2);
    this.paintName([WHOLE], top + OVERVIEW_H / 2);
    c.fillStyle = colors.faint;
    let drawn = -1;
    for (const event of this.lanes.list()) {
      const x = Math.floor(this.gutter + event.start_s * scale);
      if (x === drawn) continue;
      drawn = x;
      c.fillRect(x, top + 4, Math.max((event.end_s - event.start_s) * scale, 1), OVERVIEW_H - 10);
    }
    c.strokeStyle = colors.ink;
    c.lineWidth = 1.5;
    const [low, high] = this.view;
    c.strokeRect(this.gutter + low * scale, top + 1, Math.max((high - low) * scale, 4), OVERVIEW_H - 4);
    c.fillStyle = colors.now;
    c.fillRect(this.gutter + this.now * scale - 1, top, 2, OVERVIEW_H - 2);
  }

  paintName(lines, y) {
    const c = this.context;
    c.fillStyle = this.colors.ink;
    const top = y - ((lines.length - 1) * LINE_H) / 2;
    for (const [k, line] of lines.entries()) c.fillText(line, 4, top + k * LINE_H);
  }

  colorOf(label) {
    const place = this.labels.indexOf(label);
    return this.colors.labels[Math.max(place, 0) % this.colors.labels.length];
  }

  place(event) {
    const box = this.canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  // What is under the pointer: a bar's left edge, right edge or middle, the overview, or nothing.
  hit(x, y) {
    if (y >= this.height - OVERVIEW_H) return { part: "overview" };
    const row = this.rows.find((item) => item.events && y >= item.y && y <= item.y + item.height);
    if (!row || x < this.gutter) return { part: "" };
    let best = null;
    for (const event of this.inView(row)) {
      const left = this.toX(event.start_s);
      const right = Math.max(this.toX(event.end_s), left + 3);
      if (x < left - EDGE_PX || x > right + EDGE_PX) continue;
      const reach = Math.min(EDGE_PX, Math.max((right - left) / 3, 2));
      const part = x <= left + reach ? "start" : x >= right - reach ? "end" : "middle";
      const selected = event.key === this.selected;
      if (!best || selected) best = { part, event, row };
    }
    return best || { part: "" };
  }

  onDown(event) {
    if (!this.lanes) return;
    this.canvas.setPointerCapture(event.pointerId);
    const [x, y] = this.place(event);
    const hit = this.hit(x, y);
    if (hit.part === "overview") {
      this.drag = { part: "overview" };
      this.seekOverview(x);
    } else if (hit.event && (hit.row.kind === "mine" || hit.row.kind === "model")) {
      const span = [hit.event.start_s, hit.event.end_s];
      this.drag = { ...hit, key: hit.event.key, row: hit.row.kind, x, span, moved: false };
      this.actions.select(hit.event.key);
    } else {
      this.drag = { part: "pan", x, view: [...this.view], moved: false };
    }
  }

  onMove(event) {
    const [x, y] = this.place(event);
    if (!this.drag) {
      const { part } = this.lanes ? this.hit(x, y) : { part: "" };
      this.canvas.style.cursor = part === "start" || part === "end" ? "ew-resize" : part ? "pointer" : "default";
      return;
    }
    const drag = this.drag;
    if (drag.part === "overview") return this.seekOverview(x);
    drag.moved = drag.moved || Math.abs(x - drag.x) > 3;
    if (!drag.moved) return;
    const delta = this.toTime(x) - this.toTime(drag.x);
    if (drag.part === "pan") {
      const span = drag.view[1] - drag.view[0];
      const scale = span / (this.width - this.gutter - 4);
      this.setView(drag.view[0] - (x - drag.x) * scale, span);
      return;
    }
    const { start_s, end_s } = drag.event;
    if (drag.part === "start") drag.span = this.lanes.bound(Math.min(start_s + delta, end_s - 0.04), end_s);
    else if (drag.part === "end") drag.span = this.lanes.bound(start_s, Math.max(end_s + delta, start_s + 0.04));
    else drag.span = this.lanes.bound(start_s + delta, end_s + delta);
    this.actions.preview(drag.part === "end" ? drag.span[1] : drag.span[0]);
    this.draw();
  }

  onUp(event) {
    const drag = this.drag;
    this.drag = null;
    if (!drag) return;
    if (drag.key && drag.moved) this.actions.move(drag.key, ...drag.span);
    else if (drag.part === "pan" && !drag.moved) this.actions.seek(this.toTime(this.place(event)[0]));
    this.draw();
  }

  seekOverview(x) {
    const last = this.lanes.recording.duration_s;
    const time = Math.min(Math.max(((x - this.gutter) / (this.width - this.gutter - 4)) * last, 0), last);
    this.setView(time - (this.view[1] - this.view[0]) / 2, this.view[1] - this.view[0]);
    this.actions.seek(time);
  }

  onWheel(event) {
    if (!this.lanes) return;
    event.preventDefault();
    const span = this.view[1] - this.view[0];
    if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      this.setView(this.view[0] + ((event.deltaX || event.deltaY) / 600) * span, span);
    } else {
      this.zoom(Math.exp(event.deltaY / 400), this.toTime(this.place(event)[0]));
    }
  }
}

function readColors() {
  const style = getComputedStyle(document.documentElement);
  const read = (name) => style.getPropertyValue(name).trim();
  return {
    ink: read("--ink"),
    faint: read("--faint"),
    lane: read("--lane"),
    now: read("--accent"),
    sample: read("--sample"),
    labels: [1, 2, 3, 4, 5, 6].map((n) => read(`--label-${n}`)),
  };
}
