"""Zip archives that two readers could understand differently, and damaged ones."""

import binascii
import struct
import zlib

from cases import case, table
from torch_file import Zip, mobilenet

FIRST = "data/0"  # 216 bytes


def changed(change):
    return lambda: mobilenet().zip(change)


def entry(name, **fields):
    """The control with parts of one entry replaced."""
    return changed(lambda archive: archive[name].update(fields))


def headers(name, **fields):
    """The control with fields of both headers of an entry replaced."""
    return entry(name, local=fields, central=fields)


def end(**fields):
    return changed(lambda archive: archive.end.update(fields))


def extra_entry(name, data=b"x"):
    return changed(lambda archive: archive.add(name, data))


def compressed(archive, data, pretend=None):
    """Replaces the pickle by its deflated form, as an honest or dishonest zip tool would."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(data) + packer.flush()
    fields = {"method": 8, "crc": binascii.crc32(data), "packed": len(packed),
              "bytes": pretend or len(data)}
    archive["data.pkl"].update(data=packed, local=fields, central=fields)


def zip64_end(entries=None, offset_of_record=0, **wide):
    """Adds the zip64 end record and its locator, with fields of the former replaced."""
    def change(archive):
        plain = archive.file()
        count, size, offset = struct.unpack_from("<HII", plain, len(plain) - 12)
        record = struct.pack("<4sQHHIIQQQQ", b"PK\6\6", 44, 45, 45, 0, 0,
                             wide.get("on_disk", count), wide.get("count", count),
                             wide.get("size", size), wide.get("offset", offset))
        locator = struct.pack("<4sIQI", b"PK\6\7", 0, len(plain) - 22 + offset_of_record, 1)
        archive.before_end = record + locator
        if entries is not None:
            archive.end.update(entries=entries, on_disk=entries)
    return changed(change)


def descriptor(crc=None, size=None):
    """The control whose first storage has its sizes behind the data."""
    def change(archive):
        e = archive[FIRST]
        flags = {"flags": 8}
        e.update(local={**flags, "crc": 0, "packed": 0, "bytes": 0}, central=flags,
                 after=struct.pack("<4sIII", b"PK\7\x08", crc or binascii.crc32(e["data"]),
                                   size or len(e["data"]), len(e["data"])))
    return changed(change)


def overlapping(archive):
    """Two entries of the directory lead to one local header's bytes."""
    second = archive["data/1"]
    archive[FIRST]["after"] = b""
    second["central"] = {"offset": 0}


FILE = mobilenet().zip()
SIZE = len(mobilenet().storages()["0"][1])
UNICODE_PATH = struct.pack("<HHBI", 0x7075, 5 + 8, 1,
                           binascii.crc32(b"archive/data/0")) + b"evil.pkl"
ZIP64_LIE = struct.pack("<HHQQ", 1, 16, 1 << 40, 1 << 40)

