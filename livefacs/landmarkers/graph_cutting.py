"""A part of a TensorFlow Lite graph as a model of its own, and changes within a graph.

FaceMesh's graph holds a few operators of MediaPipe's own, which no other runtime knows. The parts
before and after them are ordinary. A part is cut out by naming other inputs and outputs and by
keeping just the operators that lead from these to those; nothing else in the file moves.

Fields of the format are numbered as in TensorFlow's ``schema.fbs``.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from flatbuffers.number_types import Uint32Flags
from flatbuffers.table import Table

_MODEL_SUBGRAPHS: Final = 2
_MODEL_BUFFERS: Final = 4
_GRAPH_TENSORS: Final = 0
_GRAPH_INPUTS: Final = 1
_GRAPH_OUTPUTS: Final = 2
_GRAPH_OPERATORS: Final = 3
_OPERATOR_INPUTS: Final = 1
_OPERATOR_OUTPUTS: Final = 2
_TENSOR_SHAPE: Final = 0
_TENSOR_BUFFER: Final = 2
_BUFFER_DATA: Final = 0
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


def change_graph(
    model: bytes,
    *,
    inputs: Mapping[int, Sequence[int]],
    narrowed: Iterable[int],
    width: int,
    moved: int,
    before: int,
) -> bytes:
    """A model whose operators are fed otherwise; nothing in the file moves here, either.

    Parameters
    ----------
    model : bytes
        A ``.tflite`` file with one graph.
    inputs : mapping
        Operators' numbers to the tensors that they read from now on, as many as before.
    narrowed, width : iterable of int, int
        Tensors whose dimension of that size is 1 from now on. A constant, which no other tensor may
        share and whose first dimension it is, keeps its first values.
    moved, before : int
        An operator that runs before another one from now on.
    """
    content = bytearray(model)
    graph = _graph_of(content)
    first, operators = _operators_of(graph)
    for operator, tensors in inputs.items():
        _overwrite(operators[operator], _OPERATOR_INPUTS, tensors)
    for tensor in narrowed:
        _narrow(graph, _entry(graph, _GRAPH_TENSORS, tensor), width)
    order = [i for i in range(len(operators)) if i != moved]
    order.insert(order.index(before), moved)
    for k, i in enumerate(order):
        slot = first + _UINT.size * k
        _UINT.pack_into(content, slot, operators[i].Pos - slot)
    return bytes(content)


def _narrow(graph: Table, tensor: Table, width: int) -> None:
    shape = _numbers(tensor, _TENSOR_SHAPE)
    _overwrite(tensor, _TENSOR_SHAPE, [1 if size == width else size for size in shape])
    i_buffer = tensor.GetSlot(4 + 2 * _TENSOR_BUFFER, 0, Uint32Flags)  # 0: the empty one
    buffer = _entry(_model_of(graph.Bytes), _MODEL_BUFFERS, i_buffer)
    if offset := _offset(buffer, _BUFFER_DATA):
        n_bytes = buffer.VectorLen(offset) // width
        _UINT.pack_into(graph.Bytes, buffer.Vector(offset) - _UINT.size, n_bytes)


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


def _model_of(content: bytearray) -> Table:
    return Table(content, _UINT.unpack_from(content, 0)[0])


def _graph_of(content: bytearray) -> Table:
    return _entry(_model_of(content), _MODEL_SUBGRAPHS, 0)


def _entry(table: Table, field: int, i: int) -> Table:
    """One of the tables that a field lists."""
    place = table.Vector(_offset(table, field)) + _UINT.size * i
    return Table(table.Bytes, table.Indirect(place))


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


def _overwrite(table: Table, field: int, numbers: Sequence[int]) -> None:
    """Other numbers in the place of as many."""
    place = table.Vector(_offset(table, field))
    struct.pack_into(f"<{len(numbers)}i", table.Bytes, place, *numbers)


def _place_of(table: Table, field: int) -> int:
    """Where in the file the field's reference stands."""
    return int(table.Pos) + _offset(table, field)


def _offset(table: Table, field: int) -> int:
    return int(table.Offset(4 + 2 * field))
