"""What a server is told: one Struct holds every key; environment variables override."""

import os
import tomllib
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from server.errors import StartError

Registration = Literal["invite", "open", "closed"]
Port = Annotated[int, msgspec.Meta(ge=0, le=65535)]
Servers = Annotated[int, msgspec.Meta(ge=1, le=16)]
"""Beyond 16 servers, one attempt at each would be more than an account's share of an hour."""


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Keys of the TOML file of a regional server; unknown ones are an error.

    `database_url` may come from DATABASE_URL; `public_url` is what clients call ("": the listening address);
    `servers` is the size of the cluster, by which its limit on wrong passwords is divided.
    """

    data: str
    server_id: str = ""
    region: str = "local"
    region_letter: str = "0"
    host: str = "127.0.0.1"
    port: Port = 0
    public_url: str = ""
    database_url: str = ""
    registration: Registration = "invite"
    pool_size: int = 12
    servers: Servers = 1
    local: bool = False
    local_secret: str = ""

    @property
    def folder(self) -> Path:
        """The data folder."""
        return Path(self.data)


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
    return with_environment(config)


def with_environment(config: Config) -> Config:
    """Return `config` with DATABASE_URL, where it is set, in its place."""
    return msgspec.structs.replace(config, database_url=os.environ.get("DATABASE_URL", config.database_url))
