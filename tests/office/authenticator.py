"""A passkey in software, which can also do what no honest one does."""

import json
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from fido2.cose import ES256
from fido2.utils import sha256, websafe_decode, websafe_encode
from fido2.webauthn import (
    Aaguid,
    AttestationObject,
    AttestedCredentialData,
    AuthenticatorData,
    CollectedClientData,
)

ORIGIN = "https://milepost.example"
HOST = "milepost.example"
Flag = AuthenticatorData.FLAG
SEEN_AND_VERIFIED = Flag.UP | Flag.UV


@dataclass
class Passkey:
    """One passkey of one person. `count` is what it says next; with 0 it never counts."""

    count: int = 1
    number: bytes = b"a passkey of a test"
    user: bytes = b""
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )

    def made(
        self, options: str, *, origin: str = ORIGIN, host: str = HOST, flags: Any = None
    ) -> str:
        """Answer what a page asks of a new passkey."""
        asked = json.loads(options)["publicKey"]
        self.user = websafe_decode(asked["user"]["id"])
        public = ES256.from_cryptography_key(self.key.public_key())  # type: ignore[no-untyped-call]
        credential = AttestedCredentialData.create(Aaguid.NONE, self.number, public)
        flags = SEEN_AND_VERIFIED if flags is None else flags
        data = AuthenticatorData.create(
            sha256(host.encode()), flags | Flag.AT, self.count, credential
        )
        self._counted()
        told = _client_data("webauthn.create", asked["challenge"], origin)
        return self._said(
            clientDataJSON=told,
            attestationObject=AttestationObject.create("none", data, {}),
        )

    def proved(
        self,
        options: str,
        *,
        origin: str = ORIGIN,
        host: str = HOST,
        flags: Any = SEEN_AND_VERIFIED,
        is_framed: bool = False,
        number: bytes = b"",
        user: bytes = b"",
    ) -> str:
        """Answer what a page asks of a passkey it knows."""
        asked = json.loads(options)["publicKey"]
        data = AuthenticatorData.create(sha256(host.encode()), flags, self.count)
        self._counted()
        told = _client_data("webauthn.get", asked["challenge"], origin, is_framed=is_framed)
        signature = self.key.sign(data + told.hash, ec.ECDSA(SHA256()))
        return self._said(
            number=number or self.number,
            clientDataJSON=told,
            authenticatorData=data,
            signature=signature,
            userHandle=user or self.user,
        )

    def _counted(self) -> None:
        self.count += 1 if self.count else 0

    def _said(self, *, number: bytes = b"", **response: bytes) -> str:
        number = websafe_encode(number or self.number)  # type: ignore[assignment]
        told = {name: websafe_encode(value) for name, value in response.items()}
        return json.dumps({"id": number, "rawId": number, "type": "public-key", "response": told})


def _client_data(
    kind: str, challenge: str, origin: str, *, is_framed: bool = False
) -> CollectedClientData:
    return CollectedClientData.create(kind, challenge, origin, cross_origin=is_framed)
