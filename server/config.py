"""The configuration of a server: a Struct of keys, read from a TOML file and from the environment.

The value of a key is that of the environment variable `BAHI_<KEY>` in capitals (`BAHI_PORT` for `port`) if
it is set, or else that of the file, or else the default. `database_url` may also be set by `DATABASE_URL`,
which comes after `BAHI_DATABASE_URL` and before the file. A variable that is set to nothing is an empty
text.

A relative path in the file is relative to the folder of the file; in a variable, to the working directory.
"""

import logging
import os
import tomllib
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeVar

import msgspec

from server.contract import checks, limits
from server.errors import StartError

_log = logging.getLogger(__name__)
T = TypeVar("T", bound=msgspec.Struct)
CONFIG_HELP: Final = "a TOML file; BAHI_<KEY> in the environment overrides each of its keys"
_PREFIX: Final = "BAHI_"
_IS_PATH: Final = msgspec.Meta(description="a file or a folder")

Registration = Literal["invite", "open", "closed"]
Policy = Literal["stable", "strict"]
Port = Annotated[int, msgspec.Meta(ge=0, le=65535)]
# A path, or "" if there is none. `read_settings` makes it absolute.
PathText = Annotated[str, _IS_PATH]
# At most 16: every server allows at least one attempt, so more servers would exceed an account's limit per
# hour.
Servers = Annotated[int, msgspec.Meta(ge=1, le=16)]


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Keys of a regional server; unknown ones are an error.

    `data` is the data folder, `documents` the folder of the bills, one for all servers of a region ("":
    below `data`). `public_url` is the address that clients call ("": the listening address). `servers` is the
    number of servers in the cluster, by which the limit on wrong passwords is divided; with a roster, the
    size of the roster is used instead. `roster` is the file of the signed roster and `cluster_key` the
    fingerprint of the key that signed it; without them the server is a cluster of its own. `capacity` is the
    number of concurrent calls that is full load, `policy` how clients are spread over servers
    (`server/pinning/policies.py`), `drain_seconds` how long a task may go on when the server drains.
    `ca_file` holds certificates to trust in addition to the system's. If `replication` is true, the embedded
    PostgreSQL can take part in a mesh of regions on this computer; its peers reach it at `database_port`.
    `metrics_token` opens /metrics ("": to this computer only). If `tls_certificate` and `tls_key` (PEM files)
    are set, the server itself speaks https. `contact` says whom a user asks for help, for example a name and
    a telephone number; everybody can read it, without a log-in.
    """

    data: PathText
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
    roster: PathText = ""
    cluster_key: str = ""
    documents: PathText = ""
    policy: Policy = "stable"
    capacity: Annotated[int, msgspec.Meta(ge=1)] = 64
    drain_seconds: Annotated[int, msgspec.Meta(ge=0)] = 900
    ca_file: PathText = ""
    metrics_token: str = ""
    tls_certificate: PathText = ""
    tls_key: PathText = ""
    contact: str = ""
    local: bool = False
    local_secret: str = ""

    @property
    def folder(self) -> Path:
        """The data folder."""
        return Path(self.data)

    @property
    def documents_folder(self) -> Path:
        """The folder in which the folder store keeps bills."""
        return Path(self.documents) if self.documents else self.folder / "documents"


def read_config(path: Path) -> Config:
    """Return the configuration of a regional server. Raises StartError."""
    config = read_settings(path, Config)
    check_tls(config.tls_certificate, config.tls_key)
    if config.tls_certificate and config.public_url and not config.public_url.startswith("https://"):
        raise StartError(f"This server speaks https, but its public_url is {config.public_url}.")
    if config.replication and not config.database_port:
        raise StartError("Set database_port: the other regions must find this database after a restart too.")
    for error in checks.check_text("contact", config.contact, limits.MAX_CONTACT, required=False):
        raise StartError(f"The configuration {path} has a mistake: {error.message}")
    return config


def read_settings(path: Path, kind: type[T]) -> T:
    """Return the settings of the TOML file `path`, overridden by the environment; paths become absolute.

    Raises StartError with a sentence that names the file or the variable.
    """
    _warn_of_unknown_variables(kind)
    fields = msgspec.structs.fields(kind)
    overrides = {field.name: value for field in fields if (value := _from_environment(field)) is not None}
    table = _read_table(path)
    for field in fields:
        if _is_path(field) and field.name not in overrides and isinstance(table.get(field.name), str):
            table[field.name] = _from_folder_of(path, field.name, table[field.name])
    try:
        return msgspec.convert({**table, **overrides}, kind)
    except msgspec.ValidationError as error:
        raise StartError(f"The configuration {path} has a mistake: {error}.") from error


def database_url_of_environment() -> str | None:
    """Return BAHI_DATABASE_URL, or else DATABASE_URL; None if neither is set."""
    return os.environ.get("BAHI_DATABASE_URL", os.environ.get("DATABASE_URL"))


def check_tls(certificate: str, key: str) -> None:
    """Raise StartError if only one of the two is set."""
    if bool(certificate) != bool(key):
        raise StartError("Set both tls_certificate and tls_key, or neither.")


# --- inside ---------------------------------------------------------------------------------------------


def _read_table(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise StartError(f"The configuration {path} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise StartError(f"The configuration {path} is not valid TOML: {error}.") from error


def _variable(name: str) -> str:
    return _PREFIX + name.upper()


def _from_environment(field: msgspec.structs.FieldInfo) -> object:
    """Return the value of a key's variable, of the key's type; None if it is not set."""
    variable = _variable(field.name)
    text = database_url_of_environment() if field.name == "database_url" else os.environ.get(variable)
    if text is None:
        return None
    try:
        value: object = msgspec.convert(text, field.type, strict=False)
    except msgspec.ValidationError as error:
        expected = str(error).partition(", got")[0]  # every variable is a `str`, so "got `str`" does not help
        raise StartError(f"The environment variable {variable} has a mistake: {expected}.") from error
    return str(Path(text).absolute()) if text and _is_path(field) else value


def _is_path(field: msgspec.structs.FieldInfo) -> bool:
    return _IS_PATH in getattr(field.type, "__metadata__", ())


def _from_folder_of(file: Path, name: str, value: str) -> str:
    """Return a path of the file as an absolute path.

    Raises StartError if the path exists from the working directory, but not from the folder of the file.
    """
    # In earlier versions relative paths were relative to the working directory. A file written for one of
    # them would make the server start with a new, empty data folder.
    if not value:
        return value
    found, elsewhere = file.absolute().parent / value, Path(value)
    if _exists(elsewhere) and not _exists(found):
        raise StartError(
            f"In the configuration {file}, {name} is relative to the folder of the file: {found} does not "
            f"exist, but {elsewhere.absolute()} does. Use an absolute path."
        )
    return str(found)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # the user may not enter the folder, which may be the working directory
        return False


# The keys of a discovery server that `Config` does not have. Both kinds of server may share one environment.
_KEYS_OF_DISCOVERY: Final = frozenset({"discovery_id"})
# The variables of `server/replication/regions.py` begin with this.
_REGION_URLS: Final = "BAHI_DATABASE_URL_"


def _warn_of_unknown_variables(kind: type[msgspec.Struct]) -> None:
    """Log a warning for each BAHI_ variable that does not belong to a key."""
    # Not an error, as for an unknown key in the file: an environment may contain variables of other programs.
    # Kubernetes, for example, sets BAHI_SERVICE_HOST for a service named bahi.
    keys = {*Config.__struct_fields__, *kind.__struct_fields__, *_KEYS_OF_DISCOVERY}
    known = {_variable(key) for key in keys}
    for name in sorted(os.environ):
        if name.startswith(_PREFIX) and name not in known and not name.startswith(_REGION_URLS):
            similar = "".join(get_close_matches(name, known, 1))
            _log.warning("unknown environment variable", extra={"variable": name, "similar": similar})
