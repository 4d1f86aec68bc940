// Ask the program: with the key that stood in the address, and again for as long as it is away.

const PAUSE_MS = 1000;
const KEY = "key";

/** What this tab remembers, and only this tab. */
export const kept = (name, otherwise) => JSON.parse(sessionStorage.getItem(name) ?? "null") ?? otherwise;
export const keep = (name, value) => sessionStorage.setItem(name, JSON.stringify(value));

/** Keep the key, and take it out of the address, where it would be seen and remembered. */
export function takeKey() {
  const given = new URLSearchParams(location.search).get("t");
  if (given) {
    if (sessionStorage.getItem(KEY) !== given) startAnew();
    sessionStorage.setItem(KEY, given);
    history.replaceState(null, "", "/");
  }
  return sessionStorage.getItem(KEY) !== null;
}

/** Another start, of another run perhaps; what was being written names the texts it is about. */
function startAnew() {
  const kept = ["drafts", "keys"].map(name => [name, sessionStorage.getItem(name)]).filter(([, value]) => value !== null);
  sessionStorage.clear();
  for (const [name, value] of kept) sessionStorage.setItem(name, value);
}

const gone = document.getElementById("gone");

function away(lines) {
  if (gone.dataset.said === lines.join()) return;
  gone.dataset.said = lines.join();
  gone.replaceChildren(...lines.map(text => Object.assign(document.createElement("p"), { textContent: text })));
  gone.hidden = false;
}

/** The program was started anew, or this tab was never let in: nothing more can be done here. */
export class Locked extends Error {}

/** The answer and its status. While nobody answers, the page says so and asks on. */
export async function ask(path, given = {}, unsaved = "") {
  const headers = { Authorization: `Bearer ${sessionStorage.getItem(KEY)}` };
  const query = new URLSearchParams(Object.entries(given).filter(([, value]) => value != null && value !== ""));
  return send(`/api/${path}?${query}`, { headers }, unsaved);
}

export async function tell(path, body, unsaved) {
  const headers = { Authorization: `Bearer ${sessionStorage.getItem(KEY)}`, "Content-Type": "application/json" };
  return send(`/api/${path}`, { method: "POST", headers, body: JSON.stringify(whole(body)) }, unsaved);
}

/** Half a character, as an editor may leave it, is no text. */
function whole(value) {
  if (typeof value === "string") return value.replace(/[\ud800-\udfff]/gu, "\ufffd");
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, whole(one)]));
}

async function send(address, options, unsaved) {
  for (;;) {
    let reply, found;
    try {
      reply = await fetch(address, { ...options, credentials: "same-origin", cache: "no-store" });
      found = reply.status === 403 ? {} : await reply.json();
    } catch {
      away([
        `The program does not answer.${unsaved ? ` ${unsaved} may not be saved yet; it is sent again until the program answers.` : ""}`,
        "Everything that was decided before is saved. If you stopped the program, start it again and open the address that it prints, in this tab.",
      ]);
      await new Promise(resolve => setTimeout(resolve, PAUSE_MS));
      continue;
    }
    if (reply.status === 403) {
      away([
        `The program was started anew; this page belongs to the old one.${unsaved ? ` Whether ${unsaved[0].toLowerCase()}${unsaved.slice(1)} was saved, the record shows.` : ""}`,
        "Open the address that it printed in the terminal. Everything that was decided before is there."
          + (Object.keys(kept("drafts", {})).length ? " Open it in this tab, and what you were writing is there, too." : ""),
      ]);
      throw new Locked();
    }
    gone.hidden = true;
    delete gone.dataset.said;
    return { status: reply.status, ...found };
  }
}

export function shutOut() {
  away(["This tab has no key.", "Open the address that distillgen printed in the terminal."]);
}
