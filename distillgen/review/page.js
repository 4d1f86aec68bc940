// The review page: one record at a time, decided by key or by mouse.

import { ask, keep, kept, Locked, shutOut, takeKey, tell } from "./ask.js";
import { DONE, banner, button, candidates, conflictList, editing, end, fieldsOf, grow, known, once, reading } from "./draw.js";
import { agreement, paced, showProgress } from "./far.js";
import { make, textOf } from "./words.js";

const REASONS = ["The answer is wrong", "The rationale does not support the answer", "It does not fit the context", "The question makes no sense", "Badly written"];
const NUMBERED = Object.fromEntries(REASONS.map((text, n) => [n + 1, text]));
const $ = id => document.getElementById(id);
const EVERYTHING = { show: "open", text: "", failed: "", below: "", topic: "", label: "" };

const state = {
  me: "", start: null, labels: [], filter: { ...EVERYTHING }, counts: { matching: null, waiting: 0 },
  record: null, base: null, from: null, candidate: null, editing: false, listing: false,
  busy: false, since: 0, warning: "", meaning: "",
};

// -- what stands where ----------------------------------------------------------------------

function show(parts, beside = []) {
  $("record").replaceChildren(...parts.filter(Boolean));
  $("known").replaceChildren(...beside);
  $("known").hidden = !beside.length;
  document.querySelector("main").classList.toggle("alone", !beside.length);
}

function draw() {
  const { record } = state;
  state.listing = false;
  const told = banner(record, state.me, state.warning, state.editing ? null : settle);
  if (state.editing) {
    show([told, ...editing(record, state.base, state.from, state.labels, remember)], known(record, note()));
    document.querySelectorAll("#record textarea").forEach(grow);
  } else {
    show([told, ...reading(record, changesOf(record), compare)], known(record, note()));
    images(record);
  }
  const others = state.editing ? [] : candidates(record, choose, record.verdict !== "conflict");
  $("candidates").replaceChildren(...others);
  $("candidates").hidden = !others.length;
  buttons();
}

const compare = () => {
  $("candidates").scrollIntoView({ block: "center" });
  $("candidates").focus({ preventScroll: true });
};

/** The decision whose texts are shown in place of the teacher's; none while the reviewers differ. */
const shown = record => (record.verdict === "conflict" ? null : record.settled ?? record.mine ?? record.others[0]);
const changesOf = record => shown(record)?.fields ?? {};
const isChanged = record => Object.keys(changesOf(record)).length > 0;

function buttons() {
  const walks = state.filter.show !== "open" && !state.editing;
  for (const name of ["accept", "edit", "reject", "skip"]) $(name).hidden = state.editing || !state.record || state.listing;
  $("undo").hidden = state.editing;
  for (const name of ["before", "after"]) $(name).hidden = !walks || !state.record || state.listing;
  for (const name of ["save", "cancel"]) $(name).hidden = !state.editing;
  $("actions").classList.toggle("many", walks);
  $("actions").hidden = !state.me;
}

let noteField;
function note() {
  const before = noteField?.dataset.id === state.record.id ? noteField.value : state.record.note;
  noteField = make("textarea", { rows: 2, maxlength: 10000, placeholder: "Goes with your decision" });
  noteField.dataset.id = state.record.id;
  noteField.value = before;
  noteField.addEventListener("input", remember);
  return make("label", {}, make("span", { kind: "name" }, "Note ", make("kbd", { text: "n" })), noteField);
}

async function images(record) {
  const places = document.querySelectorAll(".images > span");
  for (const [n, place] of [...places].entries()) {
    const found = await ask("image", { place: record.place, n });
    if (found.url) place.replaceWith(make("img", { src: found.url, alt: `Image ${n + 1} of the question: ${record.images[n]}` }));
    else place.textContent = found.message;
  }
}

let fading;
function say(text, { seen = true } = {}) {
  $("said").textContent = text;
  $("said").classList.toggle("on", seen);
  clearTimeout(fading);
  fading = setTimeout(hush, 1500 + 60 * text.length); // as long as it takes to read at 170 words a minute, and a moment to look up
}

const hush = () => $("said").classList.remove("on");

// -- which record ---------------------------------------------------------------------------

const asked = () => ({ reviewer: state.me, ...state.filter });

