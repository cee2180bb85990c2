/* The till's quick path: keys, keypad, steps, waiting, countdown and printing. Every form and link
   works without it; nothing here knows a rule of the programme. */

const LANGUAGE = document.documentElement.lang || "en-CA";
const MONEY = new Intl.NumberFormat(LANGUAGE, { style: "currency", currency: "CAD", currencyDisplay: "narrowSymbol" });
const WHOLE = new Intl.NumberFormat(LANGUAGE, { style: "currency", currency: "CAD", currencyDisplay: "narrowSymbol", maximumFractionDigits: 0 });
const COUNT = new Intl.NumberFormat(LANGUAGE);
// An Enter held down, or pressed twice, must not run through the screen that follows.
const SETTLING_MS = 350;

let shownAt = 0;
let waiting = null;

const screenOf = () => document.getElementById("screen");
const dollars = (cents) => (cents % 100 ? MONEY : WHOLE).format(cents / 100);

const isTextField = (element) => element instanceof HTMLInputElement && !["radio", "checkbox"].includes(element.type);

function announce(text) {
  const region = document.getElementById("announcer");
  if (region && text) region.textContent = text;
}

/* Keys: Enter is the main action, Esc goes back, F-keys stand on their buttons. */
document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.repeat || event.ctrlKey || event.altKey || event.metaKey) return;
  const target = document.querySelector(`[data-key="${event.key.replace(/\W/g, "")}"]`);
  if (!target || waiting) return;
  if (event.key === "Enter") {
    const isTooSoon = performance.now() - shownAt < SETTLING_MS;
    if (isTooSoon && !isTextField(event.target)) {
      event.preventDefault();
      return;
    }
    if (event.target instanceof Element && event.target.closest("a, button, input, select, textarea")) return;
  }
  event.preventDefault();
  target.click();
});

/* Scans go to the screen's own form: a card, an item, or the code of a receipt. */
document.addEventListener("till:scan", (event) => {
  const screen = screenOf();
  if (!screen || waiting) return;
  if (screen.dataset.scan === "receipt") {
    const form = document.getElementById("confirmation");
    form.elements.confirmation.value = event.detail.text;
    form.requestSubmit();
    return;
  }
  if (screen.dataset.scan === "approval") {
    const approval = document.getElementById("approval");
    approval.elements.approver_badge.value = event.detail.text;
    approval.requestSubmit();
    return;
  }
  if (screen.dataset.scan === "item") {
    const line = document.getElementById("item");
    line.elements.sku.value = event.detail.text;
    line.requestSubmit();
    return;
  }
  const form = document.getElementById("scan");
  form.elements.value.value = event.detail.text;
  form.elements.entry.value = /^[;%]|=/.test(event.detail.text) ? "SWIPE" : "SCAN";
  for (const name of ["basket", "excluded"]) {
    const typed = document.getElementById(`id_${name}`);
    form.elements[name].value = typed ? typed.value : "";
  }
  form.requestSubmit();
});

/* A form is sent once. The server would give the same outcome anyway. */
document.addEventListener(
  "submit",
  (event) => {
    const form = event.target;
    if (form.dataset.sent) {
      event.preventDefault();
      event.stopImmediatePropagation();
      return;
    }
    if (form.classList.contains("language") && document.getElementById("resume")) {
      event.preventDefault();
      switchLanguage(form, event.submitter);
      return;
    }
    if (form.dataset.print) {
      event.preventDefault();
      event.stopImmediatePropagation();
      print(form);
      return;
    }
    form.dataset.sent = "1";
    if (form.hasAttribute("data-waits")) startWaiting(form);
  },
  true,
);

async function switchLanguage(form, button) {
  const resume = document.getElementById("resume");
  const data = new FormData(form, button);
  // What was typed and not sent yet goes along.
  for (const typed of document.querySelectorAll("form[data-kept] [name]:not([type=hidden])")) {
    const kept = Object.assign(document.createElement("input"), { type: "hidden", name: typed.name, value: typed.value });
    resume.append(kept);
  }
  await fetch(form.action, { method: "POST", body: data, redirect: "manual" });
  resume.submit();
}

