"""Pickles, and the legacy and zip containers of torch.save around them, with any part falsified."""

import binascii
import random
import struct

MAGIC = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."


class Raw:
    """Opcodes that are written as they are; they leave one value on the stack."""

    def __init__(self, code):
        self.code = code


class Global:
    def __init__(self, module, name):
        self.code = b"c" + module.encode() + b"\n" + name.encode() + b"\n"


class Call:
    """REDUCE of a callable with a tuple of arguments."""

    def __init__(self, function, *arguments):
        self.function, self.arguments = function, arguments


class Persistent:
    """A persistent id: what BINPERSID takes from the stack."""

    def __init__(self, *parts):
        self.parts = parts


def code_of(value):
    """Opcodes that leave `value` on the stack."""
    if isinstance(value, (Raw, Global)):
        return value.code
    if isinstance(value, Call):
        return code_of(value.function) + code_of(value.arguments) + b"R"
    if isinstance(value, Persistent):
        return code_of(value.parts) + b"Q"
    if value is None or isinstance(value, bool):
        return {None: b"N", True: b"\x88", False: b"\x89"}[value]
    if isinstance(value, int):
        if 0 <= value < 256:
            return b"K" + bytes([value])
        return b"\x8a\x08" + value.to_bytes(8, "little", signed=True)
    if isinstance(value, str):
        value = value.encode("utf-8", "surrogateescape")
        return b"X" + struct.pack("<I", len(value)) + value
    if isinstance(value, tuple):
        return b"(" + b"".join(map(code_of, value)) + b"t"
    if isinstance(value, list):
        return b"](" + b"".join(map(code_of, value)) + b"e"
    if isinstance(value, dict):
        return b"}(" + b"".join(code_of(k) + code_of(v) for k, v in value.items()) + b"u"
    raise TypeError(value)


def pickle(value):
    return b"\x80\x02" + code_of(value) + b"."


ORDERED_DICT = Global("collections", "OrderedDict")
REBUILD = Global("torch._utils", "_rebuild_tensor_v2")


def strides_of(dims):
    strides = [1] * len(dims)
    for i in range(len(dims) - 1, 0, -1):
        strides[i - 1] = strides[i] * dims[i]
    return tuple(strides)


class Tensor:
    """A tensor with a storage of its own, whose parts may be replaced."""

    def __init__(self, dims, data, storage="FloatStorage", width=4):
        self.dims, self.data = tuple(dims), data
        self.storage, self.width = Global("torch", storage), width
        self.key, self.offset, self.strides = None, 0, strides_of(dims)
        self.count = len(data) // width  # elements, as pickled
        self.view = ()  # what the legacy format adds to a storage
        self.pickled = None  # replaces all of it

    def persistent(self):
        return Persistent("storage", self.storage, self.key, "cpu", self.count,
                          *self.view)

    def code(self):
        return self.pickled or Call(REBUILD, self.persistent(), self.offset, self.dims,
                                    self.strides, False, Call(ORDERED_DICT))


def floats(values):
    return struct.pack(f"<{len(values)}f", *values)


