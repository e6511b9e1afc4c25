"""Checkpoints: state dicts among other things, which are never made, and what must not hide among them."""

from cases import table
from pickle_cases import COMMAND
from torch_file import ORDERED_DICT, REBUILD, Call, Global, Persistent, Raw, StateDict, Tensor, \
    code_of, floats, mobilenet, pickle

FIRST = "features.0.0.weight"
SYSTEM = Call(Global("os", "system"), COMMAND)


def new(module, name, state):
    """An object of an unknown class, as pickle makes it: NEWOBJ and BUILD."""
    return Raw(code_of(Global(module, name)) + b")\x81" + code_of(state) + b"b")


def dict_of(net, legacy=True):
    return Raw((net.legacy_pickle() if legacy else net.pickle())[2:-1])


def checkpoint(make_root, net=None, container="legacy"):
    """The control with a root made of its dict of tensors."""
    def make():
        state = net() if net else mobilenet()
        state.root = make_root(dict_of(state, container == "legacy"))
        return getattr(state, container)()
    return make


def settings(weights):
    """What training tools save: settings, numbers of numpy, a scheduler, an optimizer."""
    numpy_float = Call(Global("numpy.core.multiarray", "scalar"), Raw(
        code_of(Call(Global("numpy", "dtype"), "f8", False, True)) +
        code_of((3, "<", None, None, None, -1, -1, 0)) + b"b"),
        Call(Global("_codecs", "encode"), "12345678", "latin1"))
    history = Raw(code_of(Call(Global("collections", "defaultdict"), Global("__builtin__", "list")))
                  + b"(" + code_of("loss") + code_of([numpy_float]) + b"u")
    log = Raw(code_of(new("logging_tool", "Log", {})) + b"(" + code_of(("a", "b")) + b"K\1eK\2a")
    return {"epoch": 3, "args": new("argparse", "Namespace", {"lr": numpy_float}), "log": log,
            "arch": "mobilenet_v2", "classes": Call(Global("__builtin__", "set"), ["a"]),
            "text": "x" * 100000, "history": history, "shape": Call(Global("torch", "Size"), (1, 2)),
            "optimizer": {"state": {}, "param_groups": [{"params": [0, 1], "foreach": None}]},
            "state_dict": weights}


def renamed(rename, extra=None):
    def make():
        net = mobilenet()
        net.tensors = {rename(name): tensor for name, tensor in net.tensors.items()}
        net.tensors.update(extra or {})
        return net.legacy()
    return make


def first(pickled):
    """The control whose first tensor is something else."""
    def make():
        net = mobilenet()
        net[FIRST].key = "0"
        net[FIRST].pickled = pickled(net[FIRST]) if callable(pickled) else pickled
        return net.zip()
    return make


def named_by_prefixes():
    net = StateDict()
    for suffix in ("", "a", "b"):
        net.tensors["module." * 9000 + suffix] = Tensor((), floats([1]))
    return net.legacy()


def beside_an_unknown_storage(weights):
    storage = Persistent("storage", Global("torch", "QInt8Storage"), "q", "cpu", 4, None)
    return {"quantized": Call(REBUILD, storage, 0, (4,), (1,), False, Call(ORDERED_DICT)),
            "state_dict": weights}


def with_its_storage():
    """As legacy() writes a quantized tensor: its storage is in the list of keys."""
    net = mobilenet()
    keys = ["q"] + list(net.storages())
    net.root = beside_an_unknown_storage(dict_of(net))
    data = [(4, b"\1\2\3\4")] + list(net.storages().values())
    return net.legacy(keys=pickle(keys), storages=data)


def legacy(object_code):
    return lambda: StateDict().legacy(object=b"\x80\x02" + object_code + b".")


def shared_levels():
    """Seven known keys of each dict lead to the same dict, many levels deep."""
    keys = ("state_dict_ema", "model_ema", "ema", "state_dict", "model", "net", "model_state_dict")
    code = b"}q\x000"
    for level in range(1, 31):
        code += b"}q" + bytes([level]) + b"(" + b"".join(
            code_of(key) + b"h" + bytes([level - 1]) for key in keys) + b"u0"
    return code + b"h\x1e"


