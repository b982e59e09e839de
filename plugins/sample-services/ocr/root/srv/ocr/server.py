"""Answers POST /ocr, which lighttpd hands on by SCGI. As many pictures are read at once as there are processors."""

import json
import os
import socket
import sys
import threading
import time

from client import Client
from picture import Refusal
from reader import Reader

SOCKET = "/run/ocr.sock"
READY = "/run/ocr-ready"
WAITING_REQUESTS = 64
TIMEOUT_SECONDS = 30
WWW_DATA = 33


def main() -> None:
    for leftover in (SOCKET, READY):
        if os.path.exists(leftover):
            os.unlink(leftover)
    readers = [Reader() for _ in range(os.cpu_count() or 1)]
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(SOCKET)
    os.chmod(SOCKET, 0o666)
    listener.listen(WAITING_REQUESTS)
    with open(READY, "w") as ready:
        ready.write("ok")
    # Pictures come from strangers: decode them without any rights.
    os.setgroups([])
    os.setgid(WWW_DATA)
    os.setuid(WWW_DATA)
    threads = [threading.Thread(target=serve, args=(listener, reader)) for reader in readers]
    for thread in threads:
        thread.start()
    print(f"ocr: {len(threads)} reader(s) loaded", flush=True)


def serve(listener: socket.socket, reader: Reader) -> None:
    while True:
        connection, _ = listener.accept()
        with connection:
            connection.settimeout(TIMEOUT_SECONDS)
            try:
                connection.sendall(answer(connection.makefile("rb"), reader))
            except Exception as error:  # one bad request must not end a reader
                print(f"ocr: a request was lost: {error}", file=sys.stderr)


def answer(stream, reader: Reader) -> bytes:
    method, client, data = read_request(stream)
    started = time.monotonic()
    try:
        if method != "POST":
            raise Refusal("405 Method Not Allowed", "Send a picture by POST.")
        text = reader.read(data, client.has_left)
        milliseconds = round((time.monotonic() - started) * 1000)
        print(f"ocr: {len(data)} bytes, {len(text)} characters, {milliseconds} ms")
        return response("200 OK", {"text": text, "ms": milliseconds})
    except Refusal as refusal:
        print(f"ocr: {len(data)} bytes refused: {refusal.status}")
        return response(refusal.status, {"error": str(refusal)})


def read_request(stream) -> tuple[str, Client, bytes]:
    """Method, sender and body of an SCGI request: a netstring of NUL-separated names and values, then the body."""
    length = b""
    while (digit := stream.read(1)) != b":":
        if not digit.isdigit() or len(length) > 6:
            raise ValueError("not an SCGI request")
        length += digit
    fields = stream.read(int(length)).split(b"\0")
    stream.read(1)
    headers = dict(zip(fields[0::2], fields[1::2]))
    client = Client(int(headers[b"REMOTE_PORT"]))
    return headers[b"REQUEST_METHOD"].decode(), client, stream.read(int(headers[b"CONTENT_LENGTH"]))


def response(status: str, content: dict) -> bytes:
    body = json.dumps(content, ensure_ascii=False).encode()
    head = f"Status: {status}\r\nContent-Type: application/json\r\nCache-Control: no-store\r\nContent-Length: {len(body)}\r\n"
    if status.startswith("405"):
        head += "Allow: POST\r\n"
    return head.encode() + b"\r\n" + body


main()