/* Printing: the paper is a page of its own in a hidden frame; a printer's fault never blocks a sale. */
async function print(form) {
  const data = new FormData(form);
  data.delete("then");
  fetch(form.action, { method: "POST", body: data });
  document.getElementById("paper")?.remove();
  const frame = document.createElement("iframe");
  frame.id = "paper";
  frame.title = form.innerText;
  frame.hidden = true;
  frame.addEventListener("load", () => {
    frame.contentWindow.print();
    // The hidden paper must not keep the keys: the scanner types into whatever has the focus.
    document.getElementById("main")?.focus({ preventScroll: true });
  });
  frame.src = form.dataset.print;
  document.body.append(frame);
  if (!form.dataset.print.includes("copy=1")) form.dataset.print += "?copy=1";
}

/* Waiting: nothing moves for a second; then what is being done, and for how long. */
function startWaiting(form) {
  const panel = screenOf()?.querySelector("[data-inflight]");
  stopWaiting();
  waiting = { form, started: performance.now(), timer: panel ? setInterval(() => tick(panel), 200) : 0 };
  document.querySelectorAll(`button[form="${form.id}"], #${CSS.escape(form.id || "none")} button, .button--main`).forEach((button) => {
    button.setAttribute("aria-busy", "true");
  });
}

function tick(panel) {
  const seconds = Math.floor((performance.now() - waiting.started) / 1000);
  if (seconds < 1) return;
  if (panel.hidden) {
    panel.hidden = false;
    screenOf().dataset.waiting = "1";
    announce(panel.querySelector("h1").textContent);
  }
  panel.querySelector("[data-elapsed]").textContent = `${COUNT.format(seconds)} s`;
  const late = panel.querySelector("[data-from]");
  if (late.hidden && seconds >= Number(late.dataset.from)) {
    late.hidden = false;
    panel.querySelector("[data-until]").hidden = true;
    announce(late.textContent);
  }
}

function stopWaiting() {
  if (waiting) clearInterval(waiting.timer);
  waiting = null;
}

/* The answer did not come, or was not a screen: say so, and let the same form be sent again. */
function recover(event) {
  const form = event.detail.elt?.closest?.("form");
  const screen = screenOf();
  if (!form || !screen) return;
  // The form is older than the last sign-in of this browser: pressing it again would never help.
  if (event.detail.xhr?.status === 403) return location.reload();
  delete form.dataset.sent;
  stopWaiting();
  delete screen.dataset.waiting;
  screen.querySelectorAll("[data-inflight]").forEach((panel) => (panel.hidden = true));
  screen.querySelectorAll("[aria-busy]").forEach((button) => button.removeAttribute("aria-busy"));
  const flash = document.getElementById("flash");
  if (flash) flash.textContent = screen.dataset.unreached;
  announce(flash?.textContent);
}
for (const name of ["htmx:sendError", "htmx:responseError", "htmx:timeout"]) document.addEventListener(name, recover);

/* Keypad: it types into the amount that was used last. */
document.addEventListener("click", (event) => {
  const key = event.target instanceof Element && event.target.closest("[data-pad]");
  if (!key) return;
  const form = key.closest("form");
  const field = form.querySelector(".input.is-current") || form.querySelector(".amount--big .input");
  const mark = LANGUAGE.startsWith("fr") ? "," : ".";
  if (key.dataset.pad === "back") field.value = field.value.slice(0, -1);
  else if (key.dataset.pad !== ".") {
    if (!/[.,]\d\d$/.test(field.value)) field.value += key.dataset.pad;
  } else if (!/[.,]/.test(field.value)) field.value = (field.value || "0") + mark;
  field.focus({ preventScroll: true });
});
document.addEventListener("focusin", (event) => {
  if (!event.target.matches?.(".amount .input")) return;
  event.target.form.querySelectorAll(".is-current").forEach((field) => field.classList.remove("is-current"));
  event.target.classList.add("is-current");
});