/** Go to the next record, or the one before; after the last that was `decided` about it stays. */
async function go(after, { back, decided } = {}) {
  const found = await ask("next", { ...asked(), after, back: back ? "1" : "" });
  if (found.status !== 200) return say(found.message);
  const { record, matching, waiting } = found;
  state.counts = { matching, waiting };
  if (!record && after != null && state.filter.show !== "open") {
    if (decided) {
      await openAt(after);
      progress();
    }
    return say(back ? "This is the first." : `${decided ? "Saved. " : ""}This is the last.`);
  }
  if (record) {
    open(record);
    progress(); // not waited for: the next decision may be made at once
  } else {
    await progress();
    nothingLeft();
  }
}

function open(record, warning = "") {
  const mine = draftOf(record);
  Object.assign(state, { record, warning, editing: false, candidate: null, since: performance.now() });
  keep("place", state.filter.show === "open" ? null : record.place);
  if (mine) {
    noteField = make("textarea");
    noteField.dataset.id = record.id;
    noteField.value = mine.note ?? "";
  }
  if (mine?.fields) edit(mine.candidate, mine.fields);
  else draw();
  top();
}

function top() {
  scrollTo(0, 0);
  if (!state.editing && !$("filters").contains(document.activeElement)) $("record").focus({ preventScroll: true });
}

function nothingLeft() {
  Object.assign(state, { record: null, editing: false });
  const { matching } = state.counts;
  const filtered = isFiltered();
  const decided = button("Look at what was decided", () => filter({ ...EVERYTHING, show: "decided" }));
  const all = button("Show all that is open", () => filter({ ...EVERYTHING }), { kind: "yes" });
  if (state.filter.show !== "open" && !(filtered && !matching)) {
    const title = state.filter.show === "skipped" ? "You have skipped none." : "None is reviewed yet.";
    show([end(title, ["Go back to what is open."], all)]);
  }
  else if (filtered && !matching) show([end("No record matches these filters.", ["Choose others, or clear them."], all)]);
  else if (filtered) show([end("Nothing is left for you in this filter.", [`${matching.toLocaleString("en")} records match the filters.`], all, decided)]);
  else {
    const title = state.open || state.half ? "Nothing is left for you. Thank you." : "Everything is reviewed. Thank you.";
    const others = matching === state.given ? "" : ", or not among those that failed a check";
    const open = state.open && `${state.open.toLocaleString("en")} not reviewed: skipped, for another reviewer${others}.`;
    const half = state.half && `${state.half.toLocaleString("en")} reviewed by one, and for a second reviewer to decide about alone.`;
    const differ = state.conflicts && "Where the reviewers differ, the record is left out until that is settled.";
    show([end(title, [open, half, differ, state.meaning, "Each decision is saved. You can close this page; in the terminal, Ctrl-C ends the program."],
      ...(state.conflicts ? [button("Settle where the reviewers differ", conflicts, { kind: "yes" })] : []),
      ...(state.open ? [button("Look at what you skipped", () => filter({ ...EVERYTHING, show: "skipped" }))] : []), decided)]);
  }
  $("candidates").hidden = true;
  buttons();
  top();
}

async function conflicts() {
  const found = await ask("conflicts");
  Object.assign(state, { record: null, editing: false, listing: true });
  const list = found.all
    ? conflictList(found.conflicts, found.all, async place => openAt(place))
    : [end("The reviewers differ nowhere.", [], button("Go on", () => go()))];
  const kappas = state.kappas.map(one => make("p", { text: agreement(one) }));
  show([...list, make("div", { kind: "end" }, ...kappas, ...(found.all ? [make("div", { kind: "row" }, button("Back to the records", () => go()))] : []))]);
  $("candidates").hidden = true;
  buttons();
  top();
}

async function openAt(place) {
  const found = await ask("record", { place, reviewer: state.me });
  if (found.record) open(found.record);
  else say(found.message);
}

const isFiltered = () => Object.entries(state.filter).some(([name, value]) => name !== "show" && value);

function filter(wanted) {
  state.filter = { ...EVERYTHING, ...wanted };
  keep("filter", state.filter);
  showFilter();
  return go();
}

function showFilter() {
  for (const [name, value] of Object.entries(state.filter)) $("filters").elements[name].value = value;
  const on = isFiltered() || state.filter.show !== "open";
  $("open-filters").firstChild.data = on ? "Filter: on " : "Filter ";
}

// -- deciding -------------------------------------------------------------------------------

