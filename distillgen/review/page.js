// The review page: one record at a time, decided by key or by mouse.

import { ask, keep, kept, Locked, shutOut, takeKey, tell } from "./ask.js";
import { DONE, banner, button, candidates, conflictList, editing, end, fieldsOf, grow, known, reading } from "./draw.js";
import { agreement, paced, showProgress } from "./far.js";
import { make, textOf } from "./words.js";

const REASONS = ["The answer is wrong", "The rationale does not support the answer", "It does not fit the context", "The question makes no sense", "Badly written"];
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
  const conflict = record.verdict === "conflict";
  const told = banner(record, state.me, state.warning, state.editing ? null : settle);
  if (state.editing) {
    show([told, ...editing(record, state.base, state.from, state.labels, remember)], known(record, note()));
    document.querySelectorAll("#record textarea").forEach(grow);
  } else {
    show([told, ...reading(record, conflict ? {} : changesOf(record), compare)], known(record, note()));
    images(record);
  }
  const others = state.editing ? [] : candidates(record, choose, !conflict);
  $("candidates").replaceChildren(...others);
  $("candidates").hidden = !others.length;
  buttons();
}

const compare = () => {
  $("candidates").scrollIntoView({ block: "center" });
  $("candidates").focus({ preventScroll: true });
};

