// Texts of the data, put into the page as text and nothing else; and what differs between two.

// What steers or hides in a text is spelled out. The joiners that some scripts and emoji need
// (U+200C, U+200D) stay, and so do tabs and line ends.
const HIDDEN = new RegExp(
  "[\\0-\\x08\\x0b-\\x1f\\x7f-\\x9f\\u061c\\u200b\\u200e\\u200f\\u2028-\\u202e\\u2060-\\u206f"
  + "\\ufeff\\ufff9-\\uffff\\ud800-\\udfff\\u{e0000}-\\u{e007f}]", "gu");
const BEGINNING = 4000; // characters of a long text that are shown at first
const LONG = 6000;
const AROUND = 1000; // characters on both sides of a change in a long text
const LEAST_SAME = 0.3; // share of a text that must stay for the two to be read as one
const MOST_CELLS = 4e6; // of the table in which two texts are compared

export function make(tag, { text, kind, ...attributes } = {}, ...children) {
  const found = document.createElement(tag);
  if (kind) found.className = kind;
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) found.setAttribute(name, value === true ? "" : value);
  }
  if (text !== undefined) found.textContent = text;
  found.append(...children.filter(one => one != null && one !== ""));
  return found;
}

function spelled(text) {
  const parts = [];
  let from = 0;
  for (const found of text.matchAll(HIDDEN)) {
    if (found[0] === "\ufffd") continue;
    if (found.index > from) parts.push(text.slice(from, found.index));
    const code = found[0].codePointAt(0).toString(16).padStart(4, "0");
    parts.push(make("span", { kind: "hidden-mark", text: `\\u${code}` }));
    from = found.index + found[0].length;
  }
  parts.push(text.slice(from));
  return parts;
}

/** An element with a text of the data in it, a long one with its beginning first. */
export function textOf(text, kind = "text") {
  const whole = text.replaceAll("\r\n", "\n");
  const box = make("div", { kind, dir: "auto" });
  if (whole.length <= LONG) {
    box.append(...spelled(whole));
    return box;
  }
  box.append(...spelled(whole.slice(0, BEGINNING)), " …");
  const more = make("button", { type: "button", kind: "more", text: `Show all ${whole.length.toLocaleString("en")} characters` });
  more.addEventListener("click", () => { box.replaceChildren(...spelled(whole)); more.remove(); });
  return make("div", {}, box, more);
}

/** What differs, word by word: a list of [sign, text], sign one of "", "-" and "+". */
export function difference(before, after) {
  const a = before.match(/\s+|[\p{L}\p{N}]+|[^\s\p{L}\p{N}]/gu) ?? [];
  const b = after.match(/\s+|[\p{L}\p{N}]+|[^\s\p{L}\p{N}]/gu) ?? [];
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a.at(-1 - end) === b.at(-1 - end)) end++;
  const parts = [["", a.slice(0, start).join("")]];
  parts.push(...middle(a.slice(start, a.length - end), b.slice(start, b.length - end)));
  parts.push(["", a.slice(a.length - end).join("")]);
  const found = joined(parts);
  const same = found.filter(([sign]) => !sign).reduce((sum, [, text]) => sum + text.trim().length, 0);
  if (same < LEAST_SAME * Math.max(before.length, after.length)) return [["-", before], ["+", after]];
  return found;
}

/** By the longest common subsequence; where that would take too long, all of it is new. */
function middle(a, b) {
  if (a.length * b.length > MOST_CELLS) return [["-", a.join("")], ["+", b.join("")]];
  const width = b.length + 1;
  const longest = new Uint16Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      longest[i * width + j] = a[i] === b[j]
        ? longest[(i + 1) * width + j + 1] + 1
        : Math.max(longest[(i + 1) * width + j], longest[i * width + j + 1]);
    }
  }
  const parts = [];
  let i = 0, j = 0;
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) { parts.push(["", a[i++]]); j++; }
    else if (j >= b.length || (i < a.length && longest[(i + 1) * width + j] >= longest[i * width + j + 1])) parts.push(["-", a[i++]]);
    else parts.push(["+", b[j++]]);
  }
  return parts;
}

/** Equal signs in a row are one part; a blank between two changes belongs to them. */
function joined(parts) {
  const found = [];
  let out = "", into = "";
  const flush = () => {
    if (out) found.push(["-", out]);
    if (into) found.push(["+", into]);
    out = into = "";
  };
  const full = parts.filter(([, text]) => text);
  full.forEach(([sign, text], n) => {
    const bridge = sign === "" && /^\s+$/.test(text) && (out || into) && full[n + 1]?.[0];
    if (sign === "-" || bridge) out += text;
    if (sign === "+" || bridge) into += text;
    if (sign !== "" || bridge) return;
    flush();
    if (found.at(-1)?.[0] === "") found.at(-1)[1] += text;
    else found.push(["", text]);
  });
  flush();
  return found;
}

/** An element that shows what differs; said in words too, for those who do not see it. Of a long text only what stands around it, at first. */
export function differenceOf(before, after) {
  const box = make("div", { kind: "text difference", dir: "auto" });
  const parts = difference(before.replaceAll("\r\n", "\n"), after.replaceAll("\r\n", "\n"));
  const drawn = most => parts.map(([sign, text], n) => {
    const tag = { "-": "del", "+": "ins", "": "span" }[sign];
    const said = { "-": "taken out: ", "+": "put in: " }[sign];
    const shown = shortened(text, sign || n ? most : 0, sign || n < parts.length - 1 ? most : 0);
    return make(tag, {}, said && make("span", { kind: "unseen", text: said }), ...spelled(shown), said && make("span", { kind: "unseen", text: " " }));
  });
  const length = parts.reduce((sum, [, text]) => sum + text.length, 0);
  if (length <= LONG) {
    box.append(...drawn(LONG));
    return box;
  }
  box.append(...drawn(AROUND));
  const more = make("button", { type: "button", kind: "more", text: `Show all ${length.toLocaleString("en")} characters` });
  more.addEventListener("click", () => { box.replaceChildren(...drawn(Infinity)); more.remove(); });
  return make("div", {}, box, more);
}

function shortened(text, first, last) {
  if (text.length <= AROUND + first + last) return text;
  return `${text.slice(0, first)} … ${last ? text.slice(-last) : ""}`;
}
