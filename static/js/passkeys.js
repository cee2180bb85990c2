/* Asks the browser for a passkey: a new one, or the proof of one. The form says which, with the
   server's own options; whatever comes back goes to the server in a field, and only it decides.
   Where the browser has no passkeys, or stands at another address, nothing is shown. */

const bytes = (text) =>
  Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));

const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

const listed = (credentials = []) => credentials.map((one) => ({ ...one, id: bytes(one.id) }));

const asked = {
  async create(options) {
    const made = await navigator.credentials.create({
      publicKey: {
        ...options,
        challenge: bytes(options.challenge),
        user: { ...options.user, id: bytes(options.user.id) },
        excludeCredentials: listed(options.excludeCredentials),
      },
    });
    return said(made, { attestationObject: text(made.response.attestationObject) });
  },
  async get(options) {
    const proof = await navigator.credentials.get({
      publicKey: {
        ...options,
        challenge: bytes(options.challenge),
        allowCredentials: listed(options.allowCredentials),
      },
    });
    const { authenticatorData, signature, userHandle } = proof.response;
    return said(proof, {
      authenticatorData: text(authenticatorData),
      signature: text(signature),
      ...(userHandle ? { userHandle: text(userHandle) } : {}),
    });
  },
};

const said = (credential, response) => JSON.stringify({
  id: credential.id,
  rawId: text(credential.rawId),
  type: credential.type,
  response: { clientDataJSON: text(credential.response.clientDataJSON), ...response },
});

for (const part of document.querySelectorAll("[data-passkey]")) {
  if (!window.PublicKeyCredential || location.origin !== part.dataset.origin) continue;
  const form = part.closest("form");
  const button = part.querySelector("button");
  const problem = part.querySelector("[role=alert]");
  part.hidden = false;
  button.addEventListener("click", async () => {
    const name = form.elements.name;
    if (name && !name.reportValidity()) return;
    button.disabled = true;
    problem.hidden = true;
    try {
      const options = JSON.parse(part.dataset.options).publicKey;
      form.elements.passkey.value = await asked[part.dataset.passkey](options);
      // The other fields of this form are another way in, and may be empty.
      form.submit();
    } catch {
      // Turned away by the person, unknown here, or too late: they may try again.
      problem.hidden = false;
      button.disabled = false;
      button.focus();
    }
  });
}
