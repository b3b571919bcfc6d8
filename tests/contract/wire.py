"""The wire as one JSON text: shapes, error codes, paths and limits, as the code has them now.

Run `python -m tests.contract.wire` to write `wire.json` anew after a change that is meant; look at its diff
before you commit it: clients and servers of other versions still speak what it said before.
"""

import enum
import inspect
import json
import types
import typing
from pathlib import Path
from typing import Any

import msgspec

from server.contract import cluster, cluster_calls, errors, limits, media, paths, peers, shapes

GOLDEN = Path(__file__).with_name("wire.json")


def current() -> str:
    """Return the wire as it is."""
    wire = {
        "shapes": _shapes(),
        "errors": {str(code): int(status) for code, status in errors.STATUS.items()},
        "paths": _constants(paths),
        "limits": {name: str(value) for name, value in _constants(limits).items()},
        "media": media.EXTENSIONS,
    }
    return json.dumps(wire, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _shapes() -> dict[str, Any]:
    found = {}
    for module in (shapes, cluster_calls, cluster, peers, errors):
        for name, kind in vars(module).items():
            own = inspect.isclass(kind) and kind.__module__ == module.__name__
            if own and issubclass(kind, msgspec.Struct) and kind.__struct_fields__:
                found[name] = _shape(kind)
    return found


def _shape(kind: type[msgspec.Struct]) -> dict[str, Any]:
    hints = typing.get_type_hints(kind, include_extras=True)
    fields = {field.encode_name: _field(hints[field.name], field) for field in msgspec.structs.fields(kind)}
    unknown = "refused" if kind.__struct_config__.forbid_unknown_fields else "skipped"
    return {"fields": fields, "unknown fields": unknown}


def _field(hint: Any, field: Any) -> str:
    if field.required:
        return _type(hint)
    default = field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
    return f"{_type(hint)} = {json.dumps(default)}"


def _type(hint: Any) -> str:
    arguments = typing.get_args(hint)
    origin = typing.get_origin(hint)
    if origin is typing.Literal:
        return " | ".join(json.dumps(value) for value in arguments)
    if origin in {typing.Union, types.UnionType}:
        return " | ".join(_type(argument) for argument in arguments)
    if hint is type(None):
        return "null"
    name = getattr(hint, "__name__", str(hint))
    return f"{name}[{', '.join(map(_type, arguments))}]" if arguments else name


def _constants(module: types.ModuleType) -> dict[str, Any]:
    return {
        name: value
        for name, value in vars(module).items()
        if name.isupper() and not isinstance(value, enum.EnumMeta)
    }


if __name__ == "__main__":
    GOLDEN.write_text(current(), encoding="utf-8")