/** Send a decision about the record, then go on. */
async function decide(verdict, more = {}) {
  const { record } = state;
  if (!record || state.busy) return;
  state.busy = true;
  try {
    const settles = verdict !== "skip" && (record.verdict === "conflict" || record.settled?.reviewer === state.me);
    const body = { id: record.id, version: record.version, reviewer: state.me, verdict, note: noteField?.value ?? "", settles, ...more };
    const found = await tell("decisions", body, "Your last decision");
    if (found.status === 409) return stale(found);
    if (found.status !== 200) return say(found.message);
    done(record, found.saved.decision, settles);
    if (settles) await progress();
    if (settles && state.conflicts) await conflicts();
    else await go(record.place, { decided: true });
  } finally { state.busy = false; }
}

function done(record, decision, settles) {
  forget(record);
  if (state.words?.id === record.id) state.words = null;
  keep("history", [...kept("history", []).slice(-200), record.place]);
  paced((performance.now() - state.since) / 1000);
  say(settles ? "Settled" : DONE[decision]);
}

async function stale({ message, record }) {
  const fields = state.editing ? written() : null;
  if (record && fields) keepDraft(record, { fields: { ...state.from, ...fields }, candidate: null, note: noteField.value });
  if (record) open(record, `Not saved: ${message}. Look at it as it is now${fields ? "; your words are still below" : ""}.`);
  else await go();
  say(`Not saved: ${message}.`, { seen: !record }); // the record has it written above it
}

/** A decision of one of two who differ holds. */
function settle(one) {
  const edits = one.decision === "edit" ? { fields: one.fields, candidate: one.candidate } : {};
  return decide(one.decision, { ...edits, reason: one.reason });
}

async function undo() {
  if (state.busy || state.editing) return;
  state.busy = true;
  try {
    const places = kept("history", []);
    const place = places.pop();
    const found = place == null ? await ask("last", { reviewer: state.me }) : await ask("record", { place, reviewer: state.me });
    keep("history", places);
    if (!found.record) return say("There is nothing to take back.");
    const { record } = found;
    const lost = (record.settled ?? record.mine)?.fields;
    const body = { id: record.id, version: record.version, reviewer: state.me, verdict: "undo" };
    const answer = await tell("decisions", body, "Undo");
    if (answer.status !== 200) return say(answer.message);
    state.words = lost && Object.keys(lost).length ? { id: record.id, fields: lost } : null;
    await openAt(record.place);
    say(state.words ? "Taken back. Edit shows your words again." : "Taken back. Decide anew.");
    progress();
  } finally { state.busy = false; }
}

// -- editing --------------------------------------------------------------------------------

/** Edit the record, or a candidate in its place; `fields` are words that were written before. */
function edit(place = null, fields = null) {
  const { record } = state;
  const one = place === null ? null : record.candidates[place];
  const own = one ? { rationale: one.rationale, answer: one.answer, label: one.label } : {};
  const stands = record.verdict === "conflict" ? record.mine?.fields ?? {} : changesOf(record);
  const before = state.words?.id === record.id ? state.words.fields : stands;
  state.candidate = place;
  state.base = { ...record.texts };
  state.from = { ...record.texts, ...(one ? own : before), ...fields };
  state.editing = true;
  draw();
  const first = document.querySelector(one ? "#record .field.answer textarea, #record .field.label :is(select, textarea)" : "#record textarea, #record select");
  const wanted = document.querySelector("#record .field.answer textarea") ?? first;
  wanted?.focus();
  if (!fields) say(one ? "Chosen. Change it if you like, then save." : "Edit any text, then save.");
}

const choose = one => edit(one.place);

/** The fields as they are written, where a hand touched them. */
function written() {
  const inputs = document.querySelectorAll("#record [data-field]");
  return Object.fromEntries([...inputs].filter(one => one.value !== one.dataset.first).map(one => [one.dataset.field, one.value]));
}

function save() {
  const { record, candidate, from } = state;
  const one = candidate === null ? null : record.candidates[candidate];
  const ground = { ...record.texts, ...(one ? { rationale: one.rationale, answer: one.answer, label: one.label } : {}) };
  const now = { ...from, ...written() };
  const fields = Object.fromEntries(fieldsOf(record, true).concat("label", "answer")
    .filter(name => !record.cut[name] && now[name] !== ground[name]).map(name => [name, now[name]]));
  const same = Object.keys(record.texts).every(name => now[name] === record.texts[name]);
  if (same && isChanged(record)) return decide("accept"); // the teacher's words again
  if (same) return say("Nothing is changed. Cancel, then accept it as it is.");
  return decide("edit", { fields, ...(one ? { candidate } : {}) });
}

