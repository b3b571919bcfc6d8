"""The configuration of a discovery server: a Struct of keys, read as described in `server/config.py`."""

from pathlib import Path

import msgspec

from server.config import Config, PathText, Port, check_tls, read_settings


class DiscoveryConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Keys of a discovery server; unknown ones are an error.

    `data` is the data folder, `discovery_id` the name in the roster; `roster` is the file of the signed
    roster, `cluster_key` the fingerprint of the key that signed it. `ca_file` holds certificates to trust in
    addition to the system's when it probes servers. If `tls_certificate` and `tls_key` (PEM files) are set,
    the server itself speaks https.
    """

    data: PathText
    discovery_id: str
    roster: PathText
    cluster_key: str
    host: str = "127.0.0.1"
    port: Port = 0
    ca_file: PathText = ""
    tls_certificate: PathText = ""
    tls_key: PathText = ""

    @property
    def folder(self) -> Path:
        """The data folder."""
        return Path(self.data)

    def as_member(self) -> Config:
        """Return the configuration that a regional server of the same cluster would have."""
        return Config(
            data=self.data, server_id=self.discovery_id, roster=self.roster, cluster_key=self.cluster_key
        )


def read_config(path: Path) -> DiscoveryConfig:
    """Return the configuration of a discovery server. Raises StartError with a sentence."""
    config = read_settings(path, DiscoveryConfig)
    check_tls(config.tls_certificate, config.tls_key)
    return config