const changesOf = record => (record.settled ?? record.mine ?? record.others[0])?.fields ?? {};

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
  const before = noteField?.dataset.id === state.record.id ? noteField.value : state.record.mine?.note ?? "";
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
  const draft = kept("draft");
  const mine = draft?.id === record.id && draft.version === record.version ? draft : null;
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
  if (!state.editing) $("record").focus({ preventScroll: true });
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
  else if (filtered) show([end("These are all reviewed.", [`${matching.toLocaleString("en")} records match the filters.`], all, decided)]);
  else {
    const title = state.open ? "Nothing is left for you. Thank you." : "Everything is reviewed. Thank you.";
    const others = matching === state.given ? "" : ", or not among those that failed a check";
    const open = state.open && `${state.open.toLocaleString("en")} not reviewed: skipped, for another reviewer${others}.`;
    const differ = state.conflicts && "Where the reviewers differ, the record is left out until that is settled.";
    show([end(title, [open, differ, state.meaning, "Each decision is saved. You can close this page; in the terminal, Ctrl-C ends the program."],
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
    const settles = record.verdict === "conflict" && verdict !== "skip";
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
  sessionStorage.removeItem("draft");
  keep("history", [...kept("history", []).slice(-200), record.place]);
  paced((performance.now() - state.since) / 1000);
  say(settles ? "Settled" : DONE[decision]);
}

async function stale({ message, record }) {
  const fields = state.editing ? written() : null;
  if (record && fields) keep("draft", { id: record.id, version: record.version, fields: { ...state.from, ...fields }, candidate: null, note: noteField.value });
  if (record) open(record, `Not saved: ${message}. Look at it as it is now${fields ? "; your words are still below" : ""}.`);
  else await go();
  say(`Not saved: ${message}.`, { seen: !record }); // the record has it written above it
}

/** A decision of one of two who differ holds. */
function settle(one) {
  const edits = one.decision === "edit" ? { fields: one.fields } : {};
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
    state.undone = lost && Object.keys(lost).length ? { id: record.id, fields: lost } : null;
    await openAt(record.place);
    say(state.undone ? "Taken back. Edit shows your words again." : "Taken back. Decide anew.");
    progress();
  } finally { state.busy = false; }
}

// -- editing --------------------------------------------------------------------------------

/** Edit the record, or a candidate in its place; `fields` are words that were written before. */
function edit(place = null, fields = null) {
  const { record } = state;
  const one = place === null ? null : record.candidates[place];
  const own = one ? { rationale: one.rationale, answer: one.answer, label: one.label } : {};
  const before = state.undone?.id === record.id ? state.undone.fields : record.mine?.fields ?? record.settled?.fields ?? {};
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
  if (same) return say("Nothing is changed. Cancel, then accept it as it is.");
  return decide("edit", { fields, ...(one ? { candidate } : {}) });
}

function cancel() {
  Object.assign(state, { editing: false, warning: "" });
  sessionStorage.removeItem("draft");
  hush();
  draw();
  top();
}

function remember() {
  const { id, version } = state.record;
  const fields = state.editing ? { ...state.from, ...written() } : null;
  keep("draft", { id, version, fields, candidate: state.candidate, note: noteField.value });
}

function reject() {
  if (!state.record || state.busy) return;
  const form = $("why").querySelector("form");
  form.reset();
  form.elements.reason.value = state.record.mine?.reason ?? "";
  $("why").showModal();
  form.elements.reason.focus();
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
  Object.assign(state, { kappas, meaning, conflicts: counts.conflict, open: counts.open, given: counts.given });
  showProgress(found, state.counts, isFiltered());
}

// -- keys, buttons, dialogs ------------------------------------------------------------------

const ACTS = {
  a: () => decide("accept", state.record?.mine && Object.keys(changesOf(state.record)).length ? keepMine() : {}),
  e: () => state.record && edit(), r: reject, s: () => decide("skip"), u: undo,
  n: () => state.record && noteField.focus(), "/": () => filters(true), "?": () => $("help").showModal(),
  j: () => walk(false), k: () => walk(true),
};

/** To accept what one has edited oneself is to keep the edit. */
const keepMine = () => (state.record.mine.fields && state.record.verdict !== "conflict" ? { fields: state.record.mine.fields } : {});

const walk = back => state.filter.show !== "open" && state.record && go(state.record.place, { back });

function pressed(event) {
  const inField = event.target.closest("input, textarea, select");
  if (document.querySelector("dialog[open]")) return;
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && state.editing) { event.preventDefault(); return save(); }
  if (event.key === "Escape") $("estimate").open = false;
  if (event.key === "Escape" && inField && !inField.dataset.field) { inField.blur(); return $("record").focus(); }
  if (event.key === "Escape" && state.editing) return cancel();
  if (inField || event.ctrlKey || event.metaKey || event.altKey || event.repeat || !$("keys-on").checked || !state.me) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : "";
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
  if (state.me && state.me !== name) sessionStorage.removeItem("history");
  state.me = name;
  keep("me", name);
  if (!state.start.reviewers.includes(name)) state.start.reviewers.push(name);
  $("open-who").replaceChildren(make("span", { kind: "wide", text: "Reviewer: " }), name);
  return go();
}

function wire() {
  for (const [id, act] of Object.entries({ accept: ACTS.a, edit: ACTS.e, reject, skip: ACTS.s, undo, before: ACTS.k, after: ACTS.j, save, cancel,
    "open-filters": () => filters(), "open-conflicts": conflicts, "open-who": who, "open-help": ACTS["?"], "why-not": () => $("why").close(),
    clear: () => filter({ ...EVERYTHING }) })) $(id).addEventListener("click", () => act());
  document.addEventListener("keydown", pressed);
  $("filters").addEventListener("submit", event => {
    event.preventDefault();
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
    if (/^[1-5]$/.test(event.key) && !form.elements.reason.value) { event.preventDefault(); rejected(REASONS[event.key - 1]); }
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
  const { run, reviewers, double } = state.start;
  document.title = `Review of ${run}`;
  $("run").replaceChildren("Review of ", ...textOf(run).childNodes);
  state.filter = kept("filter", state.filter);
  showFilter();
  choices();
  const me = kept("me") ?? (state.start.reviewer || (reviewers.length === 1 && !double ? reviewers[0] : ""));
  const place = kept("place");
  if (!me) { progress(); return who(); }
  state.kappas = [];
  await (place == null ? named(me) : named(me).then(() => openAt(place)));
  if (!sessionStorage.getItem("greeted")) say(`You go on as ${me}.`);
  keep("greeted", true);
}

addEventListener("unhandledrejection", event => { if (event.reason instanceof Locked) event.preventDefault(); });
begin().catch(error => { if (!(error instanceof Locked)) throw error; });
