"""Small glTF files, sound and hostile, as bytes."""

from __future__ import annotations

import json
import struct
from typing import Any

import numpy as np

POINTS = np.array([[0, 0, 0], [0.1, 0, 0], [0, 0.1, 0], [0.1, 0.1, 0]], "<f4")
TRIANGLES = np.array([0, 1, 2, 1, 3, 2], "<u2")


def glb(document: dict[str, Any], binary: bytes = b"") -> bytes:
    """A binary glTF of any content."""
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    binary += bytes(-len(binary) % 4)
    total = 12 + 8 + len(text) + (8 + len(binary) if binary else 0)
    data = struct.pack("<III", 0x46546C67, 2, total)
    data += struct.pack("<II", len(text), 0x4E4F534A) + text
    return data + (struct.pack("<II", len(binary), 0x004E4942) + binary if binary else b"")


def character(names: list[str], **more: Any) -> tuple[dict[str, Any], bytes]:
    """A square with one target a name, each lifting its first corner; document and buffer."""
    moved = np.zeros((4, 3), "<f4")
    moved[0, 1] = 0.05
    chunks = [POINTS.tobytes(), TRIANGLES.tobytes(), moved.tobytes()]
    offsets = np.cumsum([0, *(len(chunk) for chunk in chunks)])
    views = [
        {"buffer": 0, "byteOffset": int(at), "byteLength": len(chunk)}
        for at, chunk in zip(offsets, chunks, strict=False)
    ]
    low_high = {"min": [0, 0, 0], "max": [0.1, 0.1, 0]}
    document: dict[str, Any] = {
        "asset": {"version": "2.0"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"name": "face", "mesh": 0}],
        "buffers": [{"byteLength": int(offsets[-1])}],
        "bufferViews": views,
        "accessors": [
            {"bufferView": 0, "componentType": 5126, "count": 4, "type": "VEC3", **low_high},
            {"bufferView": 1, "componentType": 5123, "count": 6, "type": "SCALAR"},
            {"bufferView": 2, "componentType": 5126, "count": 4, "type": "VEC3"},
        ],
        "meshes": [
            {
                "primitives": [
                    {
                        "attributes": {"POSITION": 0},
                        "indices": 1,
                        "targets": [{"POSITION": 2} for _ in names],
                    }
                ],
                "extras": {"targetNames": names},
            }
        ],
        **more,
    }
    return document, b"".join(chunks)


def changed(**changes: Any) -> bytes:
    """The sound character with parts of its document replaced."""
    document, binary = character(["jawOpen"])
    return glb({**document, **changes}, binary)


def hostile() -> dict[str, tuple[bytes, str]]:
    """Name of each broken file: its bytes and a word of the sentence that refuses it."""
    document, binary = character(["jawOpen"])
    accessors = document["accessors"]
    whole = glb(document, binary)
    huge = [{**accessors[0], "count": 10_000_000}, *accessors[1:]]
    beyond = [{**accessors[0], "count": 400}, *accessors[1:]]
    empty = [{"componentType": 5126, "count": 10_000_000, "type": "VEC3"}, *accessors[1:]]
    wild = np.array([0, 1, 2, 1, 3, 9], "<u2").tobytes()
    return {
        "text": (b"this is no model", "no glTF 2"),
        "nothing": (b"", "no glTF 2"),
        "half": (whole[: len(whole) // 2], "not copied whole"),
        "version": (whole[:4] + struct.pack("<I", 1) + whole[8:], "expected glTF 2"),
        "draco": (changed(extensionsRequired=["KHR_draco_mesh_compression"]), "KHR_draco_mesh"),
        "ktx2": (changed(extensionsRequired=["KHR_texture_basisu"]), "KHR_texture_basisu"),
        "huge": (changed(accessors=huge), "vertices"),
        "huge and empty": (changed(accessors=empty), "vertices"),
        "beyond": (changed(accessors=beyond), "reaches beyond its buffer"),
        "negative": (changed(accessors=[{**accessors[0], "count": -4}, *accessors[1:]]), "-4 rows"),
        "missing buffer": (glb(document), "no data for its buffer"),
        "outside file": (
            changed(buffers=[{"byteLength": 116, "uri": "../secret.bin"}]),
            "one .glb file",
        ),
        "cycle": (
            changed(nodes=[{"mesh": 0, "children": [1]}, {"children": [2]}, {"children": [1]}]),
            "under two others",
        ),
        "ring": (changed(nodes=[{"mesh": 0}, {"children": [2]}, {"children": [1]}]), "ancestors"),
        "no such child": (changed(nodes=[{"mesh": 0, "children": [7]}]), "node 7"),
        "no such mesh": (changed(nodes=[{"mesh": 3}]), "mesh 3"),
        "wild triangle": (
            glb(document, binary[:48] + wild + binary[60:]),
            "triangle at point 9",
        ),
        "not a number": (
            glb(document, struct.pack("<f", float("nan")) + binary[4:]),
            "a number that is none",
        ),
        "no mesh": (changed(nodes=[{}]), "shows no mesh"),
    }


def vrm1(names: list[str]) -> bytes:
    """A VRM 1 whose expressions are bound to targets of other names, with a head bone."""
    document, binary = character([f"Fcl_{i}" for i in range(len(names))])
    document["nodes"].append({"name": "J_Bip_C_Head", "translation": [0, 1.4, 0]})
    document["scenes"][0]["nodes"].append(1)
    preset = {
        name: {"morphTargetBinds": [{"node": 0, "index": i, "weight": 0.5}]}
        for i, name in enumerate(names)
    }
    bones = {"head": {"node": 1}}
    document["extensions"] = {
        "VRMC_vrm": {
            "specVersion": "1.0",
            "humanoid": {"humanBones": bones},
            "expressions": {"preset": preset},
        }
    }
    document["extensionsUsed"] = ["VRMC_vrm"]
    return glb(document, binary)


def vrm0() -> bytes:
    """A VRM 0 with the preset ``blink_l`` and a group of another name."""
    document, binary = character(["Fcl_EYE_Close_L", "Fcl_MTH_A"])
    left = {"mesh": 0, "index": 0, "weight": 100}
    open_mouth = {"mesh": 0, "index": 1, "weight": 40}
    groups = [
        {"name": "Blink_L", "presetName": "blink_l", "binds": [left]},
        {"name": "mouthSmileLeft", "presetName": "unknown", "binds": [open_mouth]},
    ]
    document["extensions"] = {
        "VRM": {
            "humanoid": {"humanBones": [{"bone": "head", "node": 0}]},
            "blendShapeMaster": {"blendShapeGroups": groups},
        }
    }
    return glb(document, binary)
