/* A scanned code stands behind the #, which no server and no log ever sees. It is put into the form
   and taken out of the address; a person still presses the button. */

const code = decodeURIComponent(location.hash.slice(1));
const field = document.getElementById("id_code");
if (field && /^[0-9A-Za-z-]{8,9}$/.test(code)) {
  field.value = code;
  history.replaceState(null, "", location.pathname);
  field.form.querySelector("button:not([name])").focus();
}
