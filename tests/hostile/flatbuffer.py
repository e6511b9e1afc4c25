"""A minimal FlatBuffers writer for the graph part: correct where it is not told otherwise.

Tables are dicts of field name -> value; a field that is missing or None is not written. A table or
list that occurs twice as the same Python object is written once and referred to twice, which is how
bombs are made. Texts are bytes, so that they need not be UTF-8.

Format: https://flatbuffers.dev/internals/; schema: engine/model/model.fbs.
"""

import struct

# Field types: struct letters for numbers, "text", a table's name, or [letter] / [table].
SCHEMA = {
    "Attribute": [("name", "text"), ("ints", ["q"]), ("floats", ["f"])],
    "Value": [("name", "text"), ("shape", ["q"])],
    "Node": [("name", "text"), ("op", "text"), ("attributes", ["Attribute"]), ("inputs", ["i"]),
             ("weights", ["i"]), ("output", "i")],
    "Weight": [("name", "text"), ("dims", ["q"]), ("offset", "Q"), ("bytes", "Q"),
               ("block_crc32c", ["I"])],
    "Tap": [("name", "text"), ("value", "i")],
    "Alias": [("name", "text"), ("tap", "i")],
    "TapGroup": [("name", "text"), ("taps", ["i"])],
    "Preprocess": [("resize_mode", "i"), ("resize", "i"), ("crop_h", "i"), ("crop_w", "i"),
                   ("filter", "i"), ("channel_order", "i"), ("mean", ["f"]), ("std", ["f"])],
    "Model": [("values", ["Value"]), ("nodes", ["Node"]), ("weights", ["Weight"]), ("input", "i"),
              ("input_c", "q"), ("input_h", "q"), ("input_w", "q"), ("taps", ["Tap"]),
              ("aliases", ["Alias"]), ("groups", ["TapGroup"]), ("preprocess", "Preprocess"),
              ("architecture", "text"), ("weights_name", "text"), ("source_name", "text"),
              ("source_sha256", "text"), ("licence", "text"), ("producer", "text"),
              ("from_the_future", "text")],  # no reader knows the last field
}


class _Writer:
    """Grows towards lower addresses, children before parents. Positions count from the end."""

    def __init__(self):
        self.chunks = []  # last one first in the file
        self.size = 0
        self.written = {}  # id of a table or list -> (position, the object, kept alive)

    def prepend(self, data):
        self.chunks.append(data)
        self.size += len(data)

    def pad(self, upcoming, alignment):
        self.prepend(bytes(-(self.size + upcoming) % alignment))

    def once(self, value, write):
        if id(value) not in self.written:
            self.written[id(value)] = (write(), value)
        return self.written[id(value)][0]

    def text(self, value):
        self.pad(len(value) + 1, 4)
        self.prepend(struct.pack("<I", len(value)) + value + b"\0")
        return self.size

    def numbers(self, letter, values):
        data = struct.pack(f"<{len(values)}{letter}", *values)
        self.pad(len(data), max(4, struct.calcsize(letter)))
        self.prepend(struct.pack("<I", len(values)) + data)
        return self.size

    def tables(self, name, values):
        positions = [self.table(name, value) for value in values]
        self.pad(4 * len(positions), 4)
        end = self.size
        offsets = [end + 4 * (len(positions) - i) - p for i, p in enumerate(positions)]
        self.prepend(struct.pack(f"<I{len(offsets)}I", len(offsets), *offsets))
        return self.size

    def table(self, name, fields):
        return self.once(fields, lambda: self._table(SCHEMA[name], fields))

    def child(self, kind, value):
        """Writes what a field refers to; returns its position, or None for a number."""
        if kind == "text":
            return self.text(value)
        if isinstance(kind, str):
            return self.table(kind, value) if kind in SCHEMA else None
        write = self.tables if kind[0] in SCHEMA else self.numbers
        return self.once(value, lambda: write(kind[0], value))

    def _table(self, schema, fields):
        given = [(slot, kind, fields[name], self.child(kind, fields[name]))
                 for slot, (name, kind) in enumerate(schema) if fields.get(name) is not None]
        width = {slot: 4 if child is not None else struct.calcsize(kind)
                 for slot, kind, _, child in given}
        places, length = {}, 4  # widest fields first need the least padding
        for slot in sorted(width, key=lambda slot: -width[slot]):
            length += -length % width[slot]
            places[slot] = length
            length += width[slot]
        length += -length % 4
        self.pad(length, 8)
        start = self.size + length
        body = bytearray(length)
        for slot, kind, value, child in given:
            if child is not None:
                struct.pack_into("<I", body, places[slot], start - places[slot] - child)
            else:
                struct.pack_into("<" + kind, body, places[slot], value)
        slots = max(places, default=-1) + 1
        vtable = struct.pack(f"<{2 + slots}H", 4 + 2 * slots, length,
                             *(places.get(slot, 0) for slot in range(slots)))
        vtable = vtable + bytes(-len(vtable) % 4)  # behind it, so that the table stays aligned
        struct.pack_into("<i", body, 0, len(vtable))
        self.prepend(bytes(body))
        self.prepend(vtable)
        return start


def encode(fields):
    """The bytes of a buffer whose root is the Model `fields`."""
    writer = _Writer()
    root = writer.table("Model", fields)
    writer.pad(4, 8)
    writer.prepend(struct.pack("<I", writer.size + 4 - root))
    return b"".join(reversed(writer.chunks))
