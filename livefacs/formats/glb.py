"""glTF 2.0 documents: accessors into one buffer; ``.glb``, or ``.gltf`` with all inside."""

from __future__ import annotations

import base64
import json
import struct
from pathlib import Path
from typing import Any, Final

import numpy as np

from livefacs import __version__
from livefacs.arrays import F64

_COMPONENTS: Final = {"i1": 5120, "u1": 5121, "i2": 5122, "u2": 5123, "u4": 5125, "f4": 5126}
_TYPES: Final = {1: "SCALAR", 3: "VEC3", 4: "VEC4", 16: "MAT4"}
_MAGIC: Final = 0x46546C67
_JSON: Final = 0x4E4F534A
_BINARY: Final = 0x004E4942
_MOST_U2: Final = 65535


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
        return self.add_array(np.asarray(values, "<f4"), bounds=bounds)

    def add_array(
        self, values: Any, *, normalized: bool = False, bounds: bool = False, padded: bool = False
    ) -> int:
        """Values of the component type that they have, (n,) or (n, 3), (n, 4) or (n, 16).

        Parameters
        ----------
        normalized : bool
            Integers stand for 0..1 or -1..1.
        padded : bool
            Rows begin at multiples of four bytes, as vertex attributes must.
        """
        array = np.ascontiguousarray(values)
        width = 1 if array.ndim == 1 else array.shape[1]
        accessor: dict[str, Any] = {
            "componentType": _COMPONENTS[array.dtype.str[1:]],
            "count": len(array),
            "type": _TYPES[width],
        }
        if normalized:
            accessor["normalized"] = True
        if bounds:
            accessor["min"] = np.atleast_1d(array.min(axis=0)).tolist()
            accessor["max"] = np.atleast_1d(array.max(axis=0)).tolist()
        row = width * array.itemsize
        if padded and row % 4:
            wide = np.zeros((len(array), row + -row % 4), np.uint8)
            wide[:, :row] = array.view(np.uint8).reshape(len(array), row)
            accessor["bufferView"] = self._add_view(wide.tobytes(), byteStride=wide.shape[1])
        else:
            accessor["bufferView"] = self._add_view(array.tobytes())
        self.document["accessors"].append(accessor)
        return len(self.document["accessors"]) - 1

    def add_sparse(self, count: int, index: Any, values: Any, *, normalized: bool = False) -> int:
        """Rows of zeros, (count, 3), but for those at ``index``, which rises; the accessor."""
        values = np.ascontiguousarray(values)
        index = np.ascontiguousarray(index, "<u2" if count <= _MOST_U2 else "<u4")
        accessor: dict[str, Any] = {
            "componentType": _COMPONENTS[values.dtype.str[1:]],
            "count": count,
            "type": "VEC3",
            "min": np.minimum(values.min(axis=0, initial=0), 0).tolist(),
            "max": np.maximum(values.max(axis=0, initial=0), 0).tolist(),
        }
        if normalized:
            accessor["normalized"] = True
        if len(index):
            accessor["sparse"] = {
                "count": len(index),
                "indices": {
                    "bufferView": self._add_view(index.tobytes()),
                    "componentType": _COMPONENTS[index.dtype.str[1:]],
                },
                "values": {"bufferView": self._add_view(values.tobytes())},
            }
        self.document["accessors"].append(accessor)
        return len(self.document["accessors"]) - 1

    def _add_view(self, data: bytes, **more: int) -> int:
        """A view of the buffer, at a multiple of four bytes."""
        self.document["bufferViews"].append(
            {"buffer": 0, "byteOffset": self._n_bytes, "byteLength": len(data), **more}
        )
        data += bytes(-len(data) % 4)
        self._chunks.append(data)
        self._n_bytes += len(data)
        return len(self.document["bufferViews"]) - 1

    def animate(self, node: int, path: str, times: int, values: Any) -> None:
        """Linear keys of a node's ``translation``, ``rotation`` or ``weights``."""
        self.animate_with(node, path, times, self.add_accessor(values))

    def animate_with(self, node: int, path: str, times: int, values: int) -> None:
        """The same with an accessor that is there already."""
        animation = self.document["animations"][0]
        animation["samplers"].append({"input": times, "output": values, "interpolation": "LINEAR"})
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
