"""The 3D head that ships, read back from its binary glTF, to be written into other files."""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from functools import cache
from typing import Any, Final

import numpy as np

from livefacs.arrays import F64
from livefacs.formats.glb import GltfBuilder
from livefacs.resources import data_path

_KINDS: Final = {5120: "i1", 5121: "u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
_WIDTHS: Final = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}
_MOST_STEPS: Final = 32767


class ShippedHead:
    """``head.glb``: its meshes, and the displacement of every name that moves them.

    Attributes
    ----------
    document : dict
        The file's JSON.
    names : dict
        For each name (Action Units, ARKit's and ICT-FaceKit's shapes) its weights of targets.
    """

    def __init__(self) -> None:
        data = data_path("head.glb").read_bytes()
        n_json = struct.unpack_from("<I", data, 12)[0]
        self.document: dict[str, Any] = json.loads(data[20 : 20 + n_json])
        self._binary = data[28 + n_json :]
        self.names: dict[str, dict[str, float]] = self.document["meshes"][0]["extras"]["names"]

    def node(self, name: str) -> dict[str, Any]:
        """A node by its name."""
        return dict(next(node for node in self.document["nodes"] if node["name"] == name))

    def values(self, accessor: int) -> Any:
        """Rows of a dense accessor as they are stored, (n, width)."""
        entry = self.document["accessors"][accessor]
        width = _WIDTHS[entry["type"]]
        kind = np.dtype(_KINDS[entry["componentType"]])
        view = self.document["bufferViews"][entry["bufferView"]]
        row = width * kind.itemsize
        stride = view.get("byteStride", row)
        raw = np.frombuffer(
            self._binary, np.uint8, (entry["count"] - 1) * stride + row, view["byteOffset"]
        )
        rows = np.lib.stride_tricks.as_strided(raw, (entry["count"], row), (stride, 1))
        return np.ascontiguousarray(rows).view(kind)

    def displacement(self, mesh: int, primitive: int, name: str) -> F64:
        """(n, 3) displacement of a primitive's points at weight 1 of a name, metres."""
        entry = self.document["meshes"][mesh]
        part = entry["primitives"][primitive]
        count = self.document["accessors"][part["attributes"]["POSITION"]]["count"]
        total = np.zeros((count, 3))
        for target, weight in self.names.get(name, {}).items():
            if target in entry["extras"]["targetNames"]:
                index = entry["extras"]["targetNames"].index(target)
                rows, steps = self._sparse(part["targets"][index]["POSITION"])
                total[rows] += weight * steps
        return np.asarray(total * (self.span_m / _MOST_STEPS), np.float64)

    @property
    def span_m(self) -> float:
        """What the largest quantised value stands for."""
        return float(self.node("mouth")["scale"][0])

    def points(self, mesh: int, primitive: int) -> F64:
        """(n, 3) resting points of a primitive, metres."""
        part = self.document["meshes"][mesh]["primitives"][primitive]
        steps = self.values(part["attributes"]["POSITION"])
        return np.asarray(steps * (self.span_m / _MOST_STEPS), np.float64)

    def _sparse(self, accessor: int) -> tuple[Any, Any]:
        sparse = self.document["accessors"][accessor].get("sparse")
        if sparse is None:
            return np.zeros(0, np.int64), np.zeros((0, 3))
        views = self.document["bufferViews"]
        n = sparse["count"]
        rows = np.frombuffer(
            self._binary, "<u2", n, views[sparse["indices"]["bufferView"]]["byteOffset"]
        )
        steps = np.frombuffer(
            self._binary, "<i2", 3 * n, views[sparse["values"]["bufferView"]]["byteOffset"]
        )
        return rows, steps.reshape(n, 3)

    def copy_mesh(self, builder: GltfBuilder, mesh: int, names: Sequence[str]) -> dict[str, Any]:
        """The mesh written into another file, with one target a name; zeros where it has none.

        Parameters
        ----------
        builder : GltfBuilder
            Its materials have to be the head's.
        mesh : int
        names : the targets, empty for none
        """
        entry = self.document["meshes"][mesh]
        primitives = [
            self._copy_primitive(builder, mesh, i, names) for i in range(len(entry["primitives"]))
        ]
        copied: dict[str, Any] = {"name": entry["name"], "primitives": primitives}
        if names:
            copied["weights"] = [0.0] * len(names)
            copied["extras"] = {"targetNames": list(names)}
        return copied

    def _copy_primitive(
        self, builder: GltfBuilder, mesh: int, primitive: int, names: Sequence[str]
    ) -> dict[str, Any]:
        part = self.document["meshes"][mesh]["primitives"][primitive]
        attributes = {key: self._copy(builder, i) for key, i in part["attributes"].items()}
        copied = {
            "attributes": attributes,
            "indices": self._copy(builder, part["indices"]),
            "material": part["material"],
        }
        if names:
            targets = [self._target(builder, mesh, primitive, name) for name in names]
            copied["targets"] = [{"POSITION": target} for target in targets]
        return copied

    def _copy(self, builder: GltfBuilder, accessor: int) -> int:
        entry = self.document["accessors"][accessor]
        values = self.values(accessor)
        return builder.add_array(
            values[:, 0] if entry["type"] == "SCALAR" else values,
            normalized=entry.get("normalized", False),
            bounds="min" in entry,
            padded=True,
        )

    def _target(self, builder: GltfBuilder, mesh: int, primitive: int, name: str) -> int:
        moved = self.displacement(mesh, primitive, name) * (_MOST_STEPS / self.span_m)
        steps = np.round(moved).astype("<i2")
        rows = np.flatnonzero(steps.any(axis=1))
        return builder.add_sparse(len(steps), rows, steps[rows], normalized=True)


@cache
def shipped_head() -> ShippedHead:
    """The head that ships, read once."""
    return ShippedHead()
