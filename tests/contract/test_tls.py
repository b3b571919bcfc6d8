"""Which certificates a call trusts."""

import ssl
from pathlib import Path

import pytest
import truststore

from server.contract.tls import client_context
from tests.support.certificates import make_certificate


def test_a_context_demands_a_certificate_of_the_right_name(tmp_path: Path) -> None:
    for context in (client_context(), client_context(str(make_certificate(tmp_path)[0]))):
        assert isinstance(context, truststore.SSLContext)
        assert context.verify_mode is ssl.CERT_REQUIRED
        assert context.check_hostname


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_certificates_that_cannot_be_read_are_an_error(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content)
    with pytest.raises(OSError):  # noqa: PT011 - of one kind or another
        client_context(str(file))
