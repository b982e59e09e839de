"""Decodes PNG and JPEG pictures into grey ones, by Leptonica."""

import ctypes
from contextlib import contextmanager
from ctypes import POINTER, byref, c_char_p, c_int, c_size_t, c_void_p

PNG, JPEG = 3, 2  # Leptonica's IFF_PNG and IFF_JFIF_JPEG
SILENT = 6
MAXIMUM_PIXELS = 16_000_000
# What decoding and reading take at their peak, measured: colour, grey and Tesseract's own copies.
BYTES_PER_PIXEL = 12
# Text stays readable when a photograph is reduced to this while it is decoded.
IDEAL_LONGER_SIDE = 2600
QUARTER_TURNS = {3: 2, 6: 1, 8: 3}  # EXIF orientation: quarter turns clockwise that set it upright


class Refusal(Exception):
    """The picture cannot be read; with the HTTP status and a sentence for people."""

    def __init__(self, status: str, sentence: str):
        super().__init__(sentence)
        self.status = status


def load_library(*names: str) -> ctypes.CDLL:
    """The first that exists: Debian renames a library when its interface changes."""
    for name in names:
        try:
            return ctypes.CDLL(name)
        except OSError:
            continue
    raise OSError(f"none of {', '.join(names)} is installed")


leptonica = load_library("liblept.so.5", "libleptonica.so.6")
leptonica.pixReadMem.argtypes = [c_char_p, c_size_t]
leptonica.pixReadMem.restype = c_void_p
leptonica.pixReadMemJpeg.argtypes = [c_char_p, c_size_t, c_int, c_int, POINTER(c_int), c_int]
leptonica.pixReadMemJpeg.restype = c_void_p
leptonica.pixReadHeaderMem.argtypes = [c_char_p, c_size_t, *[POINTER(c_int)] * 6]
leptonica.pixConvertTo8.argtypes = [c_void_p, c_int]
leptonica.pixConvertTo8.restype = c_void_p
leptonica.pixRemoveAlpha.argtypes = [c_void_p]
leptonica.pixRemoveAlpha.restype = c_void_p
leptonica.pixRotateOrth.argtypes = [c_void_p, c_int]
leptonica.pixRotateOrth.restype = c_void_p
leptonica.pixDestroy.argtypes = [POINTER(c_void_p)]
leptonica.setMsgSeverity(SILENT)


def affordable_pixels() -> int:
    """How large a picture may be, given the memory that is free now."""
    with open("/proc/meminfo") as meminfo:
        available = next(line for line in meminfo if line.startswith("MemAvailable:"))
    return min(MAXIMUM_PIXELS, int(available.split()[1]) * 1024 // BYTES_PER_PIXEL)


def format_of(data: bytes) -> int:
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    if data.startswith(b"\xff\xd8\xff"):
        return JPEG
    raise Refusal("415 Unsupported Media Type", "This is neither PNG nor JPEG. Send the picture itself as the request's body.")


def size_of(data: bytes) -> tuple[int, int]:
    """Width and height in pixels, without decoding."""
    width, height, other = c_int(), c_int(), c_int()
    others = [byref(other)] * 3
    if leptonica.pixReadHeaderMem(data, len(data), byref(other), byref(width), byref(height), *others) != 0:
        raise damaged()
    return width.value, height.value


@contextmanager
def upright_grey(data: bytes):
    """A handle to the decoded picture: 8 bit grey, the right way up."""
    kind = format_of(data)
    width, height = size_of(data)
    reduction = next((r for r in (1, 2, 4) if max(width, height) <= r * IDEAL_LONGER_SIDE), 8) if kind == JPEG else 1
    if width * height > affordable_pixels() * reduction**2:
        raise Refusal("413 Payload Too Large", f"A picture of {width} x {height} pixels is too large here. Send a smaller one.")
    turns = QUARTER_TURNS.get(orientation_of(data), 0) if kind == JPEG else 0
    decoded = (
        leptonica.pixReadMemJpeg(data, len(data), 0, reduction, None, 0) if kind == JPEG else leptonica.pixReadMem(data, len(data))
    )
    # Each step makes a new picture; the old one is freed first, because memory is short here.
    picture = replace(decoded, leptonica.pixRemoveAlpha)
    picture = replace(picture, leptonica.pixConvertTo8, 0)
    if turns:
        picture = replace(picture, leptonica.pixRotateOrth, turns)
    try:
        yield picture
    finally:
        destroy(picture)


def replace(picture, step, *arguments):
    if not picture:
        raise damaged()
    result = step(picture, *arguments)
    destroy(picture)
    if not result:
        raise damaged()
    return result


def destroy(picture) -> None:
    leptonica.pixDestroy(byref(c_void_p(picture)))


def damaged() -> Refusal:
    return Refusal("422 Unprocessable Content", "The picture is damaged and cannot be decoded.")


def orientation_of(jpeg: bytes) -> int:
    """The EXIF orientation that cameras write, 1 (upright) unless said otherwise."""
    position = 2
    while position + 4 <= len(jpeg) and jpeg[position] == 0xFF and jpeg[position + 1] != 0xDA:
        length = int.from_bytes(jpeg[position + 2 : position + 4], "big")
        if jpeg[position + 1] == 0xE1 and jpeg[position + 4 : position + 10] == b"Exif\0\0":
            return tiff_orientation(jpeg[position + 10 : position + 2 + length])
        position += 2 + length
    return 1


def tiff_orientation(tiff: bytes) -> int:
    order = "little" if tiff[:2] == b"II" else "big"

    def number(offset: int, size: int) -> int:
        return int.from_bytes(tiff[offset : offset + size], order)

    directory = number(4, 4)
    for entry in range(number(directory, 2)):
        offset = directory + 2 + 12 * entry
        if number(offset, 2) == 0x0112:
            return number(offset + 8, 2)
    return 1
