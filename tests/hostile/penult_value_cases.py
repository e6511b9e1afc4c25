"""Names, taps, texts, shapes and preprocessing of a .penult file."""

from cases import case, table
from penult_file import PenultFile
from penult_graph_cases import INT32_MAX, changed


def renamed(kind, index, name):
    """The control with one tap, alias or group renamed."""
    return changed(lambda file: file[kind][index].update(name=name))


def layer_named(name):
    """The control with another layer of that name, which is a value, a node and a tap."""
    return changed(lambda file: file.layer(name, b"relu6", [3], [4, 4, 4]))


def root(**fields):
    return changed(lambda file: file.root.update(fields))


def preprocess(**fields):
    return changed(lambda file: file["preprocess"].update(fields))


def shape(index, *dims):
    return changed(lambda file: file["values"][index].update(shape=list(dims)))


NAN, INFINITY = float("nan"), float("inf")

table(".penult", {
    # Names.
    "name_with_newline": layer_named(b"layer\npenult: all is well"),
    "name_with_carriage_return": layer_named(b"layer\rpenult: all is well"),
    "name_with_escape_sequence": layer_named(b"\x1b]0;owned\x07\x1b[2J"),
    "name_with_nul": layer_named(b"layer\0hidden"),
    "name_with_delete": layer_named(b"layer\x7f"),
    "name_with_c1_control": layer_named("layer\u009b2J".encode()),
    "name_empty": layer_named(b""),
    "name_of_255_bytes": layer_named(b"n" * 255),
    "name_of_256_bytes": layer_named(b"n" * 256),
    "name_of_invalid_utf8": layer_named(b"layer\xff\xfe"),
    "name_of_overlong_utf8": layer_named(b"..\xc0\xafetc"),
    "name_of_a_surrogate": layer_named(b"layer\xed\xa0\x80"),
    "name_cut_in_a_character": layer_named(b"layer\xe2\x82"),
    "name_that_reorders_a_line": layer_named("layer\u202egnp.exe".encode()),
    "alias_with_newline": renamed("aliases", 0, b"penultimate\n"),
    "alias_with_c1_control": renamed("aliases", 0, "\u009b31mred".encode()),
    "alias_with_next_line": renamed("aliases", 0, "a\u0085b".encode()),
    "alias_that_reorders_a_line": renamed("aliases", 0, "\u202elatigolp".encode()),
    "group_with_escape_sequence": renamed("groups", 0, b"\x1b[31mblocks"),
    "tap_name_of_invalid_utf8": renamed("taps", 0, b"\x80"),
    "value_names_equal": changed(lambda file: file["values"].append(dict(file["values"][7]))),
    "tap_names_equal": changed(lambda file: file["taps"].append(dict(file["taps"][6]))),
    "alias_called_like_a_tap": renamed("aliases", 0, b"stem"),
    "aliases_equal": renamed("aliases", 1, b"penultimate"),
    "alias_called_all": renamed("aliases", 0, b"all"),
    "tap_called_all": renamed("taps", 0, b"all"),
    "group_called_like_an_alias": renamed("groups", 0, b"flatten"),
    "group_called_like_a_tap": renamed("groups", 0, b"pool"),
    # Taps.
    "tap_at_the_input": changed(lambda file: file["taps"][0].update(value=0)),
    "tap_at_nothing": changed(lambda file: file["taps"][0].update(value=-1)),
    "tap_beyond_the_values": changed(lambda file: file["taps"][0].update(value=8)),
    "tap_at_the_largest_id": changed(lambda file: file["taps"][0].update(value=INT32_MAX)),
    "taps_none": root(taps=[], aliases=[], groups=[]),
    "taps_out_of_order": changed(lambda file: file["taps"].reverse()),
    "alias_beyond_the_taps": changed(lambda file: file["aliases"][0].update(tap=7)),
    "alias_of_a_negative_tap": changed(lambda file: file["aliases"][0].update(tap=-1)),
    "group_beyond_the_taps": changed(lambda file: file["groups"][0].update(taps=[2, 7])),
    "group_of_a_negative_tap": changed(lambda file: file["groups"][0].update(taps=[-1])),
    "group_empty": changed(lambda file: file["groups"][0].update(taps=[])),
    "group_larger_than_the_taps": changed(lambda file: file["groups"][0].update(taps=[0] * 8)),
    # Texts.
    "architecture_empty": root(architecture=b""),
    "architecture_with_escape_sequence": root(architecture=b"\x1b[31mnet"),
    "architecture_that_reorders_a_line": root(architecture="\u202eten".encode()),
    "licence_with_escape_sequence": root(licence=b"MIT\x1b[2J\nnone"),
    "licence_of_64_kib": root(licence=b"l" * 65536),
    "licence_above_the_limit": root(licence=b"l" * 65537),
    "source_name_of_invalid_utf8": root(source_name=b"\xf5\x80\x80\x80"),
    "source_hash_too_short": root(source_sha256=b"0" * 63),
    "source_hash_not_hexadecimal": root(source_sha256=b"0" * 63 + b"g"),
    # Shapes and sizes.
    "shape_other_than_inferred": shape(1, 4, 5, 4),
    "shape_of_fewer_channels": shape(5, 3, 4, 4),
    "shape_of_a_map_for_a_vector": shape(6, 4, 1, 1),
    "shape_of_a_vector_for_a_map": shape(5, 64),
    "shape_of_rank_2": shape(5, 4, 16),
    "shape_of_rank_0": shape(5),
    "shape_of_rank_9": shape(5, *[1] * 9),
    "shape_of_the_input_differs": shape(0, 3, 8, 9),
    "shape_negative": shape(1, -4, -4, 4),
    "input_of_one_channel": root(input_c=1),
    "input_of_no_rows": root(input_h=0),
    "input_of_negative_width": root(input_w=-8),
    "input_width_overflows": root(input_w=(1 << 63) - 1),
    # Preprocessing.
    "resize_mode_unknown": preprocess(resize_mode=2),
    "filter_negative": preprocess(filter=-1),
    "channel_order_largest": preprocess(channel_order=INT32_MAX),
    "resize_to_nothing": preprocess(resize=0),
    "resize_negative": preprocess(resize=-8),
    "crop_above_the_limit": preprocess(crop_w=1 << 30),
    "mean_nan": preprocess(mean=[0.5, NAN, 0.5]),
    "std_zero": preprocess(std=[0.25, 0.25, 0.0]),
    "std_negative": preprocess(std=[-0.25, 0.25, 0.25]),
    "std_infinite": preprocess(std=[INFINITY, 0.25, 0.25]),
    "mean_of_two_channels": preprocess(mean=[0.5, 0.5]),
    "std_of_no_channel": preprocess(std=[]),
})


@case(".penult")
def taps_by_the_thousands():
    """Legal, and slow for whoever walks over the graph for each tap."""
    file = PenultFile()
    last = 3
    for i in range(20000):
        last = file.layer(b"n%d" % i, b"relu6", [last], [4, 4, 4])
        file["aliases"].append({"name": b"a%d" % i, "tap": 7 + i})
    return file.file()


@case(".penult")
def tap_at_a_value_without_producer():
    """Its stored shape is what an untouched value has in memory."""
    file = PenultFile()
    nowhere = file.value(b"nowhere", [0, 1, 1])
    file["taps"].append({"name": b"nowhere", "value": nowhere})
    return file.file()
