// What the tests of the recipes need from the demo that the Go test has started.
export const { SERVICE: service, COGNITO: cognito, HELPER: helper } = process.env;

async function ask(what, parameters) {
  const reply = await fetch(`${helper}/${what}?${new URLSearchParams(parameters)}`);
  return (await reply.text()).trim();
}

/** The code that an app with this secret shows, by a clock that is off by so many seconds. */
export const code = (secret, off = 0) => ask('code', { secret, off });

/** An access token of a user of the pool that leaves the second factor open. */
export const token = (username) => ask('token', { username });

/** Moves the clock of the service and of its Cognito. */
export const later = (seconds) => ask('later', { seconds });

/** A Storage in memory, for Node, which has none. */
export class MemoryStorage {
  #items = new Map();
  get length() { return this.#items.size; }
  key(i) { return [...this.#items.keys()][i] ?? null; }
  getItem(name) { return this.#items.get(name) ?? null; }
  setItem(name, value) { this.#items.set(name, String(value)); }
  removeItem(name) { this.#items.delete(name); }
  clear() { this.#items.clear(); }
}
