"""DICOM files whose data set is deflated, unpacked within a limit: a small file may claim any size."""

from __future__ import annotations

import struct
import zlib

from .decode_limits import DecodeLimits
from .user_errors import ImagesError

_SYNTAX = b"1.2.840.10008.1.2.1.99"
_META = 144
"""Preamble (128 bytes), `DICM`, and the element with the length of the rest of the meta group."""
_STEP = 2**20
"""Bytes unpacked at a time to measure them."""


def check_deflated(data: bytes, limits: DecodeLimits) -> None:
    """Raise ImagesError if a DICOM file's data set is deflated and unpacks to more than `limits.max_bytes`.

    The transfer syntax is PS3.5, A.5: everything behind the meta group is one stream of RFC 1951. It is
    measured without being kept, since pydicom unpacks it whole.
    """
    if _SYNTAX not in data[:2048] or len(data) < _META:
        return
    start = _META + struct.unpack_from("<I", data, _META - 4)[0]
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
    rest, size = data[start:], 0
    try:
        while rest and not unpacker.eof:
            size += len(unpacker.decompress(rest, _STEP))
            rest = unpacker.unconsumed_tail
            if size > limits.max_bytes:
                raise ImagesError(f"the deflated DICOM file unpacks to more than {limits.max_bytes:,} bytes")
    except zlib.error as error:
        raise ImagesError(f"the DICOM file is damaged ({error})") from None
    if not unpacker.eof:
        raise ImagesError("the DICOM file is damaged (its deflated data end early)")
