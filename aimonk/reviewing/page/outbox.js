// Answers on their way to the server. Each waits in the browser's storage until the server has confirmed it,
// so that a reload, a crash or a stopped server loses none. Every one has an identifier of its own, so that
// the server keeps an answer once, however often it is sent.

const RETRY_MS = 1000;

export class Outbox {
  // `settled(item, state, taken)` is called for every confirmed or refused item, `trouble(text)` when sending
  // fails, with "" when it works again.
  constructor(prefix, settled, trouble) {
    this.prefix = prefix;
    this.settled = settled;
    this.trouble = trouble;
    this.foreign = new Set();
    this.sending = false;
  }

  add(path, body) {
    const item = {path, body, order: performance.timeOrigin + performance.now()};
    try {
      localStorage.setItem(this.prefix + body.entry, JSON.stringify(item));
    } catch {
      this.trouble("The browser's storage is full, so this answer was not kept.");
      return false;
    }
    this.send();
    return true;
  }

  waiting() {
    const items = [];
    for (let i = 0; i < localStorage.length; i++) {
      const key = localStorage.key(i);
      if (key.startsWith(this.prefix) && !this.foreign.has(key)) {
        items.push({key, ...JSON.parse(localStorage.getItem(key))});
      }
    }
    return items.sort((a, b) => a.order - b.order);
  }

  async send() {
    if (this.sending) return;
    this.sending = true;
    try {
      for (let items = this.waiting(); items.length; items = this.waiting()) {
        if (!(await this.deliver(items[0]))) {
          setTimeout(() => this.send(), RETRY_MS);
          return;
        }
      }
      this.trouble(this.foreign.size ? `${this.foreign.size} answers belong to cells that are not asked in this review.` : "");
    } finally {
      this.sending = false;
    }
  }

  // Returns false where the item has to be sent again.
  async deliver(item) {
    let response;
    try {
      response = await fetch(item.path, {
        method: "POST",
        headers: {"Content-Type": "application/json"},
        body: JSON.stringify(item.body),
      });
    } catch {
      return this.keep("The server does not answer. Start aimonk review again at the same port; your answers are kept here.");
    }
    if (response.status === 200 || response.status === 409) {
      const state = await response.json();
      localStorage.removeItem(item.key);
      this.settled(item, state, response.status === 200);
      return true;
    }
    if (response.status === 404 || response.status === 422) {
      this.foreign.add(item.key);
      return true;
    }
    const words = response.status === 403
      ? "The server was started again. Open the new address that it printed; your answers are kept here."
      : (await response.json().catch(() => ({}))).detail ?? `The server answered ${response.status}.`;
    return this.keep(words);
  }

  keep(words) {
    this.trouble(`${this.waiting().length} not saved yet. ${words}`);
    return false;
  }
}
