// The page: who is there, which recordings, one recording, the queue.

import { html, render, useState, useEffect, useRef } from "./vendor/htm-preact-3.1.1.js";
import { Outbox, getJson, postJson } from "./server.js";
import { Recording } from "./recording.js";
import { formatTime } from "./words.js";

const SIGNED = "har-review-observer";

function App() {
  const [observer, setObserver] = useState(sessionStorage.getItem(SIGNED) || "");
  const [blind, setBlind] = useState(false);
  const [project, setProject] = useState(null);
  const [place, setPlace] = useState({ kind: location.pathname === "/live" ? "live" : "recordings" });
  const [error, setError] = useState("");
  const [, setTick] = useState(0);
  const listeners = useRef(new Set());
  const outbox = useRef(null);
  if (!outbox.current) {
    outbox.current = new Outbox(
      () => setTick((tick) => tick + 1),
      (verdict, newest, why) => {
        setError(
          newest
            ? "This event was changed in another window; what stands there now is shown."
            : `A decision was refused: ${why || "it does not fit"}`,
        );
        for (const listener of listeners.current) listener(verdict, newest);
      },
    );
  }
  const reload = () => getJson("/api/project").then(setProject, (problem) => setError(problem.message));
  useEffect(() => {
    reload();
  }, [place]);
  useEffect(() => {
    const places = { q: blind ? "" : "queue", r: "recordings", w: !blind && project?.is_watched ? "live" : "" };
    const onKey = (event) => {
      const isTyping = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
      const kind = places[event.key.toLowerCase()];
      if (kind && observer && !isTyping && !event.ctrlKey && !event.metaKey && !event.altKey) setPlace({ kind });
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, [observer, blind, project]);
  const sign = (name, isBlind) => {
    sessionStorage.setItem(SIGNED, name);
    setObserver(name);
    setBlind(isBlind);
  };
  if (!project) return html`<p class="loading" role="status">${error || "Loading"}</p>`;
  if (!observer) return html`<${SignIn} known=${project.observers} onSign=${sign} />`;
  const share = { project, observer, blind, outbox: outbox.current, listeners: listeners.current, setError };
  return html`
    <${Head} isWatched=${project.is_watched} observer=${observer} blind=${blind} place=${place} onPlace=${setPlace}
      onLeave=${() => sign("", false)} outbox=${outbox.current} />
    <main>
      ${error && html`<p class="message" role="alert">${error} <button onClick=${() => setError("")}>OK</button></p>`}
      ${place.kind === "recordings" && html`<${List} ...${share} onOpen=${(id) => setPlace({ kind: "recording", id })} />`}
      ${place.kind === "recording" && html`<${Recording} key=${place.id} ...${share} id=${place.id} />`}
      ${place.kind === "live" && html`<${Live} setError=${setError} onOpen=${(id) => setPlace({ kind: "recording", id })} />`}
      ${place.kind === "queue" && html`<${Queue} ...${share} />`}
    </main>`;
}

function SignIn({ known, onSign }) {
  const [name, setName] = useState("");
  const [blind, setBlind] = useState(false);
  const field = useRef(null);
  useEffect(() => field.current.focus(), []);
  const submit = (event) => {
    event.preventDefault();
    if (name.trim()) onSign(name.trim().slice(0, 80), blind);
  };
  return html`<main><form class="sign panel" onSubmit=${submit}>
    <h1>Who is reviewing?</h1>
    <p>Your decisions are kept under this name, apart from those of others and of the model.</p>
    <label for="name">Name</label>
    <input id="name" value=${name} ref=${field} list="known" maxlength="80" onInput=${(e) => setName(e.target.value)} />
    <datalist id="known">${known.map((item) => html`<option value=${item} />`)}</datalist>
    <p><label for="blind"><input id="blind" type="checkbox" checked=${blind} onChange=${(e) => setBlind(e.target.checked)} />
      Blind: hide what the model and others found, to code independently</label></p>
    <button class="main" type="submit">Begin</button>
  </form></main>`;
}

function Head({ isWatched, observer, blind, place, onPlace, onLeave, outbox }) {
  const waiting = outbox.waiting.length;
  const where = (kind, text, key) =>
    html`<button aria-pressed=${place.kind === kind} onClick=${() => onPlace({ kind })}>${text} <kbd>${key}</kbd></button>`;
  return html`<header>
    <h1>har review</h1>
    <nav class="bar" aria-label="Views">${where("recordings", "Recordings", "R")} ${!blind && where("queue", "Queue", "Q")}
      ${!blind && isWatched && where("live", "Live", "W")}</nav>
    <span class="spacer"></span>
    <span role="status" class=${outbox.error ? "bad" : "faint"}>
      ${outbox.error ? `${waiting} not saved yet: ${outbox.error}` : waiting ? `saving ${waiting}` : "all saved"}</span>
    <span>${observer}${blind ? ", blind" : ""} <button onClick=${onLeave}>Change</button></span>
  </header>`;
}

function List({ project, observer, onOpen }) {
  const [format, setFormat] = useState("csv");
  const query = (values) => new URLSearchParams(values).toString();
  return html`<h2>Recordings</h2>
    <table><thead><tr><th>recording</th><th>length</th><th>found events</th><th>group</th></tr></thead>
    <tbody>${project.recordings.map(
      (item) => html`<tr key=${item.id}><td><button onClick=${() => onOpen(item.id)}>${item.name}</button></td>
        <td>${formatTime(item.duration_s)}</td><td>${item.n_events}</td><td>${item.group}</td></tr>`,
    )}</tbody></table>
    <div class="bar"><label for="format">Take along the events as you have them, as</label>
      <select id="format" value=${format} onChange=${(e) => setFormat(e.target.value)}>
        ${Object.entries(project.formats).map(([name, title]) => html`<option value=${name}>${title}</option>`)}</select>
      <a href=${`/api/export?${query({ format, observer })}`} download>yours</a>
      <a href=${`/api/export?${query({ format })}`} download>those of all observers</a></div>
    <p><a href="/report" target="_blank" rel="noopener">Figures so far</a>: how far the observers and the model agree, as a page to keep</p>
    <${Learning} observer=${observer} />
    <p class="faint">An aid for triage and coding: every event is looked at by a person. No diagnosis.</p>`;
}

// A new model from the verdicts: trained on request, shown beside the old one, taken only when told.
function Learning({ observer }) {
  const [found, setFound] = useState(null);
  const [error, setError] = useState("");
  const show = (values) => {
    setFound(values);
    setError(values.error || "");
  };
  useEffect(() => {
    let timer = 0;
    const poll = () => {
      getJson("/api/learn").then(show, (problem) => setError(problem.message));
      timer = setTimeout(poll, 3000);
    };
    poll();
    return () => clearTimeout(timer);
  }, []);
  if (!found || !found.is_offered) return null;
  const post = (path) => postJson(path).then(show, (problem) => setError(problem.message));
  const figures = found.result ? Object.entries(found.result.comparison.figures) : [];
  return html`<section class="panel" aria-label="Learn from decisions"><h2>Learn from your decisions</h2>
    <p>Events that you kept, mended, relabeled or added become clips of their label, rejected ones clips of nothing. A new model starts from the present one and is
      compared with it on recordings that it has not learned from. It takes minutes.</p>
    <button disabled=${found.state === "running"} onClick=${() => post(`/api/learn?${new URLSearchParams({ observer })}`)}>
      ${found.state === "running" ? "Learning" : "Learn"}</button>
    <p role="status">${error || { running: "A new model is being trained.", taken: `Taken. The old model is now ${found.place}.` }[found.state] || ""}</p>
    ${figures.length > 0 && html`<table><thead><tr><th>figure</th><th>old</th><th>new</th><th>difference, 95 % interval</th></tr></thead>
      <tbody>${figures.map(([name, item]) => html`<tr key=${name}><td>${name}</td><td>${formatNumber(item.first)}</td><td>${formatNumber(item.second)}</td>
        <td>${formatNumber(item.difference.mean)} ${item.difference.ci95 ? `(${item.difference.ci95.map(formatNumber).join(" to ")})` : ""}</td></tr>`)}</tbody></table>`}
    ${found.state === "done" && html`<p><button onClick=${() => post("/api/learn/take")}>Take the new model</button></p>`}
  </section>`;
}

function formatNumber(value) {
  return value === null || value === undefined ? "not known" : value.toFixed(3);
}

// Asks every two seconds; new alerts come into the queue by that, too.
function Live({ setError, onOpen }) {
  const [found, setFound] = useState(null);
  useEffect(() => {
    let timer = 0;
    let isOld = false;
    const poll = async () => {
      try {
        const values = await getJson("/api/live");
        if (!isOld) setFound(values);
      } catch (problem) {
        if (!isOld) setError(problem.message);
      }
      if (!isOld) timer = setTimeout(poll, 2000);
    };
    poll();
    return () => {
      isOld = true;
      clearTimeout(timer);
    };
  }, []);
  if (!found) return html`<p role="status">Loading</p>`;
  const clock = (text) => (text ? new Date(text).toLocaleString() : "");
  const last = (event) =>
    event && html`${event.label} ${Number(event.score).toFixed(2)}, ${clock(event.at)}${event.is_open ? ", going on" : ""}`;
  const newest = (item) => item && html`${item.label ? `${item.label} ${item.score.toFixed(2)}` : "uncertain"}, ${clock(item.at)}`;
  return html`<h2>Cameras</h2>
    <table><thead><tr><th>camera</th><th>state</th><th>since</th><th>newest score</th><th>last event and its score</th></tr></thead>
    <tbody>${found.cameras.map((item) => html`<tr key=${item.name}><td>${item.name}</td>
      <td class=${item.state === "live" ? "good" : "bad"}>${item.state || "not known"}${item.note && `, ${item.note}`}</td>
      <td>${clock(item.since)}</td><td>${newest(item.newest)}</td><td>${last(item.last)}</td></tr>`)}</tbody></table>
    <h2>Alerts of today <span class="faint" role="status">${found.alerts.length}</span></h2>
    <table><thead><tr><th>began</th><th>camera</th><th>label</th><th>score</th><th>clip</th></tr></thead>
    <tbody>${found.alerts.map((item) => html`<tr key=${item.id}><td>${clock(item.began_at)}</td><td>${item.camera}</td>
      <td>${item.label}</td><td>${Number(item.score).toFixed(2)}</td>
      <td>${item.recording ? html`<button onClick=${() => onOpen(item.recording)}>${item.is_decided ? "Decided" : "Decide"}</button>` : item.is_empty ? "does not show it" : "not yet"}</td></tr>`)}</tbody></table>
    <p class="faint">For review by a person: what a model has labeled, not confirmed events.</p>`;
}

function Queue(share) {
  const [order, setOrder] = useState("uncertain");
  const [label, setLabel] = useState("");
  const [items, setItems] = useState(null);
  const [at, setAt] = useState(0);
  const [progress, setProgress] = useState(null);
  const { observer, project, setError } = share;
  useEffect(() => {
    setItems(null);
    getJson("/api/queue", { observer, order, label }).then((found) => {
      setItems(found);
      setAt(Math.max(found.findIndex((item) => !item.done), 0));
    }, (problem) => setError(problem.message));
  }, [order, label]);
  const refresh = () => getJson("/api/progress", { observer }).then(setProgress, () => {});
  useEffect(() => {
    refresh();
  }, []);
  if (!items) return html`<p role="status">Loading</p>`;
  const done = items.filter((item) => item.done).length;
  const decided = (key, isDone) => {
    const changed = items.map((item) =>
      item.event.recording === items[at].event.recording && item.event.key === key ? { ...item, done: isDone } : item);
    setItems(changed);
    const next = changed.findIndex((item, place) => place > at && !item.done);
    if (isDone && changed[at].done) setAt(next >= 0 ? next : Math.max(changed.findIndex((item) => !item.done), 0));
    setTimeout(refresh, 400);
  };
  const item = items[at];
  return html`
    <div class="bar"><label for="order">Order</label>
      <select id="order" value=${order} onChange=${(e) => setOrder(e.target.value)}>
        <option value="uncertain">least certain first</option><option value="confident">most certain first</option>
        <option value="time">by recording and time</option><option value="random">random, for an unbiased check</option></select>
      <label for="only">Label</label>
      <select id="only" value=${label} onChange=${(e) => setLabel(e.target.value)}>
        <option value="">all</option>${project.labels.map((name) => html`<option value=${name}>${name}</option>`)}</select>
      <span role="status" data-left=${items.length - done}>${items.length - done} of ${items.length} left</span>
      <button onClick=${() => setAt(Math.max(at - 1, 0))}>Previous</button>
      <button onClick=${() => setAt(Math.min(at + 1, items.length - 1))}>Next</button>
      ${progress && html`<span class="faint">Of the model's events: ${formatCounts(progress.outcomes)}. Label right: ${formatShare(progress.precision)}. Found of all that happens, by the samples: ${formatShare(progress.recall)}.</span>`}
    </div>
    ${!item && html`<p>There is nothing to decide.</p>`}
    ${item && done === items.length && html`<p class="message">All are decided.</p>`}
    ${item && html`<${Recording} ...${share} id=${item.event.recording} focus=${item.event} onDecided=${decided} />`}`;
}

// In the words of the list of events: kept as found, mended in times or people, another label, rejected.
function formatCounts(outcomes) {
  return Object.entries(outcomes).map(([word, count]) => `${count} ${word}`).join(", ");
}

function formatShare(figure) {
  if (figure.mean === null) return "not known yet";
  const percent = (value) => `${Math.round(value * 100)} %`;
  return figure.ci95 ? `${percent(figure.mean)} (${percent(figure.ci95[0])} to ${percent(figure.ci95[1])})` : percent(figure.mean);
}

render(html`<${App} />`, document.getElementById("app"));
