// Talks to the server, and keeps each verdict in the browser until the server has stored it.

const WAITING = "har-review-waiting-";

export class Refused extends Error {
  constructor(status, body) {
    super(body.error || `The server answered ${status}`);
    this.status = status;
    this.body = body;
  }
}

export async function get(path, query = {}) {
  const text = new URLSearchParams(query).toString();
  const answer = await fetch(text ? `${path}?${text}` : path);
  if (!answer.ok) throw new Refused(answer.status, await answer.json().catch(() => ({})));
  return answer;
}

export const getJson = async (path, query) => (await get(path, query)).json();

export async function postJson(path) {
  const answer = await fetch(path, { method: "POST", headers: { "content-type": "application/json" }, body: "{}" });
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Refused(answer.status, body);
  return body;
}

export async function loadScores(id) {
  const answer = await get(`/api/recordings/${id}/scores`);
  const labels = JSON.parse(answer.headers.get("x-labels"));
  const values = new Float32Array(await answer.arrayBuffer());
  return { labels, values, width: labels.length + 1, stepS: Number(answer.headers.get("x-step-s")) };
}

// Verdicts wait here in order; one is sent at a time, and stays until it is acknowledged. Each has an
// entry of its own in the browser's storage, so that two tabs do not overwrite each other's.
export class Outbox {
  constructor(onChange, onConflict) {
    this.onChange = onChange;
    this.onConflict = onConflict;
    this.waiting = readWaiting();
    this.busy = false;
    this.error = "";
    this.send();
  }

  add(verdict) {
    this.waiting.push(verdict);
    localStorage.setItem(WAITING + verdict.uuid, JSON.stringify({ at: Date.now(), verdict }));
    this.onChange();
    this.send();
  }

  // Until all are saved, or it shows that they cannot be now.
  async settle() {
    while (this.waiting.length && !this.error) await new Promise((done) => setTimeout(done, 20));
  }

  async send() {
    if (this.busy || !this.waiting.length) return;
    this.busy = true;
    try {
      while (this.waiting.length) {
        await this.sendOne(this.waiting[0]);
        localStorage.removeItem(WAITING + this.waiting.shift().uuid);
        this.error = "";
        this.onChange();
      }
    } catch (error) {
      this.error = error.message;
      this.onChange();
      setTimeout(() => this.send(), 2000);
    } finally {
      this.busy = false;
    }
  }

  async sendOne(verdict) {
    const answer = await fetch("/api/verdicts", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(verdict),
    });
    if (answer.ok) return;
    const body = await answer.json().catch(() => ({}));
    if ([400, 404, 409].includes(answer.status)) this.onConflict(verdict, body.newest || null, body.error);
    else throw new Refused(answer.status, body);
  }
}

function readWaiting() {
  const names = Object.keys(localStorage).filter((name) => name.startsWith(WAITING));
  const items = names.map((name) => JSON.parse(localStorage.getItem(name)));
  items.sort((a, b) => a.at - b.at || a.verdict.version - b.verdict.version);
  return items.map((item) => item.verdict);
}
