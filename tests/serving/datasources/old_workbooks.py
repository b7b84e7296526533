"""Old files of Office, made byte by byte as [MS-CFB] and [MS-XLS] have them: nothing installed here writes any."""

import struct

_END, _FREE, _TABLE = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD
_SECTOR_BYTES = 512
# A shorter stream is kept elsewhere.
_SHORTEST_STREAM = 4096


def compound_file(name: str, stream: bytes) -> bytes:
    """A file with one stream: `Workbook` is one of Excel, `WordDocument` one of Word."""
    stream = stream.ljust(_SHORTEST_STREAM, b"\0")
    sectors = -(-len(stream) // _SECTOR_BYTES)
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + struct.pack(
        "<16s5H6s9I", b"", 0x3E, 3, 0xFFFE, 9, 6, b"", 0, 1, 1, 0, _SHORTEST_STREAM, _END, 0, _END, 0
    )
    places = struct.pack("<109I", 0, *[_FREE] * 108)
    chains = [_TABLE, _END, *range(3, 2 + sectors), _END]
    table = struct.pack("<128I", *chains, *[_FREE] * (128 - len(chains)))
    directory = _entry("Root Entry", 5, child=1, start=_END, size=0)
    directory += _entry(name, 2, child=_FREE, start=2, size=len(stream))
    padded = stream.ljust(sectors * _SECTOR_BYTES, b"\0")
    return header + places + table + directory.ljust(_SECTOR_BYTES, b"\0") + padded


def old_workbook(*cells: tuple[int, int], sheets: int = 1) -> bytes:
    """An .xls whose sheets all have the number 1 in these cells, by row and column."""
    numbers = b"".join(_record(0x0203, struct.pack("<3Hd", row, column, 0, 1.0)) for row, column in cells)
    sheet = _beginning(0x10) + numbers + _record(0x0A)
    names = [f"s{number}".encode() for number in range(sheets)]
    listed_bytes = len(_beginning(5)) + sum(12 + len(name) for name in names) + len(_record(0x0A))
    stream = _beginning(5)
    for number, name in enumerate(names):
        place = listed_bytes + number * len(sheet)
        stream += _record(0x85, struct.pack("<I4B", place, 0, 0, len(name), 0) + name)
    return compound_file("Workbook", stream + _record(0x0A) + sheet * sheets)


def _entry(name: str, kind: int, *, child: int, start: int, size: int) -> bytes:
    written = f"{name}\0".encode("utf-16-le")
    return struct.pack("<64sH2B3I36sIQ", written, len(written), kind, 1, _FREE, _FREE, child, b"", start, size)


def _record(kind: int, content: bytes = b"") -> bytes:
    return struct.pack("<2H", kind, len(content)) + content


def _beginning(of: int) -> bytes:
    return _record(0x0809, struct.pack("<4H2I", 0x0600, of, 0x0DBB, 0x07CC, 0, 6))
