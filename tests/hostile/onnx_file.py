"""ONNX files, byte by byte: correct where nobody says otherwise. Numbers of fields:
https://onnx.ai/onnx/repo-docs/IR.html."""

import struct


def varint(value):
    value &= (1 << 64) - 1
    out = b""
    while value >= 0x80:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def number(field, value):
    return varint(field << 3) + varint(value)


def text(field, value):
    payload = value.encode() if isinstance(value, str) else value
    return varint(field << 3 | 2) + varint(len(payload)) + payload


def floats(field, *values):
    return text(field, struct.pack(f"<{len(values)}f", *values))


def integers(field, *values):
    return b"".join(number(field, value) for value in values)


def packed(field, *values):
    return text(field, b"".join(map(varint, values)))


def tensor(name, dims, dtype, data):
    return integers(1, *dims) + number(2, dtype) + text(8, name) + data


def attribute(name, kind, value):
    return text(5, text(1, name) + value + number(20, kind))


def node(op, inputs, outputs, *more):
    parts = [text(1, name) for name in inputs] + [text(2, name) for name in outputs]
    return text(1, b"".join(parts) + text(4, op) + b"".join(more))


def initializer(*arguments):
    return text(5, tensor(*arguments))


def value(field, name, dims, dtype=1):
    shape = b"".join(text(1, text(2, dim) if isinstance(dim, str) else number(1, dim)) for dim in dims)
    return text(field, text(1, name) + text(2, text(1, number(1, dtype) + text(2, shape))))


def model(graph, opset=13, ir=8, head=b""):
    return number(1, ir) + head + text(7, graph) + text(8, text(1, "") + number(2, opset))
