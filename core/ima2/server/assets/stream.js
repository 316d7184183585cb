// The event stream, and its repair: whoever reads it is told when it (re)opened, so that what was missed can be fetched.

const RETRY_MS = 15000;
const NAMES = ["phase", "partial", "progress", "done", "error"];

/** Listen. `handlers`: `opened()`, `lost()`, and `event(name, data)` for each event of a job. */
export function listen(handlers) {
  const source = new EventSource("/api/events?images=url");
  source.addEventListener("open", () => handlers.opened());
  for (const name of ["replay-gap", "dropped"]) source.addEventListener(name, () => handlers.opened());
  for (const name of NAMES) {
    source.addEventListener(name, (message) => {
      if (typeof message.data === "string") handlers.event(name, JSON.parse(message.data));
    });
  }
  source.onerror = (event) => {
    if (event instanceof MessageEvent) return;
    handlers.lost();
    if (source.readyState === EventSource.CLOSED) {
      setTimeout(() => listen(handlers), RETRY_MS);
    }
  };
}
