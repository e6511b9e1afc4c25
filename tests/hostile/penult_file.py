"""A small valid .penult file as Python data, and its bytes with any part of it falsified."""

import struct

from flatbuffer import encode

ALIGNMENT = 64
BLOCK = 1 << 20


def _crc_table():
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return table


_CRC = _crc_table()


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ _CRC[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def padded(data):
    return data + bytes(-len(data) % ALIGNMENT)


def elements(dims):
    count = 1
    for dim in dims:
        count *= dim
    return count


def attribute(name, *ints):
    return {"name": name, "ints": list(ints)}


def conv_attributes(kernel, stride=1):
    pad = kernel // 2
    return [attribute(b"strides", stride, stride), attribute(b"pads", pad, pad, pad, pad)]


class PenultFile:
    """Stem, batchnorm, ReLU6, a residual block, pooling, classifier: every kind of reference.

    `root` is the Model table, `data` the bytes of each weight. Change both as you like; file()
    computes places and checksums of the weights that do not have them yet.
    """

    def __init__(self):
        self.data = []
        self.root = {
            "values": [], "nodes": [], "weights": [], "input": 0, "input_c": 3, "input_h": 8,
            "input_w": 8, "taps": [], "aliases": [], "groups": [],
            "preprocess": {"resize_mode": 0, "resize": 8, "crop_h": 8, "crop_w": 8, "filter": 0,
                           "channel_order": 0, "mean": [0.5] * 3, "std": [0.25] * 3},
            "architecture": b"tiny", "weights_name": b"made by hand", "source_name": b"tiny.pt",
            "source_sha256": b"0" * 64, "licence": b"", "producer": b"hostile_test"}
        self.value(b"input", [3, 8, 8])
        weight = self.weight(b"stem.weight", [4, 3, 3, 3])
        self.layer(b"stem", b"conv2d", [0], [4, 4, 4], [weight], conv_attributes(3, 2))
        norm = [self.weight(b"stem.bn." + part, [4])
                for part in (b"gamma", b"beta", b"mean", b"var")]
        self.layer(b"stem.bn", b"batchnorm", [1], [4, 4, 4], norm,
                   [{"name": b"eps", "floats": [1e-5]}])
        self.layer(b"stem.act", b"relu6", [2], [4, 4, 4])
        weight = self.weight(b"block.weight", [4, 4, 1, 1])
        self.layer(b"block", b"conv2d", [3], [4, 4, 4], [weight], conv_attributes(1))
        self.layer(b"block.add", b"add", [3, 4], [4, 4, 4])
        self.layer(b"pool", b"global_avg_pool", [5], [4])
        self.layer(b"fc", b"linear", [6], [2],
                   [self.weight(b"fc.weight", [2, 4]), self.weight(b"fc.bias", [2])])
        self.root["aliases"] += [{"name": b"penultimate", "tap": 5}, {"name": b"flatten", "tap": 5}]
        self.root["groups"].append({"name": b"blocks", "taps": [2, 4]})

    def value(self, name, shape):
        self.root["values"].append({"name": name, "shape": shape})
        return len(self.root["values"]) - 1

    def weight(self, name, dims):
        self.root["weights"].append({"name": name, "dims": dims})
        count = elements(dims)
        self.data.append(struct.pack(f"<{count}f", *(0.1 + i % 7 / 8 for i in range(count))))
        return len(self.data) - 1

    def layer(self, name, op, inputs, shape, weights=(), attributes=(), tap=True):
        output = self.value(name, shape)
        self.root["nodes"].append({"name": name, "op": op, "attributes": list(attributes),
                                   "inputs": inputs, "weights": list(weights), "output": output})
        if tap:
            self.root["taps"].append({"name": name, "value": output})
        return output

    def __getitem__(self, name):
        """A list or a text of the root; `file["nodes"][0]["op"] = ...` reads well."""
        return self.root[name]

    def node(self, name):
        return next(node for node in self.root["nodes"] if node["name"] == name)

    def set_attribute(self, node, name, ints=None, floats=None):
        attributes = self.node(node)["attributes"]
        attributes[:] = [a for a in attributes if a["name"] != name]
        attributes.append({"name": name, "ints": ints, "floats": floats})

    def place_weights(self):
        offset = 0
        for weight, data in zip(self.root["weights"], self.data):
            weight.setdefault("offset", offset)
            weight.setdefault("bytes", len(data))
            weight.setdefault("block_crc32c", [crc32c(data[i:i + BLOCK])
                                               for i in range(0, len(data), BLOCK)])
            offset += len(padded(data))

    def file(self, **header):
        self.place_weights()
        return assemble(encode(self.root), b"".join(map(padded, self.data)), **header)

def assemble(graph, weights, **header):
    """Header, graph part and weights section. Keywords replace single fields of the header, whose
    checksum is right for whatever they say, unless it is given too; `graph_padding` replaces the
    bytes behind the graph part."""
    padding = header.get("graph_padding", bytes(-len(graph) % ALIGNMENT))
    start = ALIGNMENT + len(graph) + len(padding)
    head = struct.pack(
        "<8sIIQQIIQQI", header.get("magic", b"PENULT\r\n"), header.get("major", 1),
        header.get("minor", 0), header.get("features", 0), header.get("graph_bytes", len(graph)),
        header.get("graph_crc", crc32c(graph)), header.get("reserved", 0),
        header.get("weights_offset", start), header.get("file_bytes", start + len(weights)),
        header.get("reserved2", 0))
    head += struct.pack("<I", header.get("header_crc", crc32c(head)))
    return head + graph + padding + weights


def with_graph(graph, **header):
    """The tiny model with its graph part replaced by any bytes, all checksums right."""
    return assemble(bytes(graph), b"".join(map(padded, PenultFile().data)), **header)
