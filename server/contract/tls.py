"""The TLS context for calls by the program and the servers: all trust the same certificates.

Unlike the rest of the contract, this module does input and output: it reads certificates.
"""

import ssl

import truststore


def client_context(ca_file: str = "") -> ssl.SSLContext:
    """Return a context that trusts the system's certificates and those in `ca_file` (PEM), if it is given.

    A server is known by the names in `subjectAltName` only, not by its common name (RFC 9525).
    Raises OSError (`ssl.SSLError` is one) if `ca_file` cannot be read.
    """
    context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.hostname_checks_common_name = False
    if ca_file:
        context.load_verify_locations(ca_file)
    return context
