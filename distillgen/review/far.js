// Say how far the review is, how long the rest takes, and how much of the whole is likely to be wrong.

import { keep, kept } from "./ask.js";
import { make } from "./words.js";

const PACE = 20; // decisions that the time left is reckoned from
const LONGEST_S = 600; // more than that between two decisions was a break
const $ = id => document.getElementById(id);
const n = number => number.toLocaleString("en");

/** A decision took so many seconds. */
export function paced(seconds) {
  if (seconds < LONGEST_S) keep("pace", [...kept("pace", []).slice(1 - PACE), seconds]);
}

/** The time that so many records take, by the pace of the last ones. */
function minutes(records) {
  const pace = kept("pace", []).sort((a, b) => a - b);
  if (pace.length < 3 || !records) return "";
  const found = records * pace[pace.length >> 1] / 60;
  if (found < 1) return "under a minute";
  return found < 90 ? `about ${Math.round(found)} min` : `about ${n(Math.round(found / 60))} h`;
}

/** How often two reviewers say the same. */
export const agreement = one => `${one.reviewers.join(" and ")}: the same decision on ${one.agree} of ${n(one.records)} record${one.records === 1 ? "" : "s"}`
  + (one.kappa === null ? "." : `, Cohen’s kappa ${one.kappa} (1 is always the same, 0 no more often than by chance).`);

/** `matching` records are in the filter, of which `waiting` are to be looked at. */
export function showProgress({ counts, estimate, meaning, more, kappas }, { matching, waiting }, filtered) {
  const reviewed = counts.given - counts.open;
  $("bar").max = counts.given || 1;
  $("bar").value = reviewed;
  const parts = [make("strong", { text: `${n(reviewed)} of ${n(counts.given)} reviewed` })];
  if (matching && matching !== counts.given) parts.push(` · ${n(waiting)} of ${n(matching)} ${filtered ? "in this filter" : "that failed a check"} to go`);
  const left = minutes(waiting);
  if (left) parts.push(` · ${left} left`);
  $("progress").replaceChildren(...parts);
  const soon = minutes(more);
  const summary = [estimate + (soon && ` (${soon})`), ...kappas.slice(0, 1).map(one => one.kappa === null ? "" : `Cohen’s kappa ${one.kappa}`)];
  $("estimate").firstChild.textContent = summary.filter(Boolean).join(" · ");
  $("estimate").lastChild.replaceChildren(...[meaning, ...kappas.map(agreement)].map(text => make("p", { text })));
  $("estimate").hidden = false;
  $("open-conflicts").hidden = !counts.conflict;
  $("open-conflicts").textContent = `Conflicts: ${n(counts.conflict)}`;
}
