/* Locking: after a while without a touch, with a warning and one tap to stay. A sale that is open on
   the screen goes along, sealed as it is, and waits for its owner. Also the pads on which PINs are
   typed, and badges at the locked screen. Everything here works without script, only less quickly. */

const idle = document.getElementById("idle");
const csrf = () => document.querySelector("[name=csrfmiddlewaretoken]")?.value ?? "";
const PINGS_EVERY_MS = 45_000;

let touchedAt = Date.now();
let pingedAt = Date.now();
let isLocking = false;

/* The lock form with what the screen would need to be shown again. */
function lockNow(action) {
  if (isLocking) return;
  isLocking = true;
  const form = document.createElement("form");
  form.method = "post";
  form.action = action;
  form.hidden = true;
  const resume = document.getElementById("resume");
  const data = resume ? new FormData(resume) : new FormData();
  for (const typed of resume ? document.querySelectorAll("form[data-kept] [name]:not([type=hidden])") : []) {
    data.set(typed.name, typed.value);
  }
  data.set("csrfmiddlewaretoken", csrf());
  if (resume) data.set("keep", new URL(resume.action).pathname);
  for (const [name, value] of data) {
    const field = document.createElement("input");
    field.type = "hidden";
    field.name = name;
    field.value = value;
    form.append(field);
  }
  document.body.append(form);
  form.submit();
}

function touched() {
  touchedAt = Date.now();
  if (idle.open) idle.close();
  if (touchedAt - pingedAt < PINGS_EVERY_MS) return;
  pingedAt = touchedAt;
  const body = new URLSearchParams({ csrfmiddlewaretoken: csrf() });
  fetch(idle.dataset.stay, { method: "POST", body, redirect: "manual" }).catch(() => {});
}

function watch() {
  const left = Math.ceil(Number(idle.dataset.after) - (Date.now() - touchedAt) / 1000);
  if (left <= 0) return lockNow(idle.dataset.lock);
  if (left > Number(idle.dataset.warns)) return;
  idle.querySelector("[data-left]").textContent = `${left} s`;
  if (!idle.open) idle.showModal();
}

if (idle) {
  for (const name of ["keydown", "pointerdown", "till:scan"]) document.addEventListener(name, touched, true);
  idle.addEventListener("close", touched);
  setInterval(watch, 1000);
  document.addEventListener(
    "submit",
    (event) => {
      if (new URL(event.target.action).pathname !== idle.dataset.lock) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      lockNow(idle.dataset.lock);
    },
    true,
  );
}

/* The pad types into its field. */
document.addEventListener("click", (event) => {
  const key = event.target instanceof Element && event.target.closest("[data-digit]");
  if (!key) return;
  const field = document.getElementById(key.closest("[data-pinpad]").dataset.pinpad);
  if (key.dataset.digit === "back") field.value = field.value.slice(0, -1);
  else if (key.dataset.digit === "clear") field.value = "";
  else if (field.value.length < field.maxLength) field.value += key.dataset.digit;
  field.focus({ preventScroll: true });
});

/* At the locked screen a scan can only be a badge. */
const badge = document.getElementById("badge");
if (badge)
  document.addEventListener("till:scan", (event) => {
    badge.elements.badge.value = event.detail.text;
    badge.requestSubmit();
  });

/* The keypad on the screen is the keyboard here; the system's would cover it. */
if (matchMedia("(pointer: coarse)").matches) document.querySelectorAll(".input--pin").forEach((field) => (field.inputMode = "none"));

/* A sale that was kept goes on by itself. */
document.querySelector("[data-goes-on]")?.requestSubmit();

/* A page that the browser kept is of somebody who has left. */
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
