"""A part of a TensorFlow Lite graph as a model of its own.

FaceMesh's graph holds a few operators of MediaPipe's own, which no other runtime knows. The parts
before and after them are ordinary. A part is cut out by naming other inputs and outputs and by
keeping just the operators that lead from these to those; nothing else in the file moves.

Fields of the format are numbered as in TensorFlow's ``schema.fbs``.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Final

from flatbuffers.table import Table

_MODEL_SUBGRAPHS: Final = 2
_GRAPH_INPUTS: Final = 1
_GRAPH_OUTPUTS: Final = 2
_GRAPH_OPERATORS: Final = 3
_OPERATOR_INPUTS: Final = 1
_OPERATOR_OUTPUTS: Final = 2
_UINT: Final = struct.Struct("<I")


def cut_graph(model: bytes, inputs: Sequence[int], outputs: Sequence[int]) -> bytes:
    """A model that computes ``outputs`` from ``inputs``.

    Parameters
    ----------
    model : bytes
        A ``.tflite`` file with one graph.
    inputs, outputs : sequence of int
        Numbers of tensors in that graph.
    """
    content = bytearray(model)
    graph = _graph_of(content)
    first, operators = _operators_of(graph)
    kept = _leading_to(operators, inputs, outputs)
    for k, i in enumerate(kept):
        slot = first + _UINT.size * k
        _UINT.pack_into(content, slot, operators[i].Pos - slot)
    _UINT.pack_into(content, first - _UINT.size, len(kept))
    for field, tensors in ((_GRAPH_INPUTS, inputs), (_GRAPH_OUTPUTS, outputs)):
        content.extend(bytes(-len(content) % _UINT.size))
        slot = _place_of(graph, field)
        _UINT.pack_into(content, slot, len(content) - slot)
        content.extend(struct.pack(f"<{len(tensors) + 1}I", len(tensors), *tensors))
    return bytes(content)


def _leading_to(
    operators: Sequence[Table], inputs: Sequence[int], outputs: Sequence[int]
) -> list[int]:
    """Numbers of the operators that the outputs need, in order; operators stand in run order."""
    wanted, given, kept = set(outputs), set(inputs), []
    for i in reversed(range(len(operators))):
        if wanted.intersection(_numbers(operators[i], _OPERATOR_OUTPUTS)):
            wanted.update(set(_numbers(operators[i], _OPERATOR_INPUTS)) - given)
            kept.append(i)
    return kept[::-1]


def _graph_of(content: bytearray) -> Table:
    model = Table(content, _UINT.unpack_from(content, 0)[0])
    return Table(content, model.Indirect(model.Vector(_offset(model, _MODEL_SUBGRAPHS))))


def _operators_of(graph: Table) -> tuple[int, list[Table]]:
    """Where the list of operators begins, and the operators."""
    offset = _offset(graph, _GRAPH_OPERATORS)
    first, n_operators = graph.Vector(offset), graph.VectorLen(offset)
    places = [graph.Indirect(first + _UINT.size * i) for i in range(n_operators)]
    return first, [Table(graph.Bytes, place) for place in places]


def _numbers(table: Table, field: int) -> list[int]:
    offset = _offset(table, field)
    if not offset:
        return []
    numbers = f"<{table.VectorLen(offset)}i"
    return list(struct.unpack_from(numbers, table.Bytes, table.Vector(offset)))


def _place_of(table: Table, field: int) -> int:
    """Where in the file the field's reference stands."""
    return int(table.Pos) + _offset(table, field)


def _offset(table: Table, field: int) -> int:
    return int(table.Offset(4 + 2 * field))
