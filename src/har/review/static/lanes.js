// What a person sees of one recording: what was found, what the person says, and how one becomes the
// other. No drawing, no network.

export const EDGE_S = 0.04;
const FIELDS = ["kind", "label", "start_s", "end_s", "subject", "target", "comment"];

export class Lanes {
  constructor(recording, observer, send) {
    this.recording = recording;
    this.observer = observer;
    this.send = send;
    this.byKey = new Map(recording.events.map((event) => [event.key, event]));
    this.found = recording.events.filter((event) => event.source !== "sample");
    this.samples = recording.events.filter((event) => event.source === "sample");
    this.verdicts = new Map(recording.verdicts.map((verdict) => [verdict.key, verdict]));
    this.done = [];
    this.undone = [];
    this.refresh();
  }

  refresh() {
    const kept = [...this.verdicts.values()].filter((verdict) => verdict.kind === "keep");
    this.mine = kept.sort((a, b) => a.start_s - b.start_s);
    const open = this.found.filter((event) => !this.status(event.key) && event.source !== "coding");
    this.all = [...this.mine, ...open].sort((a, b) => a.start_s - b.start_s || a.end_s - b.end_s);
    this.version = (this.version || 0) + 1;
  }

  status(key) {
    const verdict = this.verdicts.get(key);
    return !verdict || verdict.kind === "clear" ? "" : verdict.kind;
  }

  // What became of an event, in the words of the queue's figures (`judge` in queue.py).
  outcome(key) {
    const verdict = this.verdicts.get(key);
    const event = this.byKey.get(key);
    const status = this.status(key);
    if (status !== "keep") return { "": "open", reject: "rejected", watched: "watched" }[status];
    if (!event) return "added";
    if (verdict.label !== event.label) return "relabeled";
    const movedS = Math.max(Math.abs(verdict.start_s - event.start_s), Math.abs(verdict.end_s - event.end_s));
    const samePeople = verdict.subject === event.subject && verdict.target === event.target;
    return samePeople && movedS < 0.001 ? "kept" : "mended";
  }

  // The event as the person has it: the own verdict, else what was found.
  find(key) {
    const verdict = this.verdicts.get(key);
    if (verdict && verdict.kind === "keep") return verdict;
    return this.byKey.get(key);
  }

  // Decide: `changes` are the fields of each key after the step. One step is undone as a whole.
  decide(changes) {
    const before = new Map(changes.map(([key]) => [key, this.content(key)]));
    this.done.push({ before, after: new Map(changes.map(([key, to]) => [key, this.fill(key, to)])) });
    this.undone = [];
    this.apply(this.done.at(-1).after);
  }

  content(key) {
    const verdict = this.verdicts.get(key);
    if (!verdict) return { kind: "clear" };
    return Object.fromEntries(FIELDS.map((name) => [name, verdict[name]]));
  }

  fill(key, to) {
    const base = this.find(key) || {};
    const from = Object.fromEntries(FIELDS.slice(1).map((name) => [name, base[name] ?? ""]));
    return { ...from, start_s: base.start_s ?? 0, end_s: base.end_s ?? 0, ...to };
  }

  apply(contents) {
    for (const [key, content] of contents) {
      const before = this.verdicts.get(key);
      const verdict = {
        uuid: crypto.randomUUID(),
        observer: this.observer,
        recording: this.recording.id,
        key,
        version: (before ? before.version : 0) + 1,
        label: "",
        start_s: 0,
        end_s: 0,
        subject: "",
        target: "",
        comment: "",
        ...content,
      };
      this.verdicts.set(key, verdict);
      this.send(verdict);
    }
    this.refresh();
  }

  undo() {
    const step = this.done.pop();
    if (!step) return false;
    this.undone.push(step);
    this.apply(step.before);
    return true;
  }

  redo() {
    const step = this.undone.pop();
    if (!step) return false;
    this.done.push(step);
    this.apply(step.after);
    return true;
  }

  // Somebody else's window was first: theirs stands, and steps of ours on that event are void.
  yieldTo(key, newest) {
    if (newest) this.verdicts.set(key, newest);
    else this.verdicts.delete(key);
    this.done = this.done.filter((step) => !step.before.has(key));
    this.undone = this.undone.filter((step) => !step.before.has(key));
    this.refresh();
  }

  accept(key) {
    if (this.find(key)?.source === "sample") this.decide([[key, { kind: "watched" }]]);
    else this.decide([[key, { kind: "keep" }]]);
  }

  reject(key) {
    const isFound = this.found.some((event) => event.key === key);
    this.decide([[key, { kind: isFound ? "reject" : "clear" }]]);
  }

  relabel(key, label) {
    this.decide([[key, { kind: "keep", label }]]);
  }

  describe(key, fields) {
    this.decide([[key, { kind: "keep", ...fields }]]);
  }

  move(key, start_s, end_s) {
    const [low, high] = this.bound(start_s, end_s);
    this.decide([[key, { kind: "keep", start_s: low, end_s: high }]]);
  }

  bound(start_s, end_s) {
    const last = this.recording.duration_s;
    const low = Math.min(Math.max(start_s, 0), last - EDGE_S);
    return [round(low), round(Math.min(Math.max(end_s, low + EDGE_S), last))];
  }

  add(label, start_s, end_s) {
    const key = `n-${crypto.randomUUID().slice(0, 13)}`;
    const [low, high] = this.bound(start_s, end_s);
    this.decide([[key, { kind: "keep", label, start_s: low, end_s: high }]]);
    return key;
  }

  split(key, at_s) {
    const event = this.find(key);
    if (!event || at_s <= event.start_s + EDGE_S || at_s >= event.end_s - EDGE_S) return "";
    const other = `n-${crypto.randomUUID().slice(0, 13)}`;
    const { label, subject, target, comment } = event;
    this.decide([
      [key, { kind: "keep", end_s: round(at_s) }],
      [other, { kind: "keep", label, subject, target, comment, start_s: round(at_s), end_s: event.end_s }],
    ]);
    return other;
  }

  // Join an event with the next one of its label.
  merge(key) {
    const event = this.find(key);
    if (!event) return false;
    const next = this.list().find((e) => e.start_s >= event.start_s && e.key !== key && e.label === event.label);
    if (!next) return false;
    const end_s = Math.max(event.end_s, next.end_s);
    const own = !this.byKey.has(next.key);
    this.decide([
      [key, { kind: "keep", end_s }],
      [next.key, { kind: own ? "clear" : "reject" }],
    ]);
    return true;
  }

  // All events that count now: the person's, and what was found and is not decided.
  list() {
    return this.all;
  }
}

function round(time_s) {
  return Math.round(time_s * 1000) / 1000;
}