table(".pt", {
    "zip_control": lambda: FILE,
    "zip_control_with_zip64_end": zip64_end(),
    "zip_control_with_descriptor": descriptor(),
    "zip_cut_in_half": lambda: FILE[:len(FILE) // 2],
    "zip_cut_by_one_byte": lambda: FILE[:-1],
    "zip_cut_before_the_end_record": lambda: FILE[:-22],
    "zip_first_header_only": lambda: FILE[:30],
    "zip_magic_only": lambda: FILE[:4],
    "zip_one_byte_appended": lambda: FILE + b"\0",
    "zip_empty_archive": lambda: Zip([]).file(),
    "zip_behind_a_program": lambda: b"#!/bin/sh\nexit\n" + FILE,
    "zip_behind_a_local_header": lambda: b"PK\3\4" + bytes(26) + FILE,
    "zip_comment": end(comment=b"PK\5\6 another end record"),
    "zip_of_two_disks": end(disk=1),
    "zip_fewer_entries_than_said": end(entries=400, on_disk=400),
    "zip_more_entries_than_said": end(entries=3, on_disk=3),
    "zip_entries_differ_by_disk": end(on_disk=3),
    "zip_directory_behind_the_end": end(offset=0xFFFFFFF0),
    "zip_directory_too_long": end(bytes=0xFFFFFFF0),
    "zip_directory_elsewhere": end(offset=0),
    "zip_directory_flipped": lambda: FILE.replace(b"PK\1\2", b"PK\1\3", 1),
    "zip_bytes_before_the_directory": changed(
        lambda archive: setattr(archive, "before_directory", b"hidden")),
    "zip_bytes_behind_the_directory": changed(
        lambda archive: setattr(archive, "before_end", b"hidden")),
    # Two end records.
    "zip64_end_disagrees": zip64_end(count=3),
    "zip64_end_of_another_offset": zip64_end(offset=0),
    "zip64_end_elsewhere": zip64_end(offset_of_record=-56),
    "zip64_end_behind_the_file": zip64_end(offset_of_record=1 << 60),
    "zip64_entries_above_the_limit": zip64_end(entries=0xFFFF, count=100001, on_disk=100001),
    "zip64_entries_largest": zip64_end(entries=0xFFFF, count=(1 << 64) - 1),
    "zip64_entry": headers(FIRST, packed=0xFFFFFFFF, bytes=0xFFFFFFFF, extra=ZIP64_LIE),
    "zip64_field_disagrees": entry(FIRST, local={"packed": 0xFFFFFFFF, "bytes": 0xFFFFFFFF,
                                                 "extra": ZIP64_LIE}),
    "zip64_offset": entry(FIRST, central={"offset": 0xFFFFFFFF}),
    # Entries.
    "zip_encrypted": headers(FIRST, flags=1),
    "zip_strongly_encrypted": headers(FIRST, flags=0x41),
    "zip_flag_unknown": headers(FIRST, flags=0x2000),
    "zip_compressed": changed(
        lambda archive: compressed(archive, archive["data.pkl"]["data"])),
    "zip_bomb": changed(lambda archive: compressed(archive, bytes(20 << 20))),
    "zip_bomb_that_lies_about_its_size": changed(
        lambda archive: compressed(archive, bytes(20 << 20), pretend=0xFFFFFFFE)),
    "zip_method_unknown": headers(FIRST, method=99),
    "zip_crc_differs": headers(FIRST, crc=1),
    "zip_crc_of_the_pickle_differs": headers("data.pkl", crc=1),
    "zip_storage_flipped": entry(FIRST, data=b"\1" * SIZE, local={"crc": 5}, central={"crc": 5}),
    "zip_local_name_differs": entry(FIRST, local={"name": b"archive/data/9"}),
    "zip_local_size_differs": entry(FIRST, local={"bytes": 8}),
    "zip_local_crc_differs": entry(FIRST, local={"crc": 5}),
    "zip_local_flags_differ": entry(FIRST, local={"flags": 0x800}),
    "zip_local_method_differs": entry(FIRST, local={"method": 8}),
    "zip_local_header_is_data": entry(FIRST, central={"offset": 2}),
    "zip_local_header_behind_the_end": entry(FIRST, central={"offset": 0xFFFFFF00}),
    "zip_size_beyond_the_end": headers(FIRST, packed=0x7FFFFFFF, bytes=0x7FFFFFFF),
    "zip_two_sizes": entry(FIRST, central={"packed": 100}),
    "zip_entries_overlap": changed(overlapping),
    "zip_entry_within_another": headers("data/1", packed=8 + 300, bytes=8 + 300),
    "zip_gap_between_entries": entry(FIRST, before=b"hidden"),
    "zip_descriptor_crc_differs": descriptor(crc=1),
    "zip_descriptor_size_differs": descriptor(size=1),
    "zip_descriptor_missing": headers(FIRST, flags=8),
    "zip_unicode_path_renames": headers(FIRST, extra=UNICODE_PATH),
    # Names.
    "zip_names_equal": extra_entry("archive/data.pkl"),
    "zip_name_leaves_the_folder": extra_entry("archive/../../etc/passwd"),
    "zip_name_absolute": extra_entry("/etc/passwd"),
    "zip_name_with_backslash": extra_entry("archive\\..\\x"),
    "zip_name_with_nul": extra_entry("archive/data.pkl\0.txt"),
    "zip_name_with_newline": extra_entry("archive/a\npenult: fine\x1b[2J"),
    "zip_name_of_invalid_utf8": extra_entry("archive/\udcff"),
    "zip_name_empty": extra_entry(""),
    "zip_two_roots": extra_entry("other/data.pkl"),
    "zip_root_missing": lambda: Zip([("data.pkl", b"N.")]).file(),
    # Contents.
    "zip_pickle_missing": changed(lambda archive: archive.entries.pop(0)),
    "zip_storage_missing": changed(lambda archive: archive.entries.remove(archive[FIRST])),
    "zip_storage_too_short": entry(FIRST, data=bytes(SIZE - 4)),
    "zip_storage_too_long": entry(FIRST, data=bytes(SIZE + 4)),
    "zip_big_endian": entry("byteorder", data=b"big"),
    "zip_byte_order_with_escape_sequence": entry("byteorder", data=b"\x1b[2J\n"),
    "zip_bytes_behind_the_pickle": changed(
        lambda archive: archive["data.pkl"].update(data=archive["data.pkl"]["data"] + b"N.")),
    "zip_pickle_empty": entry("data.pkl", data=b""),
})


@case(".pt")
def zip_torchscript():
    """A compiled model: classes of its own, and code."""
    def change(archive):
        archive["data.pkl"]["data"] = b"\x80\x02c__torch__\nNet\n)\x81."
        archive.add("archive/code/__torch__.py", b"class Net(Module): ...")
    return mobilenet().zip(change)


@case(".pt")
def zip_storage_of_terabytes():
    net = mobilenet()
    net["features.0.0.weight"].count = 1 << 43
    return net.zip()


@case(".pt")
def zip_storage_size_wraps():
    net = mobilenet()
    net["features.0.0.weight"].count = (1 << 62) + SIZE // 4
    return net.zip()
