"""glTF 2.0 documents: accessors into one buffer; ``.glb``, or ``.gltf`` with all inside."""

from __future__ import annotations

import base64
import json
import struct
from pathlib import Path
from typing import Any, Final

import numpy as np

from livefacs import __version__
from livefacs.formats.curves import F64

_FLOAT: Final = 5126
_TYPES: Final = {1: "SCALAR", 3: "VEC3", 4: "VEC4"}
_MAGIC: Final = 0x46546C67
_JSON: Final = 0x4E4F534A
_BINARY: Final = 0x004E4942


class GltfBuilder:
    """Gathers nodes, accessors and one animation."""

    def __init__(self, name: str) -> None:
        self._chunks: list[bytes] = []
        self._n_bytes = 0
        self.document: dict[str, Any] = {
            "asset": {"version": "2.0", "generator": f"livefacs {__version__}"},
            "scene": 0,
            "scenes": [{"nodes": []}],
            "nodes": [],
            "animations": [{"name": name, "samplers": [], "channels": []}],
            "accessors": [],
            "bufferViews": [],
        }

    def add_node(self, name: str, *, parent: int | None = None, **more: Any) -> int:
        """A node under another, or at the top of the scene; its index."""
        nodes = self.document["nodes"]
        nodes.append({"name": name, **more})
        index = len(nodes) - 1
        if parent is None:
            self.document["scenes"][0]["nodes"].append(index)
        else:
            nodes[parent].setdefault("children", []).append(index)
        return index

    def add_accessor(self, values: Any, *, bounds: bool = False) -> int:
        """Float32 values, (T,) or (T, 3) or (T, 4); the accessor's index."""
        array = np.ascontiguousarray(values, "<f4")
        data = array.tobytes()
        self.document["bufferViews"].append(
            {"buffer": 0, "byteOffset": self._n_bytes, "byteLength": len(data)}
        )
        width = 1 if array.ndim == 1 else array.shape[1]
        accessor: dict[str, Any] = {
            "bufferView": len(self.document["bufferViews"]) - 1,
            "componentType": _FLOAT,
            "count": len(array),
            "type": _TYPES[width],
        }
        if bounds:
            accessor["min"] = np.atleast_1d(array.min(axis=0)).tolist()
            accessor["max"] = np.atleast_1d(array.max(axis=0)).tolist()
        self._chunks.append(data)
        self._n_bytes += len(data)
        self.document["accessors"].append(accessor)
        return len(self.document["accessors"]) - 1

    def animate(self, node: int, path: str, times: int, values: Any) -> None:
        """Linear keys of a node's ``translation``, ``rotation`` or ``weights``."""
        animation = self.document["animations"][0]
        animation["samplers"].append(
            {"input": times, "output": self.add_accessor(values), "interpolation": "LINEAR"}
        )
        animation["channels"].append(
            {
                "sampler": len(animation["samplers"]) - 1,
                "target": {"node": node, "path": path},
            }
        )

    def write(self, path: Path) -> None:
        """Write ``.glb``; where the name ends in ``.gltf``, JSON with the buffer inside."""
        binary = b"".join(self._chunks)
        if path.suffix.lower() == ".gltf":
            uri = "data:application/octet-stream;base64," + base64.b64encode(binary).decode()
            self.document["buffers"] = [{"byteLength": len(binary), "uri": uri}]
            path.write_text(json.dumps(self.document), encoding="utf-8")
            return
        self.document["buffers"] = [{"byteLength": len(binary)}]
        text = json.dumps(self.document, separators=(",", ":")).encode()
        text += b" " * (-len(text) % 4)
        total = 12 + 8 + len(text) + 8 + len(binary)
        with path.open("wb") as file:
            file.write(struct.pack("<III", _MAGIC, 2, total))
            file.write(struct.pack("<II", len(text), _JSON) + text)
            file.write(struct.pack("<II", len(binary), _BINARY))
            file.writelines(self._chunks)


def key_times(time_s: F64) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Key times in float32 that still rise strictly, as glTF demands."""
    times = np.asarray(time_s, np.float32)
    if (np.diff(times) > 0).all():
        return times
    rising: list[np.float32] = [times[0]]
    for value in times[1:]:
        rising.append(max(value, np.nextafter(rising[-1], np.float32(np.inf))))
    return np.array(rising, np.float32)
