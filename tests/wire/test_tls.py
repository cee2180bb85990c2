"""The transport over TLS: certificates are verified, and the deadline holds in there too."""

import datetime
import ipaddress
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from backoffice.wire import Reply, Request, Silence, Timeouts, deadline, send, transport
from tests.wire.calls import HURRIED, LONG_S, PATIENT, SLACK_S
from tests.wire.peers import Conversation, answering, serving


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 that signs itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "platform")])
    now = datetime.datetime.now(datetime.UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "platform.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + signed.public_bytes(serialization.Encoding.PEM)
    )
    return path


@pytest.fixture
def server(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@pytest.fixture
def _trusted(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Trust the certificate above, in a context made by the very code under test."""
    monkeypatch.setattr(transport, "DEFAULT_CA_BUNDLE_PATH", str(certificate))
    transport._tls_context.cache_clear()
    yield
    transport._tls_context.cache_clear()


def sent(url: str, timeouts: Timeouts, body: bytes = b"{}") -> Reply | Silence:
    return send(Request(method="POST", url=url, headers={}, body=body), timeouts=timeouts)


@pytest.mark.usefixtures("_trusted")
def test_an_answer_comes_back_over_tls_on_a_kept_connection(server: ssl.SSLContext) -> None:
    with serving(answering(b"{}"), server) as peer:
        answers = [sent(peer.url, PATIENT) for _ in range(2)]

    assert all(isinstance(answer, Reply) and answer.body == b"{}" for answer in answers)
    assert peer.connections == 1


def test_a_certificate_nobody_vouches_for_gets_no_request(server: ssl.SSLContext) -> None:
    with serving(answering(), server) as peer:
        answer = sent(peer.url, PATIENT)

    assert isinstance(answer, Silence)
    # The table of the reliability plan counts every failure of TLS as maybe applied.
    assert (answer.kind, answer.maybe_applied) == ("tls", True)
    assert peer.heard == []


@pytest.mark.usefixtures("_trusted")
def test_a_certificate_for_another_host_gets_no_request(
    server: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(answering(), server) as peer:
        found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", peer.port))]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
        answer = sent(f"https://localhost:{peer.port}", PATIENT)

    assert isinstance(answer, Silence)
    assert (answer.kind, peer.heard) == ("tls", [])


@pytest.mark.usefixtures("_trusted")
def test_a_server_that_drips_over_tls_is_held_to_the_total(server: ssl.SSLContext) -> None:
    def script(conversation: Conversation) -> None:
        conversation.listen()
        conversation.say(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(int(LONG_S / 0.1)):
            conversation.wait(0.1)
            conversation.say(b"x")

    with serving(script, server) as peer:
        started = time.monotonic()
        answer = sent(peer.url, HURRIED)
        took_s = time.monotonic() - started

    assert isinstance(answer, Silence)
    assert (answer.kind, answer.maybe_applied) == ("read_timeout", True)
    assert took_s < HURRIED.total_s + SLACK_S


@pytest.mark.usefixtures("_trusted")
def test_a_server_that_reads_slowly_over_tls_is_held_to_the_total(server: ssl.SSLContext) -> None:
    def script(conversation: Conversation) -> None:
        # Steadily, so that every single write succeeds and only their sum takes too long.
        for _ in range(int(LONG_S / 0.05)):
            conversation.wait(0.05)
            for _ in range(10):
                conversation.connection.recv(16384)

    with serving(script, server) as peer:
        started = time.monotonic()
        answer = sent(peer.url, HURRIED, body=b"x" * 20_000_000)
        took_s = time.monotonic() - started

    assert isinstance(answer, Silence)
    assert (answer.kind, answer.maybe_applied) == ("write_timeout", True)
    assert took_s < HURRIED.total_s + SLACK_S


def test_a_handshake_that_hangs_is_held_to_the_time_to_connect() -> None:
    # Reading the certificates, once in a process, must not use up the time to connect.
    transport._tls_context()
    with serving(lambda conversation: conversation.wait(LONG_S)) as peer:
        started = time.monotonic()
        answer = sent(peer.url.replace("http:", "https:"), HURRIED)
        took_s = time.monotonic() - started

    assert isinstance(answer, Silence)
    assert (answer.kind, answer.maybe_applied) == ("read_timeout", True)
    assert took_s < HURRIED.connect_s + SLACK_S


def test_the_encrypted_socket_is_a_bounded_one() -> None:
    assert transport._tls_context().sslsocket_class is deadline.BoundedTLSSocket
