// One event stream with its own reconnecting: a browser gives up by itself after an HTTP error, we do not.

const SHORTEST_MS = 1000;
const LONGEST_MS = 5000;

/** Stream from the event after `since`; `tell` gets {type: "frame" | "reset" | "up" | "down", ...}. Returns `close`. */
export function openStream(since, tell) {
  let last = since;
  let wait = SHORTEST_MS;
  let source;
  let timer;

  function open() {
    source = new EventSource(`/api/events?since=${last}`);
    source.onopen = () => {
      wait = SHORTEST_MS;
      tell({ type: "up" });
    };
    source.onmessage = (event) => {
      last = Number(event.lastEventId) || last;
      tell({ type: "frame", id: last, data: JSON.parse(event.data) });
    };
    source.addEventListener("reset", (event) => {
      last = Number(event.lastEventId) || last;
      tell({ type: "reset", id: last });
    });
    source.onerror = () => {
      source.close();
      tell({ type: "down" });
      timer = setTimeout(open, wait);
      wait = Math.min(wait * 1.6, LONGEST_MS);
    };
  }

  open();
  return () => {
    clearTimeout(timer);
    source.close();
  };
}
