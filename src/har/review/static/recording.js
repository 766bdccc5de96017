// One recording: the video, its timeline, the chosen event, the keys.

import { html, useState, useEffect, useLayoutEffect, useRef } from "./vendor/htm-preact-3.1.1.js";
import { getJson, loadScores } from "./server.js";
import { formatTime } from "./words.js";
import { Lanes } from "./lanes.js";
import { Timeline } from "./timeline.js";

const KEYS = [
  ["Space", "play or pause"],
  ["← →", "one frame back or on; with Shift one second"],
  ["J L", "ten seconds back or on"],
  [", .", "slower, faster"],
  ["N P", "next, previous event"],
  ["Enter", "accept the event, or a sample that you have watched"],
  ["X", "reject or delete the event"],
  ["1 … 9", "give the event that label; without an event it is the label of new ones"],
  ["A", "add an event: once where it begins, again where it ends"],
  ["[ ]", "the event begins or ends now"],
  ["S", "split the event here"],
  ["M", "merge it with the next one of its label"],
  ["O", "play the event over and over"],
  ["+ −", "zoom in or out; 0 shows all"],
  ["U  Shift+U", "undo, redo (Ctrl+Z, Ctrl+Y, too)"],
  ["Q  R  W", "the queue, the recordings, the live page"],
  ["?", "this list"],
];
const RATES = [0.25, 0.5, 0.75, 1, 1.5, 2, 4];
const NEAR = 60;

