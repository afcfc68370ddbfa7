"""OSCQuery: the addresses of a program as JSON, with types, access, values and words.

Source: the OSCQuery proposal (Vidvox), see ``docs/protocols.md``. A node is an object with
``FULL_PATH`` and, where there are more below it, ``CONTENTS``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

ATTRIBUTES: Final = ("ACCESS", "DESCRIPTION", "RANGE", "TYPE", "VALUE")
_NO_VALUE, _READ = 0, 1
_WRITABLE: Final = (2, 3)
_MOST_NODES: Final = 20_000
_LONGEST_ADDRESS: Final = 256


def host_info(name: str, osc_ip: str, osc_port: int) -> dict[str, Any]:
    """The answer to ``?HOST_INFO``."""
    return {
        "NAME": name,
        "OSC_IP": osc_ip,
        "OSC_PORT": osc_port,
        "OSC_TRANSPORT": "UDP",
        "EXTENSIONS": dict.fromkeys(ATTRIBUTES, True),
    }


def tree_from_messages(
    messages: Sequence[tuple[str, Sequence[object]]],
    more: Callable[[str], Mapping[str, Any]] = lambda _address: {},
) -> dict[str, Any]:
    """The root of a program's addresses, each of which can be read.

    Parameters
    ----------
    messages : sequence of (address, arguments)
        As they are sent just now.
    more : callable(address) -> mapping
        Further attributes of an address: ``RANGE``, ``DESCRIPTION``.
    """
    root: dict[str, Any] = {"FULL_PATH": "/", "ACCESS": _NO_VALUE, "CONTENTS": {}}
    for address, arguments in messages:
        node, path = root, ""
        for part in address.strip("/").split("/"):
            path += f"/{part}"
            inner = node.setdefault("CONTENTS", {})
            node = inner.setdefault(part, {"FULL_PATH": path, "ACCESS": _NO_VALUE})
        node["ACCESS"] = _READ
        node["TYPE"] = "".join(_tag(value) for value in arguments)
        node["VALUE"] = [_rounded(value) for value in arguments]
        node.update(more(address))
    return root


def _tag(value: object) -> str:
    if isinstance(value, bool):
        return "T" if value else "F"
    return {int: "i", float: "f", str: "s"}.get(type(value), "b")


def _rounded(value: object) -> object:
    return round(value, 6) if isinstance(value, float) else value


def node_at(root: Mapping[str, Any], path: str) -> Mapping[str, Any] | None:
    """The node of a path; None where there is none."""
    node = root
    for part in path.strip("/").split("/") if path.strip("/") else ():
        inner = node.get("CONTENTS", {}).get(part)
        if inner is None:
            return None
        node = inner
    return node


def parameters_from_tree(text: bytes) -> tuple[dict[str, str], dict[str, object]]:
    """Types of the addresses that may be written, and first values, of another program's tree.

    Parameters
    ----------
    text : bytes
        JSON of a node with what is below it. Nothing in it is trusted: what is no node is passed
        over.

    Returns
    -------
    types : dict of address to type tag
    values : dict of address to its first value
        Of every address that has one.

    Raises
    ------
    ValueError
        It is no JSON object, or holds too many nodes.
    """
    try:
        root = json.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(root, dict):
        raise ValueError("expected a JSON object")
    types: dict[str, str] = {}
    values: dict[str, object] = {}
    waiting, n_nodes = [root], 0
    while waiting:
        node = waiting.pop()
        n_nodes += 1
        if n_nodes + len(waiting) > _MOST_NODES:
            raise ValueError(f"more than {_MOST_NODES} nodes")
        inner = node.get("CONTENTS")
        if isinstance(inner, dict):
            waiting += [each for each in inner.values() if isinstance(each, dict)]
        path, tag, value = node.get("FULL_PATH"), node.get("TYPE"), node.get("VALUE")
        if not isinstance(path, str) or len(path) > _LONGEST_ADDRESS or not path.isprintable():
            continue
        if isinstance(value, list) and value:
            values[path] = value[0]
        if isinstance(tag, str) and node.get("ACCESS") in _WRITABLE:
            types[path] = tag[:1]
    return types, values