function cancel() {
  const { record, from, base } = state;
  const touched = written();
  if (Object.keys(touched).length) state.words = { id: record.id, fields: changed({ ...from, ...touched }, base) };
  Object.assign(state, { editing: false, warning: "" });
  forget(record);
  hush();
  draw();
  top();
  if (Object.keys(touched).length) say("Cancelled. Edit shows your words again.");
}

const changed = (now, base) => Object.fromEntries(Object.entries(now).filter(([name, text]) => text !== base[name]));

function remember() {
  const fields = state.editing ? { ...state.from, ...written() } : null;
  keepDraft(state.record, { fields, candidate: state.candidate, note: noteField.value });
}

// What is being written, by record; that about other texts of the teacher's is of no use.

const textsOf = version => version.split(".")[0];

function keepDraft({ id, version, place }, draft) {
  const { [id]: _, ...others } = kept("drafts", {});
  keep("drafts", { ...others, [id]: { ...draft, place, of: textsOf(version) } });
}

function draftOf({ id, version }) {
  const found = kept("drafts", {})[id];
  return found?.of === textsOf(version) ? found : null;
}

function forget({ id }) {
  const { [id]: _, ...others } = kept("drafts", {});
  keep("drafts", others);
}

/** Go on with the edit that was begun last. */
async function goOn() {
  const [id, draft] = Object.entries(kept("drafts", {})).findLast(([, one]) => one.fields) ?? [];
  if (!draft || id === state.record?.id) return;
  const { record } = await ask("record", { place: draft.place, reviewer: state.me });
  if (record?.id === id) open(record);
}

function reject() {
  if (!state.record || state.busy) return;
  const form = $("why").querySelector("form");
  form.reset();
  form.elements.reason.value = state.record.mine?.reason ?? "";
  $("why").showModal();
}

function rejected(reason) {
  $("why").close();
  return decide("reject", { reason });
}

// -- how far ---------------------------------------------------------------------------------

let latest = 0;
async function progress() {
  const turn = ++latest;
  const found = await ask("progress");
  if (found.status !== 200 || turn !== latest) return;
  const { counts, meaning, kappas } = found;
  Object.assign(state, { kappas, meaning, conflicts: counts.conflict, open: counts.open, given: counts.given, half: found.half });
  showProgress(found, state.counts, isFiltered());
}

// -- keys, buttons, dialogs ------------------------------------------------------------------

const ACTS = {
  a: () => decide("accept", state.record && isChanged(state.record) ? asShown(state.record) : {}),
  e: () => state.record && edit(), r: reject, s: () => decide("skip"), u: undo,
  n: () => state.record && noteField.focus(), "/": () => filters(true), "?": () => $("help").showModal(),
  j: () => walk(false), k: () => walk(true),
};

/** What is accepted is what is shown: with the changes of a person, where there are any. */
const asShown = record => ({ fields: changesOf(record), candidate: shown(record).candidate });

const walk = back => state.filter.show !== "open" && state.record && go(state.record.place, { back });

/** The letter or digit of a key, also where the keyboard has no Latin letters. */
function keyOf({ key, code }) {
  if (/^\P{ASCII}$/u.test(key) && /^Key[A-Z]$/.test(code)) return code[3].toLowerCase();
  return key.length === 1 ? key.toLowerCase() : "";
}

const isChord = event => event.ctrlKey || event.metaKey || event.altKey || event.isComposing;

function pressed(event) {
  if (event.isComposing) return;
  const inField = event.target.closest("input, textarea, select");
  if (document.querySelector("dialog[open]")) return;
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && state.editing) { event.preventDefault(); return save(); }
  if (event.key === "Escape") $("estimate").open = false;
  if (event.key === "Escape" && inField && !inField.dataset.field) { inField.blur(); return $("record").focus(); }
  if (event.key === "Escape" && state.editing) return cancel();
  if (inField || isChord(event) || event.repeat || !$("keys-on").checked || !state.me) return;
  const key = keyOf(event);
  if (/^[1-9]$/.test(key)) {
    event.preventDefault();
    return document.querySelector(`main button[aria-keyshortcuts="${key}"]`)?.click();
  }
  if (!ACTS[key] || (state.editing && key !== "?")) return;
  event.preventDefault();
  ACTS[key]();
}