/* Steps: the summary follows the choice. */
function choose(form, units) {
  const { unitCents, unitMiles, basketCents } = form.dataset;
  const off = units * Number(unitCents);
  const texts = {
    miles: COUNT.format(units * Number(unitMiles)),
    off: `\u2212${MONEY.format(off / 100)}`,
    left: MONEY.format((Number(basketCents) - off) / 100),
    "off-short": dollars(off),
  };
  document.querySelectorAll(".share").forEach((bar) => (bar.value = off));
  for (const [name, text] of Object.entries(texts)) {
    document.querySelectorAll(`[data-out="${name}"]`).forEach((element) => (element.textContent = text));
  }
}

document.addEventListener("input", (event) => {
  const form = event.target.form;
  if (!form || form.id !== "redeem") return;
  const other = form.elements.other;
  if (event.target.name === "units") {
    if (other) other.value = "";
    choose(form, Number(event.target.value));
  } else if (event.target === other) {
    const units = Math.trunc(Number(other.value));
    const isKnown = units >= 1 && units <= Number(form.dataset.maxUnits);
    for (const tile of form.elements.units) tile.checked = isKnown && Number(tile.value) === units;
    if (isKnown) choose(form, units);
  }
});

document.addEventListener("click", (event) => {
  const button = event.target instanceof Element && event.target.closest("[data-step]");
  if (!button) return;
  const form = button.form;
  const now = Number(form.elements.other.value || form.elements.units.value || 1);
  const next = Math.min(Number(form.dataset.maxUnits), Math.max(1, now + Number(button.dataset.step)));
  form.elements.other.value = String(next);
  form.elements.other.dispatchEvent(new Event("input", { bubbles: true }));
});

/* The last moment to reverse, counted down. */
function countDown() {
  for (const element of document.querySelectorAll("[data-countdown]")) {
    const left = Math.floor((new Date(element.dataset.countdown) - Date.now()) / 1000);
    if (left < 0) {
      // The screen offers what is too late now: ask for it as it is. Once, whatever our clock says.
      if (element.dataset.counts) element.dispatchEvent(new Event("over"));
      delete element.dataset.counts;
      continue;
    }
    element.dataset.counts = "yes";
    const [h, m, s] = [Math.floor(left / 3600), Math.floor((left % 3600) / 60), left % 60];
    const two = (number) => String(number).padStart(2, "0");
    const parts = h ? [`${h}\u00a0h`, `${two(m)}\u00a0min`] : [`${m}\u00a0min`, `${two(s)}\u00a0s`];
    element.textContent = parts.join("\u00a0");
  }
}
setInterval(countDown, 1000);

/* A new screen: say it, mark its place in the rail, put the focus where the work is. */
function arrive() {
  const screen = screenOf();
  if (!screen) return;
  stopWaiting();
  shownAt = performance.now();
  announce(screen.dataset.announce);
  document.querySelectorAll(".rail__link[data-section]").forEach((link) => {
    if (link.dataset.section === screen.dataset.section) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  });
  const wanted = screen.querySelector("[autofocus]");
  if (wanted) {
    wanted.focus({ preventScroll: true });
    if (wanted.matches("input[type=text], input:not([type])")) wanted.select();
  } else document.getElementById("main")?.focus({ preventScroll: true });
  // Where there is a keypad on the screen, the system's keyboard would only cover it.
  if (matchMedia("(pointer: coarse)").matches) screen.querySelectorAll("form:has(.keypad) .amount .input").forEach((field) => (field.inputMode = "none"));
  countDown();
}
document.addEventListener("htmx:afterSettle", (event) => {
  if (event.detail.elt?.id === "screen" || event.target?.id === "screen") arrive();
  else if (event.detail.elt?.id === "flash") announce(event.detail.elt.textContent.trim());
});
document.addEventListener("htmx:afterRequest", (event) => {
  const form = event.detail.elt?.closest?.("form");
  if (form) delete form.dataset.sent;
});
// A page that the browser kept shows an old state: ask again.
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
arrive();
