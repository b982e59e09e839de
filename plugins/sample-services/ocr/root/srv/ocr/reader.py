"""Reads the text of pictures, by Tesseract."""

import ctypes
from collections.abc import Callable
from ctypes import CFUNCTYPE, c_bool, c_char_p, c_int, c_void_p
from glob import glob

from picture import Refusal, load_library, upright_grey

LSTM_ONLY = 1
AUTOMATIC_LAYOUT = 3
DEADLINE_MS = 300_000

tesseract = load_library("libtesseract.so.5")
tesseract.TessBaseAPICreate.restype = c_void_p
tesseract.TessBaseAPIInit2.argtypes = [c_void_p, c_char_p, c_char_p, c_int]
tesseract.TessBaseAPISetVariable.argtypes = [c_void_p, c_char_p, c_char_p]
tesseract.TessBaseAPISetPageSegMode.argtypes = [c_void_p, c_int]
tesseract.TessBaseAPISetImage2.argtypes = [c_void_p, c_void_p]
tesseract.TessBaseAPIRecognize.argtypes = [c_void_p, c_void_p]
tesseract.TessBaseAPIGetUTF8Text.argtypes = [c_void_p]
tesseract.TessBaseAPIGetUTF8Text.restype = c_void_p
tesseract.TessBaseAPIClear.argtypes = [c_void_p]
tesseract.TessDeleteText.argtypes = [c_void_p]
tesseract.TessMonitorCreate.restype = c_void_p
tesseract.TessMonitorDelete.argtypes = [c_void_p]
tesseract.TessMonitorSetDeadlineMSecs.argtypes = [c_void_p, c_int]
CancelFunction = CFUNCTYPE(c_bool, c_void_p, c_int)
tesseract.TessMonitorSetCancelFunc.argtypes = [c_void_p, CancelFunction]


class Reader:
    """One loaded model. Not to be used by two threads at once."""

    def __init__(self):
        self.api = tesseract.TessBaseAPICreate()
        (models,) = glob("/usr/share/tesseract-ocr/*/tessdata")
        if tesseract.TessBaseAPIInit2(self.api, models.encode(), b"eng", LSTM_ONLY) != 0:
            raise OSError(f"Tesseract has no English model in {models}")
        tesseract.TessBaseAPISetVariable(self.api, b"debug_file", b"/dev/null")
        tesseract.TessBaseAPISetPageSegMode(self.api, AUTOMATIC_LAYOUT)

    def read(self, data: bytes, abandoned: Callable[[], bool]) -> str:
        """The text in a PNG or JPEG picture; raises Refusal, also when it has been abandoned or is meanwhile."""
        if abandoned():
            raise nobody_waits()
        with upright_grey(data) as picture:
            tesseract.TessBaseAPISetImage2(self.api, picture)
            try:
                self.recognize(abandoned)
                return self.text()
            finally:
                tesseract.TessBaseAPIClear(self.api)

    def recognize(self, abandoned: Callable[[], bool]) -> None:
        monitor = tesseract.TessMonitorCreate()
        tesseract.TessMonitorSetDeadlineMSecs(monitor, DEADLINE_MS)
        cancel = CancelFunction(lambda _, __: abandoned())
        tesseract.TessMonitorSetCancelFunc(monitor, cancel)
        try:
            if tesseract.TessBaseAPIRecognize(self.api, monitor) != 0:
                raise nobody_waits() if abandoned() else takes_too_long()
        finally:
            tesseract.TessMonitorDelete(monitor)

    def text(self) -> str:
        pointer = tesseract.TessBaseAPIGetUTF8Text(self.api)
        try:
            return ctypes.string_at(pointer).decode(errors="replace").strip()
        finally:
            tesseract.TessDeleteText(pointer)


def nobody_waits() -> Refusal:
    return Refusal("499 Client Closed Request", "Nobody waits for this picture any more.")


def takes_too_long() -> Refusal:
    return Refusal("422 Unprocessable Content", "This picture takes too long to read. Send a smaller part of it.")
