// Draw a record, what is known of it, and the states in which there is none.

import { differenceOf, make, textOf } from "./words.js";

export const FIELDS = ["user_context", "question", "answer", "label", "rationale"];
const NAMES = { user_context: "Context", question: "Question", answer: "Answer", label: "Label", rationale: "Rationale" };
export const DONE = { accept: "Accepted", edit: "Edited", reject: "Rejected", skip: "Skipped", undo: "Taken back", conflict: "The reviewers differ" };
const DID = { accept: "accepted it", edit: "edited it", reject: "rejected it" };
const SAID = { accept: "accepts it", edit: "edits it", reject: "rejects it" };

/** The fields that a record has, or may have while it is edited. */
export function fieldsOf(record, editing = false) {
  return FIELDS.filter(name => record.texts[name]
    || (name === "answer" && !record.closed) || (name === "label" && record.closed)
    || (editing && name !== "label" && !(name === "answer" && record.closed)));
}

function withKey(button, key) {
  if (key) {
    button.append(" ", make("kbd", { text: key }));
    button.setAttribute("aria-keyshortcuts", key);
  }
  return button;
}

/** Of a double click the first alone: the second would meet what came in its place. */
export const once = act => event => event.detail < 2 && act(event);

export function button(text, act, { key, kind } = {}) {
  const found = withKey(make("button", { type: "button", text, kind }), key);
  found.addEventListener("click", once(act));
  return found;
}

/** The record to be read; `changes` are the texts that hold in place of the teacher's. `compare` goes to the other answers. */
export function reading(record, changes, compare) {
  const others = record.candidates.filter(one => !one.chosen).length;
  const parts = fieldsOf(record).map(name => {
    const box = make("section", { kind: `field ${name}` }, make("h2", { kind: "name", text: NAMES[name] }));
    const before = record.texts[name];
    if (name in changes && !record.cut[name]) box.append(differenceOf(before, changes[name]));
    else box.append(before ? textOf(before) : make("p", { kind: "empty", text: "none" }));
    if (record.cut[name]) box.append(make("p", { kind: "empty", text: cutNote(record, name) }));
    if (others && name === (record.closed ? "label" : "answer")) box.append(button(others === 1 ? "See the other answer" : `See ${others} other answers`, compare, { kind: "more" }));
    return box;
  });
  const images = make("div", { kind: "images", hidden: !record.images.length });
  for (const path of record.images) images.append(make("span", { kind: "empty", text: path }));
  return [images, ...parts];
}

const cutNote = (record, name) =>
  `Its beginning; all of it has ${record.cut[name].toLocaleString("en")} characters, and cannot be edited here.`;

/** The record to be edited; `start` are the texts to begin with, `base` those to compare with. */
export function editing(record, base, start, labels, changed) {
  return fieldsOf(record, true).map(name => {
    const box = make("section", { kind: `field ${name}` });
    if (record.cut[name]) {
      box.append(make("h2", { kind: "name", text: NAMES[name] }), textOf(record.texts[name]), make("p", { kind: "empty", text: cutNote(record, name) }));
      return box;
    }
    const input = name === "label" && labels.length ? choice(labels, start.label) : area(start[name]);
    input.dataset.field = name;
    const shown = make("div", { "aria-live": "off" });
    const draw = () => {
      const same = input.value === input.dataset.first;
      const now = same ? start[name] : input.value;
      shown.replaceChildren(...(now === base[name] ? [] : [make("p", { kind: "name", text: "What changes" }), differenceOf(base[name], now)]));
    };
    let soon;
    input.addEventListener("input", () => { clearTimeout(soon); soon = setTimeout(draw, 80); grow(input); changed(); });
    input.dataset.first = input.value; // a browser may spell line ends in its own way
    draw();
    box.append(make("label", { text: NAMES[name] }, input), shown);
    return box;
  });
}

const LONG = 6000; // in longer texts Chromium takes seconds to find dir=auto, at each key
const RIGHT_TO_LEFT = /^\P{L}*[\u0590-\u08ff]/u;

function area(text) {
  const dir = text.length <= LONG ? "auto" : RIGHT_TO_LEFT.test(text) ? "rtl" : "ltr";
  const found = make("textarea", { rows: 1, dir, spellcheck: "true" });
  found.value = text;
  return found;
}

function choice(labels, chosen) {
  const found = make("select");
  for (const name of labels.includes(chosen) ? labels : [chosen, ...labels]) found.append(make("option", { value: name, text: name }));
  found.value = chosen;
  return found;
}

export function grow(input) {
  if (input.tagName !== "TEXTAREA") return;
  input.style.height = "auto";
  input.style.height = `${Math.min(input.scrollHeight + 4, innerHeight * 0.6)}px`;
}

/** What checks, judge and teachers say, and the note. */
export function known(record, note) {
  const parts = [];
  if (record.checks.length) parts.push(checks(record.checks));
  for (const one of record.judged) parts.push(judged(one));
  parts.push(note);
  const facts = make("dl", { kind: "facts" });
  for (const [name, text] of record.facts) facts.append(make("dt", { text: name }), make("dd", {}, textOf(text)));
  parts.push(make("section", {}, make("h2", { kind: "name", text: "More about it" }), facts));
  return parts;
}

