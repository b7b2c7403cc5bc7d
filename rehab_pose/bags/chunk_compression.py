"""Decompression of the chunks of MCAP files, bounded in memory, also of chunks that were cut off."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

import lz4.frame  # type: ignore[import-untyped]

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ["COMPRESSIONS", "MAX_CHUNK_BYTES", "decompressed", "decompressed_message"]

COMPRESSIONS: Final[Collection[bytes]] = (b"", b"lz4", b"zstd")
"""Names of the compressions that MCAP defines; '' = none."""
MAX_CHUNK_BYTES = 256 * 1024**2
"""Largest length of a chunk after decompression [bytes]. Writers close a chunk after 1 to 4 MB; one image of a large
camera makes a chunk of 25 MB."""


def decompressed(data: memoryview, compression: str, limit: int, *, whole: bool) -> memoryview | None:
    """Return the content of a chunk; None if it is damaged.

    Args:
        data: The content, compressed.
        compression: One of COMPRESSIONS, as text.
        limit: Claimed length of the content [bytes].
        whole: False if the end of the chunk is missing: what can be decompressed is returned.
    """
    if compression == "":
        return data
    if limit > MAX_CHUNK_BYTES:
        return None
    try:
        if compression == "lz4":
            return memoryview(lz4.frame.LZ4FrameDecompressor().decompress(bytes(data), limit))
        content = zstd.ZstdDecompressor().decompress(bytes(data), limit)
    except (RuntimeError, ValueError, EOFError, MemoryError, zstd.ZstdError):
        return None
    return memoryview(content) if whole or content else None


def decompressed_message(data: bytes) -> bytes | None:
    """Return the content of a message that is compressed by itself (zstd); None if it is damaged."""
    try:
        content = zstd.ZstdDecompressor().decompress(data, MAX_CHUNK_BYTES)
    except (ValueError, EOFError, MemoryError, zstd.ZstdError):
        return None
    return content
