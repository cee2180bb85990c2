/* Hears a keyboard-wedge scanner or stripe reader anywhere on the page and says `till:scan`.

   A scan is told from typing by speed alone: 30 ms between characters, six or more, ended by Enter,
   Tab or 100 ms of quiet. A person is slower, so a field in use never loses a key; what a scanner put
   into a field is taken out again. */

const GAP_MS = 30;
const QUIET_MS = 100;
const SHORTEST = 6;
// A burst this short inside a field may be a fast amount; a card or a receipt's code is longer.
const SHORTEST_IN_FIELD = 8;

let burst = null;

function isField(element) {
  return element instanceof HTMLInputElement || element instanceof HTMLTextAreaElement;
}

// Its timer goes with it: a late one would cut the next burst in two.
function forget() {
  if (burst) clearTimeout(burst.timer);
  burst = null;
}

function begin(event) {
  forget();
  const field = isField(event.target) ? event.target : null;
  burst = { text: "", last: 0, field, before: field ? field.value : "", timer: 0 };
}

function isScan(found) {
  if (!found || found.text.length < (found.field ? SHORTEST_IN_FIELD : SHORTEST)) return false;
  return !/^\d*[.,]\d{0,2}$/.test(found.text);
}

function finish() {
  const found = burst;
  forget();
  if (!isScan(found)) return false;
  if (found.field) {
    found.field.value = found.before;
    found.field.dispatchEvent(new Event("input", { bubbles: true }));
  }
  document.dispatchEvent(new CustomEvent("till:scan", { detail: { text: found.text } }));
  return true;
}

document.addEventListener(
  "keydown",
  (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
    const isFast = burst && event.timeStamp - burst.last <= (event.key.length === 1 ? GAP_MS : QUIET_MS);
    if (event.key === "Enter" || event.key === "Tab") {
      if (isFast && finish()) {
        event.preventDefault();
        event.stopImmediatePropagation();
      }
      forget();
      return;
    }
    if (event.key.length !== 1) return;
    if (!isFast) begin(event);
    clearTimeout(burst.timer);
    burst.text += event.key;
    burst.last = event.timeStamp;
    burst.timer = setTimeout(finish, QUIET_MS);
  },
  true,
);
