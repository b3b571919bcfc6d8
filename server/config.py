"""What a server is told: one Struct holds every key; environment variables override."""

import os
import tomllib
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from server.errors import StartError

Registration = Literal["invite", "open", "closed"]
Policy = Literal["stable", "strict"]
Port = Annotated[int, msgspec.Meta(ge=0, le=65535)]
Servers = Annotated[int, msgspec.Meta(ge=1, le=16)]
"""Beyond 16 servers, one attempt at each would be more than an account's share of an hour."""


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Keys of the TOML file of a regional server; unknown ones are an error.

    `database_url` may come from DATABASE_URL; `public_url` is what clients call ("": the listening address);
    `servers` is the size of the cluster, by which its limit on wrong passwords is divided (with a roster its
    size counts instead). `roster` is the file of the signed roster and `cluster_key` the fingerprint of the
    key that signed it; without them the server is a cluster of its own. `documents` is the folder of the
    bills, one for all servers of a region ("": below `data`). `capacity` is how many calls at once are full
    load, `policy` how clients are spread (`server/pinning/policies.py`), `drain_seconds` how long a task may
    go on once the server is asked to end. `ca_file` holds certificates to trust beside the system's.
    `replication` lets the embedded PostgreSQL take part in a mesh of regions on this computer; its peers
    find it at `database_port`. `metrics_token` opens /metrics ("": to this computer only). `tls_certificate`
    and `tls_key` are files (PEM) by which the server speaks https itself ("": it does not).
    """

    data: str
    server_id: str = ""
    region: str = "local"
    region_letter: str = "0"
    host: str = "127.0.0.1"
    port: Port = 0
    public_url: str = ""
    database_url: str = ""
    replication: bool = False
    database_port: Port = 0
    registration: Registration = "invite"
    pool_size: int = 12
    servers: Servers = 1
    roster: str = ""
    cluster_key: str = ""
    documents: str = ""
    policy: Policy = "stable"
    capacity: Annotated[int, msgspec.Meta(ge=1)] = 64
    drain_seconds: Annotated[int, msgspec.Meta(ge=0)] = 900
    ca_file: str = ""
    metrics_token: str = ""
    tls_certificate: str = ""
    tls_key: str = ""
    local: bool = False
    local_secret: str = ""

    @property
    def folder(self) -> Path:
        """The data folder."""
        return Path(self.data)

    @property
    def documents_folder(self) -> Path:
        """Where the folder store keeps bills."""
        return Path(self.documents) if self.documents else self.folder / "documents"


def read_config(path: Path) -> Config:
    """Read a TOML file. Raises StartError with a sentence."""
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise StartError(f"The configuration {path} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise StartError(f"The configuration {path} is not valid TOML: {error}.") from error
    try:
        config = msgspec.convert(values, Config)
    except msgspec.ValidationError as error:
        raise StartError(f"The configuration {path} has a mistake: {error}.") from error
    _check_tls(config)
    _check_replication(config)
    return with_environment(config)


def with_environment(config: Config) -> Config:
    """Return `config` with DATABASE_URL, where it is set, in its place."""
    return msgspec.structs.replace(config, database_url=os.environ.get("DATABASE_URL", config.database_url))


def _check_replication(config: Config) -> None:
    if config.replication and not config.database_port:
        raise StartError("Set database_port: the other regions must find this database after a restart too.")


def _check_tls(config: Config) -> None:
    if bool(config.tls_certificate) != bool(config.tls_key):
        raise StartError("Set both: tls_certificate and tls_key.")
    if config.tls_certificate and config.public_url and not config.public_url.startswith("https://"):
        raise StartError(f"This server speaks https, but its public_url is {config.public_url}.")
