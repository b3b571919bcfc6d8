"""Which certificates a call trusts."""

import socket
import ssl
from pathlib import Path

import pytest
import truststore

from server.contract.tls import client_context
from tests.support.certificates import make_certificate
from tests.support.raw_server import raw_server


def test_a_context_demands_a_certificate_of_the_right_name(tmp_path: Path) -> None:
    for context in (client_context(), client_context(str(make_certificate(tmp_path)[0]))):
        assert isinstance(context, truststore.SSLContext)
        assert context.verify_mode is ssl.CERT_REQUIRED
        assert context.check_hostname
        assert not context.hostname_checks_common_name


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_certificates_that_cannot_be_read_are_an_error(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content)
    with pytest.raises(OSError):  # noqa: PT011 - of one kind or another
        client_context(str(file))


@pytest.mark.parametrize(("host", "is_accepted"), [("localhost", True), ("", False)])
def test_a_server_is_known_by_its_alternative_names_only(
    tmp_path: Path, host: str, is_accepted: bool
) -> None:
    certificate, key = make_certificate(tmp_path, host, common_name="localhost")
    context = client_context(str(certificate))

    def connect(port: int) -> None:
        with socket.create_connection(("127.0.0.1", port)) as plain:
            context.wrap_socket(plain, server_hostname="localhost").close()

    with raw_server(lambda server: server.hangs, tls=(str(certificate), str(key))) as server:
        if is_accepted:
            connect(server.port)
            return
        with pytest.raises(ssl.SSLCertVerificationError):
            connect(server.port)