export function Recording({ project, observer, blind, outbox, listeners, setError, id, focus, onDecided }) {
  const [lanes, setLanes] = useState(null);
  const [scores, setScores] = useState(null);
  const [selected, setSelected] = useState("");
  const [label, setLabel] = useState("");
  const [begun, setBegun] = useState(null);
  const [loop, setLoop] = useState(false);
  const [rate, setRate] = useState(1);
  const [now, setNow] = useState(0);
  const [copy, setCopy] = useState(null);
  const [help, setHelp] = useState(false);
  const [, setVersion] = useState(0);
  const video = useRef(null);
  const canvas = useRef(null);
  const timeline = useRef(null);
  const bump = () => setVersion((version) => version + 1);
  const labels = project.labels;
  const chosen = label || labels.find((name) => !/^(no|play|normal|none|nothing|background)/i.test(name)) || labels[0] || "event";

  // Before the next key: an effect that waits for the picture would let a fast key meet the old event.
  useLayoutEffect(() => {
    let isOld = false;
    setLanes(null);
    setScores(null);
    const query = { observer, blind: blind ? 1 : 0 };
    outbox.settle().then(() => getJson(`/api/recordings/${id}`, query)).then((recording) => {
      if (isOld) return;
      setLanes(new Lanes(recording, observer, (verdict) => outbox.add(verdict)));
      if (recording.has_scores) {
        loadScores(id).then((found) => !isOld && setScores(found), (problem) => setError(problem.message));
      }
    }, (problem) => setError(problem.message));
    const poll = async () => {
      const answer = await fetch(`/api/recordings/${id}/media`, { headers: { range: "bytes=0-0" } });
      if (isOld) return;
      if (answer.status === 202) {
        setCopy((await answer.json()).share);
        setTimeout(poll, 700);
      } else if (answer.ok) setCopy(true);
      else setError((await answer.json()).error);
    };
    setCopy(null);
    poll();
    return () => (isOld = true);
  }, [id, observer, blind]);

  useEffect(() => {
    if (!lanes) return undefined;
    const listener = (verdict, newest) => {
      if (verdict.recording !== id) return;
      lanes.yieldTo(verdict.key, newest);
      bump();
    };
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, [lanes]);

  const seek = (time_s) => {
    const last = lanes ? lanes.recording.duration_s : 0;
    const time = Math.min(Math.max(time_s, 0), last);
    if (video.current) video.current.currentTime = time;
    setNow(time);
    timeline.current?.setNow(time, true);
  };

  const select = (key, jump) => {
    setSelected(key);
    const event = lanes?.find(key);
    if (event && jump) {
      seek(event.start_s);
      const span = Math.max((event.end_s - event.start_s) * 4, 12);
      timeline.current?.setView(event.start_s - span / 3, span);
    }
  };

  useLayoutEffect(() => {
    if (!lanes || !focus) return;
    select(focus.key, true);
    setLoop(focus.source !== "sample");
  }, [lanes, focus?.key]);

  useLayoutEffect(() => {
    if (!lanes || !canvas.current) return;
    if (!timeline.current || timeline.current.canvas !== canvas.current) {
      timeline.current = new Timeline(canvas.current, {});
    }
    timeline.current.actions = {
      select: (key) => setSelected(key),
      seek,
      preview: (time) => video.current && (video.current.currentTime = time),
      move: (key, start_s, end_s) => act(() => lanes.move(key, start_s, end_s), key),
    };
    timeline.current.show(lanes, labels, scores, selected);
  }, [lanes, lanes?.version, scores, selected, labels]);

  // The picture's own clock moves the line; a looped event starts over at its end.
  useEffect(() => {
    let frame = 0;
    const tick = () => {
      frame = requestAnimationFrame(tick);
      const player = video.current;
      if (!player || player.paused) return;
      const event = loop && selected && lanes?.find(selected);
      if (event && (player.currentTime >= event.end_s + 0.3 || player.currentTime < event.start_s - 1)) {
        player.currentTime = Math.max(event.start_s - 0.3, 0);
      }
      timeline.current?.setNow(player.currentTime, true);
    };
    frame = requestAnimationFrame(tick);
    return () => cancelAnimationFrame(frame);
  }, [lanes, loop, selected]);

  const act = (step, key) => {
    const done = step();
    bump();
    const status = key && lanes.status(key);
    if (onDecided && focus && key === focus.key) onDecided(key, Boolean(status));
    return done;
  };

  const step = (direction) => {
    const list = lanes.list();
    if (!list.length) return;
    const at = list.findIndex((event) => event.key === selected);
    let next = at + direction;
    if (at < 0) next = direction > 0 ? list.findIndex((event) => event.start_s >= now) : list.length - 1;
    select(list[Math.min(Math.max(next, 0), list.length - 1)].key, true);
  };

  const add = () => {
    const time = video.current ? video.current.currentTime : now;
    if (begun === null) return setBegun(time);
    const [low, high] = begun < time ? [begun, time] : [time, begun];
    setBegun(null);
    const key = act(() => lanes.add(chosen, low, Math.max(high, low + 0.2)));
    setSelected(key);
  };

  const play = () => {
    const player = video.current;
    if (!player) return;
    if (player.paused) player.play().catch((problem) => setError(problem.message));
    else player.pause();
  };

  const faster = (direction) => {
    const next = RATES[Math.min(Math.max(RATES.indexOf(rate) + direction, 0), RATES.length - 1)];
    setRate(next);
    if (video.current) video.current.playbackRate = next;
  };

  const give = (number) => {
    const name = labels[number - 1];
    if (!name) return;
    if (selected && lanes.find(selected) && lanes.find(selected).source !== "sample") act(() => lanes.relabel(selected, name), selected);
    else setLabel(name);
  };

  const onKey = (event) => {
    if (!lanes || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) return;
    const isControl = event.ctrlKey || event.metaKey;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (isControl && !["z", "y"].includes(key)) return;
    if (event.target.tagName === "BUTTON" && (key === " " || key === "Enter")) return;
    const time = video.current ? video.current.currentTime : now;
    const frame = 1 / (lanes.recording.fps || 25);
    const current = selected && lanes.find(selected);
    const actions = {
      " ": play,
      ArrowLeft: () => seek(time - (event.shiftKey ? 1 : frame)),
      ArrowRight: () => seek(time + (event.shiftKey ? 1 : frame)),
      j: () => seek(time - 10),
      l: () => seek(time + 10),
      ",": () => faster(-1),
      ".": () => faster(1),
      n: () => step(1),
      p: () => step(-1),
      Enter: () => current && act(() => lanes.accept(selected), selected),
      x: () => current && act(() => lanes.reject(selected), selected),
      Delete: () => current && act(() => lanes.reject(selected), selected),
      a: add,
      "[": () => current && act(() => lanes.move(selected, Math.min(time, current.end_s - 0.04), current.end_s), selected),
      "]": () => current && act(() => lanes.move(selected, current.start_s, Math.max(time, current.start_s + 0.04)), selected),
      s: () => current && act(() => lanes.split(selected, time), selected),
      m: () => current && act(() => lanes.merge(selected), selected),
      o: () => setLoop(!loop),
      "+": () => timeline.current.zoom(0.6),
      "=": () => timeline.current.zoom(0.6),
      "-": () => timeline.current.zoom(1 / 0.6),
      0: () => timeline.current.setView(0, lanes.recording.duration_s),
      u: () => act(() => (event.shiftKey ? lanes.redo() : lanes.undo()), selected),
      z: () => isControl && act(() => (event.shiftKey ? lanes.redo() : lanes.undo()), selected),
      y: () => isControl && act(() => lanes.redo(), selected),
      "?": () => setHelp(true),
      Escape: () => (setSelected(""), setBegun(null)),
    };
    const action = /^[1-9]$/.test(key) ? () => give(Number(key)) : actions[key];
    if (!action) return;
    event.preventDefault();
    action();
  };

  useLayoutEffect(() => {
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  });

  if (!lanes) return html`<p role="status">Loading</p>`;
  const current = selected && lanes.find(selected);
  return html`<h2>${lanes.recording.name}</h2>
    <div class="grid"><div>
      ${copy === true
        ? html`<video ref=${video} src=${`/api/recordings/${id}/media`} preload="auto" muted playsinline aria-label="Recording"
            onTimeUpdate=${(e) => setNow(e.target.currentTime)} onSeeked=${(e) => timeline.current?.setNow(e.target.currentTime, true)}
            onLoadedMetadata=${(e) => { e.target.playbackRate = rate; if (now) e.target.currentTime = now; }}></video>`
        : html`<p class="message" role="status">${copy === null ? "Opening the video" : `Making a copy that this browser plays: ${Math.round(copy * 100)} %`}</p>`}
      <div class="bar">
        <button onClick=${play}>Play or pause <kbd>Space</kbd></button>
        <button onClick=${() => faster(-1)} aria-label="slower">−</button><span>${rate}×</span>
        <button onClick=${() => faster(1)} aria-label="faster">+</button>
        <button aria-pressed=${loop} onClick=${() => setLoop(!loop)}>Loop <kbd>O</kbd></button>
        <span aria-live="off">${formatTime(now)} of ${formatTime(lanes.recording.duration_s)}</span>
        <span class="spacer"></span>
        <button onClick=${() => act(() => lanes.undo(), selected)}>Undo <kbd>U</kbd></button>
        <button onClick=${() => act(() => lanes.redo(), selected)}>Redo</button>
        <button onClick=${() => setHelp(true)}>Keys <kbd>?</kbd></button>
      </div>
      <div class="timeline"><canvas ref=${canvas} tabindex="0" role="img"
        aria-label=${`Timeline with ${lanes.found.length} found and ${lanes.mine.length} of your events; the table lists them`}></canvas></div>
    </div><aside>
      ${begun !== null && html`<p class="message" role="status">${chosen} from ${formatTime(begun)}; press A where it ends</p>`}
      <${Chosen} event=${current} status=${current ? lanes.status(selected) : ""} labels=${labels} selected=${selected}
        lanes=${lanes} act=${act} onAdd=${add} label=${chosen} onLabel=${setLabel} />
      <${Near} lanes=${lanes} now=${now} selected=${selected} labels=${labels} onSelect=${(key) => select(key, true)} />
    </aside></div>
    ${help && html`<${Help} onClose=${() => setHelp(false)} />`}`;
}

function Chosen({ event, status, labels, selected, lanes, act, onAdd, label, onLabel }) {
  if (!event) {
    return html`<section class="panel" aria-label="Chosen event"><h2>No event chosen</h2>
      <p class="faint">Choose one on the timeline or with <kbd>N</kbd>, or add one.</p>
      <label for="new">Label of new events</label>
      <select id="new" value=${label} onChange=${(e) => onLabel(e.target.value)}>${labels.map((name) => html`<option value=${name}>${name}</option>`)}</select>
      <p><button onClick=${onAdd}>Add an event <kbd>A</kbd></button></p></section>`;
  }
  const outcome = lanes.outcome(selected);
  const said = outcome === "open" ? "" : `${outcome} by you`;
  if (event.source === "sample") {
    return html`<section class="panel" aria-label="Chosen sample"><h2>Watch this sample</h2>
      <p>From ${formatTime(event.start_s)} to ${formatTime(event.end_s)}. Add what the model missed with <kbd>A</kbd>, then say that you have watched it.</p>
      <p>${said}</p>
      <button class="main" onClick=${() => act(() => lanes.accept(selected), selected)}>Watched <kbd>Enter</kbd></button></section>`;
  }
  const change = (name) => (e) => act(() => lanes.describe(selected, { [name]: e.target.value.slice(0, 500) }), selected);
  return html`<section class="panel" aria-label="Chosen event"><h2>${event.label}
      ${event.score != null && html` <span class="faint">score ${event.score.toFixed(2)}</span>`}</h2>
    <p>${formatTime(event.start_s)} to ${formatTime(event.end_s)}, ${(event.end_s - event.start_s).toFixed(2)} s
      <span class=${status === "reject" ? "bad" : "good"}> ${said}</span></p>
    <div class="bar"><button class=${outcome === "open" ? "main" : ""} aria-pressed=${outcome !== "open" && status !== "reject"} onClick=${() => act(() => lanes.accept(selected), selected)}>Accept <kbd>Enter</kbd></button>
      <button aria-pressed=${status === "reject"} onClick=${() => act(() => lanes.reject(selected), selected)}>Reject <kbd>X</kbd></button></div>
    <div class="bar" role="group" aria-label="Label">${labels.map(
      (name, place) => html`<button aria-pressed=${name === event.label} onClick=${() => act(() => lanes.relabel(selected, name), selected)}>
        ${name} ${place < 9 && html`<kbd>${place + 1}</kbd>`}</button>`,
    )}</div>
    <label>Subject<input value=${event.subject || ""} maxlength="500" onChange=${change("subject")} /></label>
    <label>Target<input value=${event.target || ""} maxlength="500" onChange=${change("target")} /></label>
    <label>Comment<input value=${event.comment || ""} maxlength="500" onChange=${change("comment")} /></label>
  </section>`;
}

// A window of the events around the present moment: a table of five thousand would be slow.
function Near({ lanes, now, selected, labels, onSelect }) {
  const list = lanes.list();
  let at = list.findIndex((event) => event.key === selected);
  if (at < 0) at = list.findIndex((event) => event.end_s >= now);
  if (at < 0) at = list.length;
  const first = Math.max(at - NEAR / 2, 0);
  const shown = list.slice(first, first + NEAR);
  return html`<section class="panel" aria-label="Events"><h2>Events <span class="faint">${list.length} in all</span></h2>
    <div class="events" tabindex="0" role="region" aria-label="Events near this moment"><table><thead><tr><th>start</th><th>label</th><th>state</th></tr></thead><tbody>
    ${shown.map((event) => html`<tr key=${event.key} class=${event.key === selected ? "chosen" : ""}>
      <td><button onClick=${() => onSelect(event.key)}>${formatTime(event.start_s)}</button></td>
      <td><span class=${`swatch l${(Math.max(labels.indexOf(event.label), 0) % 6) + 1}`}></span>${event.label}</td>
      <td>${lanes.outcome(event.key)}</td></tr>`)}</tbody></table></div></section>`;
}

function Help({ onClose }) {
  const box = useRef(null);
  useEffect(() => box.current.showModal(), []);
  return html`<dialog ref=${box} onClose=${onClose} aria-label="Keys"><h2>Keys</h2>
    <div class="keys">${KEYS.map(([key, what]) => html`<p><kbd>${key}</kbd> ${what}</p>`)}</div>
    <p><button onClick=${() => box.current.close()}>Close</button></p></dialog>`;
}
