"""What a discovery server is told: one Struct holds every key of its TOML file."""

import tomllib
from pathlib import Path

import msgspec

from server.config import Config, Port
from server.errors import StartError


class DiscoveryConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Keys of the TOML file of a discovery server; unknown ones are an error.

    `discovery_id` is its name in the roster; `roster` is the file of the signed roster, `cluster_key` the
    fingerprint of the key that signed it. `ca_file` holds certificates to trust beside the system's when it
    probes; with `tls_certificate` and `tls_key` (PEM files) it speaks https itself.
    """

    data: str
    discovery_id: str
    roster: str
    cluster_key: str
    host: str = "127.0.0.1"
    port: Port = 0
    ca_file: str = ""
    tls_certificate: str = ""
    tls_key: str = ""

    @property
    def folder(self) -> Path:
        """The data folder."""
        return Path(self.data)

    def as_member(self) -> Config:
        """Return what a regional server would be told of the same cluster."""
        return Config(
            data=self.data, server_id=self.discovery_id, roster=self.roster, cluster_key=self.cluster_key
        )


def read_config(path: Path) -> DiscoveryConfig:
    """Read a TOML file. Raises StartError with a sentence."""
    try:
        config = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), DiscoveryConfig)
    except OSError as error:
        raise StartError(f"The configuration {path} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise StartError(f"The configuration {path} is not valid TOML: {error}.") from error
    except msgspec.ValidationError as error:
        raise StartError(f"The configuration {path} has a mistake: {error}.") from error
    if bool(config.tls_certificate) != bool(config.tls_key):
        raise StartError("Set both tls_certificate and tls_key, or neither.")
    return config
