// Talk with the simulator's control API and follow its changes.

const RETRY_MS = 1500;

async function answer(response) {
  const body = await response.json().catch(() => ({ error: `HTTP ${response.status}` }));
  if (!response.ok) throw new Error(body.error || `HTTP ${response.status}`);
  return body;
}

/** Carry out a verb and return its result; throws an Error with the simulator's sentence. `root` chooses the platform. */
export async function act(verb, settings = {}, root = "/sim") {
  const headers = { "Content-Type": "application/json" };
  return answer(await fetch(`${root}/do/${verb}`, { method: "POST", headers, body: JSON.stringify(settings) }));
}

/** Return a view such as state, history, calls or deliveries. */
export async function view(name, settings = {}, root = "/sim") {
  return answer(await fetch(`${root}/get/${name}?${new URLSearchParams(settings)}`, { cache: "no-store" }));
}

/** Return the faults there are. */
export async function faultKinds(root = "/sim") {
  return answer(await fetch(`${root}/faults`));
}

/** Call `onChange` with each change and `onLive` with true or false when the line is there or lost; opens it again. */
export function follow(onChange, onLive) {
  const stream = new EventSource("/sim/events");
  stream.onopen = () => onLive(true);
  stream.onmessage = (event) => onChange(JSON.parse(event.data));
  stream.onerror = () => {
    onLive(false);
    stream.close();
    setTimeout(() => follow(onChange, onLive), RETRY_MS);
  };
}

/** Return a function that runs `work` once, `wait` ms after the first of many calls, and never twice at a time. */
export function calmly(work, wait = 60) {
  let planned = 0;
  let running = false;
  let again = false;
  const run = async () => {
    planned = 0;
    if (running) {
      again = true;
      return;
    }
    running = true;
    try {
      await work();
    } catch {
      // The line is down; its return asks for everything anew.
    } finally {
      running = false;
      if (again) {
        again = false;
        start();
      }
    }
  };
  const start = () => {
    planned ||= setTimeout(run, wait);
  };
  return start;
}

/** Return a file as base64. */
export function base64(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result).split(",", 2)[1] || "");
    reader.onerror = () => reject(new Error("Không đọc được tệp"));
    reader.readAsDataURL(file);
  });
}