function filters(opened = $("filters").hidden) {
  $("filters").hidden = !opened;
  $("open-filters").setAttribute("aria-expanded", String(opened));
  if (opened) $("filters").elements.text.focus();
}

function who() {
  const { reviewers } = state.start;
  $("names").replaceChildren(...reviewers.map(name => button(name, () => named(name))));
  $("names").hidden = !reviewers.length;
  $("who").querySelector("form").elements.name.value = state.me;
  $("who").showModal();
  $("who").querySelector("input").select();
}

function named(name) {
  if ($("who").open) $("who").close();
  const first = !state.me;
  if (!first && state.me !== name) {
    sessionStorage.removeItem("history");
    say(`You go on as ${name}.`);
  }
  state.me = name;
  keep("me", name);
  if (!state.start.reviewers.includes(name)) state.start.reviewers.push(name);
  $("open-who").replaceChildren(make("span", { kind: "wide", text: "Reviewer: " }), name);
  return first ? go().then(goOn) : go();
}

function wire() {
  for (const [id, act] of Object.entries({ accept: once(ACTS.a), edit: ACTS.e, reject, skip: once(ACTS.s), undo, before: ACTS.k, after: ACTS.j, save: once(save), cancel,
    "open-filters": () => filters(), "open-conflicts": conflicts, "open-who": who, "open-help": ACTS["?"], "why-not": () => $("why").close(),
    clear: () => filter({ ...EVERYTHING }) })) $(id).addEventListener("click", event => act(event));
  document.addEventListener("keydown", pressed);
  $("filters").addEventListener("submit", event => {
    event.preventDefault();
    if (event.submitter) document.activeElement.blur(); // else a list is being gone through, by key perhaps
    filter(Object.fromEntries(new FormData($("filters"))));
  });
  for (const one of $("filters").querySelectorAll("select")) one.addEventListener("change", () => $("filters").requestSubmit());
  $("who").addEventListener("cancel", event => state.me || event.preventDefault());
  $("who").querySelector("form").addEventListener("submit", event => {
    event.preventDefault();
    const name = event.target.elements.name.value.trim();
    if (name) named(name);
  });
  const form = $("why").querySelector("form");
  REASONS.forEach((text, n) => $("reasons").append(button(text, () => rejected(text), { key: String(n + 1) })));
  form.addEventListener("submit", event => {
    event.preventDefault();
    const reason = form.elements.reason.value.trim();
    if (reason) rejected(reason);
    else form.elements.reason.focus();
  });
  form.addEventListener("keydown", event => {
    if (event.target === form.elements.reason || isChord(event) || event.repeat || !/^[1-6]$/.test(event.key)) return;
    event.preventDefault();
    if (event.key in NUMBERED) rejected(NUMBERED[event.key]);
    else form.elements.reason.focus();
  });
  $("keys-on").checked = kept("keys", true);
  $("keys-on").addEventListener("change", () => keep("keys", $("keys-on").checked));
}

/** What there is to filter by; of a large run it is known only when all records are read. */
async function choices() {
  const { choices: found, labels, scored } = await ask("choices");
  if (!found) return;
  state.labels = labels;
  for (const [name, values] of Object.entries(found)) {
    const select = $("filters").elements[name];
    for (const [value, shown, n] of values) select.append(make("option", { value, text: `${shown} (${n.toLocaleString("en")})` }));
    document.querySelector(`[data-choice="${name}"]`).hidden = !values.length;
  }
  document.querySelector('[data-choice="below"]').hidden = !scored;
  showFilter();
}

async function begin() {
  if (!takeKey()) return shutOut();
  wire();
  state.start = await ask("start");
  const { run, reviewers, double, labels } = state.start;
  state.labels = labels;
  document.title = `Review of ${run}`;
  $("run").replaceChildren("Review of ", ...textOf(run).childNodes);
  state.filter = kept("filter", state.filter);
  showFilter();
  choices();
  const me = kept("me") ?? (state.start.reviewer || (reviewers.length === 1 && !double ? reviewers[0] : ""));
  const place = kept("place");
  if (!me) { progress(); return who(); }
  state.kappas = [];
  await named(me);
  if (place != null && !state.editing) await openAt(place);
  if (!sessionStorage.getItem("greeted")) say(`You go on as ${me}. If that is not you, press the name above.`);
  keep("greeted", true);
}

addEventListener("unhandledrejection", event => { if (event.reason instanceof Locked) event.preventDefault(); });
begin().catch(error => { if (!(error instanceof Locked)) throw error; });