def dict_of_itself():
    """Every known key of a large dict leads to the dict itself."""
    keys = ("state_dict_ema", "model_ema", "ema", "state_dict", "model", "net", "model_state_dict")
    return (b"}q\0(" + code_of("x") + b"q\1h\0" + (b"h\1h\0" * 490000 + b"u(") * 2 +
            b"".join(code_of(key) + b"h\0" for key in keys) + b"u")


MODULE = new("torchvision.models.resnet", "ResNet", {"training": False})
LONG = "m" * 60000

table(".pt", {
    "weights_below_a_known_key_a_command_beside": checkpoint(
        lambda weights: {"args": SYSTEM, "state_dict": weights, "epoch": SYSTEM}),
    "weights_beside_settings": checkpoint(settings),
    "weights_beside_settings_zip": checkpoint(settings, container="zip"),
    "weights_beside_a_whole_module": checkpoint(
        lambda weights: {"model": MODULE, "ema": None, "net": weights}),
    "weights_beside_an_unknown_storage": with_its_storage,
    # The tensors under "model" are those of no network.
    "weights_averaged_and_not": checkpoint(
        lambda weights: {"model": {"other.weight": Raw(code_of(mobilenet_tensor()))},
                         "model_ema": weights}),
    "weights_below_two_keys": checkpoint(lambda weights: {"ema": {"state_dict": weights}}),
    "weights_below_three_keys": checkpoint(lambda weights: {"ema": {"ema": {"ema": weights}}}),
    "weights_with_prefixes": renamed(lambda name: "module._orig_mod.model." + name),
    "weights_of_an_averaged_model": renamed(
        lambda name: "module." + name, {"n_averaged": Tensor((), bytes(8), "LongStorage", 8)}),
    "weights_with_a_prefix_but_one": renamed(
        lambda name: name if name == FIRST else "module." + name),
    "weights_named_by_prefixes_alone": named_by_prefixes,
    "tensor_made_by_a_command": first(SYSTEM),
    "tensor_made_by_an_unknown_function": first(lambda tensor: Call(
        Global("torch._utils", "_rebuild_qtensor"), tensor.persistent(), 0, (2, 3, 3, 3))),
    "tensor_is_a_dict": first(Raw(b"}")),
    "whole_module_below_a_known_key": legacy(code_of({"epoch": 1, "model": MODULE})),
    "whole_module_legacy_with_source": legacy(
        code_of(Persistent("module", Global("net", "Net"), "net.py", "import os")) + b")\x81}b"),
    "keys_that_share_a_dict": legacy(shared_levels()),
    "keys_of_a_large_dict_lead_to_itself": legacy(dict_of_itself()),
    "opaque_made_from_a_mark": legacy(b"cos\nsystem\n(\x81"),
    "opaque_made_of_nothing": legacy(b")\x81"),
    "opaque_called_without_a_tuple": legacy(b"cos\nsystem\n]R"),
    "opaque_takes_a_key_without_a_value": legacy(b"cos\nsystem\n(K\1u"),
    "bomb_opaque_names": legacy(code_of(LONG) + b"q\x000" + b"h\0h\0\x930" * 100000 + b"N"),
    "bomb_opaque_calls": legacy(b"cos\nsystem\nq\0" + b"h\0K\1\x85R0" * 300000),
    "bomb_opaque_chain": legacy(
        code_of(Global("torch", "QInt8Storage")) + b"q\x010" +
        b"ctorch._utils\n_rebuild_tensor_v2\nh\1\x85Rq\x010" * 100000 + b"h\1"),
})


def mobilenet_tensor():
    tensor = Tensor((2,), floats([1, 2]))
    tensor.key, tensor.view, tensor.count = "0", (None,), 54
    return tensor.code()
