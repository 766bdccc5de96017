"""What an ONNX graph computes, as a hash: names and order of its parts change nothing.

Each export of the same network gives its constants other names, so that the bytes of two files
say nothing. Here a value is hashed by how it comes about: a constant by its numbers, a node's
output by its kind, its attributes and the hashes of its inputs.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from functools import lru_cache
from pathlib import Path

_Field = int | bytes
_Fields = dict[int, list[_Field]]

_GRAPH, _OPSETS = 7, 8
_NODES, _TENSORS, _INPUTS, _OUTPUTS = 1, 5, 11, 12
_NODE_INPUTS, _NODE_OUTPUTS, _KIND, _ATTRIBUTES, _DOMAIN = 1, 2, 4, 5, 7
_VALUE_NAME, _TENSOR_NAME = 1, 8
_ATTRIBUTE_TENSOR = 5
_TEXTS_OF_TENSOR, _TEXT_OF_ATTRIBUTE = {_TENSOR_NAME, 12}, {13}
"""Numbers of fields.

Source: onnx.proto of ONNX 1.17, and the page "Encoding" of Protocol Buffers.
"""


def compute_graph_hash(path: Path) -> str:
    """Return a hash in hexadecimal of what a graph computes.

    Raises:
        OSError: The file cannot be read.
        ValueError: It is no ONNX graph.
    """
    found = path.stat()
    return _compute(path, found.st_size, found.st_mtime_ns)


@lru_cache(maxsize=8)
def _compute(path: Path, _n_bytes: int, _changed_ns: int) -> str:
    try:
        return _hash_model(_parse(path.read_bytes()))
    except (IndexError, KeyError, TypeError) as error:
        raise ValueError(f"{path} is no ONNX graph") from error


def _hash_model(model: _Fields) -> str:
    graph = _parse(model[_GRAPH][0])
    values: dict[_Field, bytes] = {b"": b""}
    for index, item in enumerate(graph[_INPUTS]):
        values[_parse(item)[_VALUE_NAME][0]] = _hash(b"input", index)
    for item in graph[_TENSORS]:
        tensor = _parse(item)
        values[tensor[_TENSOR_NAME][0]] = _hash_fields(tensor, _TEXTS_OF_TENSOR)
    for item in graph[_NODES]:
        node = _parse(item)
        inputs = [values[name] for name in node[_NODE_INPUTS]]
        attributes = sorted(_hash_attribute(_parse(each)) for each in node[_ATTRIBUTES])
        own = _hash(*node[_KIND], *node[_DOMAIN], *inputs, b"with", *attributes)
        for index, name in enumerate(node[_NODE_OUTPUTS]):
            values[name] = _hash(own, index)
    outputs = [values[_parse(item)[_VALUE_NAME][0]] for item in graph[_OUTPUTS]]
    opsets = sorted(_hash_fields(_parse(item), set()) for item in model[_OPSETS])
    return _hash(*opsets, *outputs).hex()


def _hash_attribute(attribute: _Fields) -> bytes:
    tensors = attribute.get(_ATTRIBUTE_TENSOR, [])
    own = _hash_fields(attribute, {_ATTRIBUTE_TENSOR} | _TEXT_OF_ATTRIBUTE)
    return _hash(own, *(_hash_fields(_parse(item), _TEXTS_OF_TENSOR) for item in tensors))


def _hash_fields(fields: _Fields, but: set[int]) -> bytes:
    used = sorted(set(fields) - but)
    return _hash(*(part for number in used for part in (number, b"is", *fields[number])))


def _hash(*parts: _Field) -> bytes:
    found = hashlib.sha256()
    for part in parts:
        data = str(part).encode() if isinstance(part, int) else part
        found.update(f"{type(part).__name__} {len(data)} ".encode())
        found.update(data)
    return found.digest()


def _parse(data: _Field) -> _Fields:
    """Return the fields of a message of Protocol Buffers by their numbers."""
    if isinstance(data, int):
        raise TypeError("Expected a message, received a number")
    fields, at = defaultdict[int, list[_Field]](list), 0
    while at < len(data):
        key, at = _read_number(data, at)
        kind = key & 7
        if kind == 0:
            value, at = _read_number(data, at)
            fields[key >> 3].append(value)
            continue
        size, at = _read_number(data, at) if kind == 2 else ({1: 8, 5: 4}[kind], at)
        fields[key >> 3].append(data[at : at + size])
        at += size
    return fields


def _read_number(data: bytes, at: int) -> tuple[int, int]:
    """Return a number of variable length and where what follows begins."""
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at