function checks(found) {
  const failed = found.filter(one => !one.passed).length;
  const list = make("ul", { kind: "checks" });
  for (const one of found) {
    list.append(make("li", { kind: one.passed ? "passed" : "failed" },
      make("span", { kind: "mark", "aria-hidden": "true", text: one.passed ? "✓" : "✗" }),
      make("div", {},
        make("strong", { text: `${one.name}${one.passed ? "" : ": failed"}` }),
        one.passed ? make("span", { kind: "unseen", text: ": passed" }) : null,
        !one.passed && one.help ? make("p", { text: one.help }) : null,
        one.found ? textOf(one.found) : null)));
  }
  const title = failed ? `${failed} of ${found.length} checks failed` : `All ${found.length} checks passed`;
  if (failed || found.length < 4) return make("section", {}, make("h2", { kind: "name", text: title }), list);
  return make("details", {}, make("summary", { kind: "name", text: title }), list);
}

function judged(one) {
  const scores = make("div", { kind: "scores" });
  for (const [aspect, score] of one.scores) scores.append(make("span", {}, `${aspect} `, make("b", { text: score }), " of 5"));
  return make("section", {}, make("h2", { kind: "name", text: one.judge ? `The judge, ${one.judge}` : "The judge" }), scores, one.analysis ? textOf(one.analysis) : null);
}

/** Other answers side by side. */
export function candidates(record, choose, keys) {
  if (record.candidates.length < 2) return [];
  const cards = make("div", { kind: "others" });
  let n = 0;
  for (const one of record.candidates) {
    const key = one.takes && !one.chosen && ++n <= 9 && keys ? String(n) : undefined;
    const said = one.label || one.answer;
    cards.append(make("section", { kind: one.chosen ? "card chosen" : "card", "aria-label": `Answer of ${one.teacher}` },
      make("h3", { text: [one.teacher, one.style].filter(Boolean).join(", ") }),
      one.chosen ? make("b", { text: "This is the answer above" }) : null,
      one.problem ? make("p", { kind: "empty", text: `No answer: ${one.problem}` }) : null,
      said ? textOf(said, "text said") : null,
      one.rationale ? textOf(one.rationale) : null,
      one.scores ? make("p", { kind: "name", text: one.scores }) : null,
      one.takes && !one.chosen ? button("Choose this instead", () => choose(one), { key }) : null));
  }
  return [make("h2", { text: "All answers" }), cards];
}

/** A warning and what was decided before; or, where two differ, what each says, to be settled where `take` is given. */
export function banner(record, me, warning, take) {
  const { mine, settled, others, verdict } = record;
  if (verdict === "conflict" && take) {
    const voices = make("div", { kind: "voices" });
    [mine, ...others].filter(Boolean).forEach((one, n) => voices.append(voice(one, record, () => take(one), String(n + 1))));
    return make("div", { kind: "banner" }, warning && make("p", { text: warning }),
      make("strong", { text: "The reviewers differ. Take one of the decisions, or decide anew below." }), voices);
  }
  const told = warning ? [warning] : [];
  if (settled) told.push(`It was settled: ${spoken(settled, me)}`);
  for (const one of [mine, ...others].filter(Boolean)) told.push(spoken(one, me));
  if (!told.length) return record.double ? make("div", { kind: "banner" }, "This record goes to two reviewers; each decides alone.") : null;
  return make("div", { kind: "banner" }, ...told.map(text => make("p", { text })));
}

function spoken(one, me) {
  const who = one.reviewer === me ? "You" : one.reviewer;
  const note = one.note ? ` Note: ${one.note}` : "";
  return `${who} ${DID[one.decision]}${one.reason ? `: ${one.reason}` : ""}.${note}`;
}

function voice(one, record, take, key) {
  const box = make("div", { kind: "voice" }, make("p", {}, make("strong", { text: one.reviewer }), ` ${SAID[one.decision]}${one.reason ? `: ${one.reason}` : ""}`));
  if (one.note) box.append(make("p", { text: `Note: ${one.note}` }));
  for (const [name, text] of Object.entries(one.fields)) {
    box.append(make("p", { kind: "name", text: NAMES[name] }), differenceOf(record.texts[name], text));
  }
  box.append(button(`Take ${one.reviewer}’s decision`, take, { key }));
  return box;
}

/** A state without a record. */
export function end(title, lines, ...buttons) {
  return make("div", { kind: "end" }, make("h2", { kind: "calm", text: title }), ...lines.filter(Boolean).map(text => make("p", { text })), make("div", { kind: "row" }, ...buttons));
}

export function conflictList(found, all, open) {
  const list = make("ul", { kind: "list" });
  for (const one of found) {
    const said = one.said.map(([who, what]) => `${who} ${SAID[what]}`).join(" · ");
    const entry = button("", () => open(one.place));
    entry.append(textOf(one.question, "said"), make("small", { text: said }));
    list.append(make("li", {}, entry));
  }
  const title = all === 1 ? "One record on which the reviewers differ" : `${all.toLocaleString("en")} records on which the reviewers differ`;
  return [make("h2", { text: title }), list];
}