class StateDict:
    """Tensors by name, in order. The pickle is the dict itself unless `root` replaces it."""

    def __init__(self):
        self.tensors = {}
        self.root = None

    def __getitem__(self, name):
        return self.tensors[name]

    def number_storages(self):
        for i, tensor in enumerate(self.tensors.values()):
            tensor.key = tensor.key or str(i)

    def pickle(self):
        self.number_storages()
        if self.root is not None:
            return pickle(self.root)
        items = b"".join(code_of(name) + code_of(t.code()) for name, t in self.tensors.items())
        return pickle(Raw(code_of(Call(ORDERED_DICT)) + b"(" + items + b"u"))

    def legacy_pickle(self):
        for tensor in self.tensors.values():
            tensor.view = tensor.view or (None,)
        return self.pickle()

    def storages(self):
        """key -> (elements, bytes), in file order."""
        self.number_storages()
        return {t.key: (len(t.data) // t.width, t.data) for t in self.tensors.values()}

    def legacy(self, **parts):
        """Keywords replace the pickles `version`, `system`, `object` and `keys`, or the `storages`:
        a list of (elements, bytes)."""
        storages = self.storages()
        data = parts.get("storages", list(storages.values()))
        return b"".join([
            parts.get("magic", MAGIC), parts.get("version", pickle(1001)),
            parts.get("system", pickle({"protocol_version": 1001, "little_endian": True,
                                        "type_sizes": {"short": 2, "int": 4, "long": 4}})),
            parts.get("object", self.legacy_pickle()),
            parts.get("keys", pickle(list(storages)))] +
            [struct.pack("<Q", count) + raw for count, raw in data])

    def zip_entries(self, root="archive"):
        """The entries that torch.save writes, as (name, bytes)."""
        return [(f"{root}/data.pkl", self.pickle()), (f"{root}/byteorder", b"little")] + [
            (f"{root}/data/{key}", raw) for key, (_, raw) in self.storages().items()] + [
            (f"{root}/version", b"3\n")]

    def zip(self, change=lambda archive: None):
        archive = Zip(self.zip_entries())
        change(archive)
        return archive.file()


class Zip:
    """An archive of stored entries; each field of a header can be replaced, `central` and `local`
    separately."""

    def __init__(self, entries):
        self.entries = [{"name": name.encode("utf-8", "surrogateescape"), "data": data,
                         "local": {}, "central": {}, "before": b"", "after": b""}
                        for name, data in entries]
        self.end = {}
        self.before_directory, self.before_end, self.appended = b"", b"", b""

    def __getitem__(self, name):
        return next(e for e in self.entries if e["name"] == b"archive/" + name.encode())

    def add(self, name, data=b""):
        self.entries += Zip([(name, data)]).entries

    @staticmethod
    def header(entry, form, fields):
        data = entry["data"]
        values = {"version": 0, "flags": 0, "method": 0, "crc": binascii.crc32(data),
                  "packed": len(data), "bytes": len(data), "name": entry["name"], "extra": b"",
                  "comment": b"", "offset": 0, **fields}
        v = values
        common = struct.pack("<HHHIIIIHH", v["version"], v["flags"], v["method"], 0, v["crc"],
                             v["packed"], v["bytes"], len(v["name"]), len(v["extra"]))
        if form == "local":
            return b"PK\3\4" + common + v["name"] + v["extra"]
        return (b"PK\1\2\0\0" + common + struct.pack("<HHHII", len(v["comment"]), 0, 0, 0,
                                                     v["offset"]) +
                v["name"] + v["extra"] + v["comment"])

    def file(self):
        out, directory = b"", b""
        for entry in self.entries:
            out += entry["before"]
            central = {"offset": len(out), **entry["central"]}
            directory += self.header(entry, "central", central)
            out += self.header(entry, "local", entry["local"]) + entry["data"] + entry["after"]
        out += self.before_directory
        end = {"disk": 0, "first_disk": 0, "on_disk": len(self.entries),
               "entries": len(self.entries), "bytes": len(directory), "offset": len(out),
               "comment": b"", **self.end}
        return out + directory + self.before_end + b"PK\5\6" + struct.pack(
            "<HHHHIIH", end["disk"], end["first_disk"], end["on_disk"], end["entries"],
            end["bytes"], end["offset"], len(end["comment"])) + end["comment"] + self.appended


def mobilenet(width=2, classes=3):
    """torchvision's mobilenet_v2, `width` channels everywhere: the smallest that converts."""
    draw = random.Random(7)
    net = StateDict()

    def numbers(name, *dims, low=-0.5, high=0.5):
        count = 1
        for dim in dims:
            count *= dim
        net.tensors[name] = Tensor(dims, floats([draw.uniform(low, high) for _ in range(count)]))

    def norm(name):
        numbers(name + ".weight", width, low=0.5, high=1.5)
        numbers(name + ".bias", width)
        numbers(name + ".running_mean", width)
        numbers(name + ".running_var", width, low=0.5, high=2)
        net.tensors[name + ".num_batches_tracked"] = Tensor((), bytes(8), "LongStorage", 8)

    numbers("features.0.0.weight", width, 3, 3, 3)
    norm("features.0.1")
    for i in range(1, 18):
        conv, layer = f"features.{i}.conv.", 0
        if i > 1:
            numbers(conv + "0.0.weight", width, width, 1, 1)
            norm(conv + "0.1")
            layer = 1
        numbers(f"{conv}{layer}.0.weight", width, 1, 3, 3)
        norm(f"{conv}{layer}.1")
        numbers(f"{conv}{layer + 1}.weight", width, width, 1, 1)
        norm(f"{conv}{layer + 2}")
    numbers("features.18.0.weight", width, width, 1, 1)
    norm("features.18.1")
    numbers("classifier.1.weight", classes, width)
    numbers("classifier.1.bias", classes)
    return net
