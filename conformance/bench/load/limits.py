"""Servers that do next to nothing, to see what the client of a large body reaches by itself."""

import os
import socket
import threading

READ = 1 << 20


class Endless:
    """Answers every GET with the file, by sendfile."""

    def __init__(self, path, size):
        self.path, self.size = path, size
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection):
        with connection, open(self.path, "rb") as file:
            head = connection.recv(65536).decode().lower()
            first, last, status = 0, self.size - 1, "200 OK"
            for line in head.splitlines():
                if line.startswith("range: bytes="):
                    first, last = map(int, line.partition("=")[2].split("-"))
                    status = "206 Partial Content"
            length = last - first + 1
            connection.sendall(f"HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n".encode())
            offset = first
            while offset <= last:
                offset += os.sendfile(connection.fileno(), file.fileno(), offset, last + 1 - offset)

    def close(self):
        self.listener.close()


class Sink:
    """Takes a body of a known length and throws it away, without even copying it."""

    def __init__(self, size):
        self.size = size
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        buffer = bytearray(READ)
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection:
                head = b""
                while b"\r\n\r\n" not in head:
                    head += connection.recv(4096)
                left = self.size - len(head.partition(b"\r\n\r\n")[2])
                while left > 0:
                    # On TCP this discards what has come instead of copying it.
                    came = connection.recv_into(buffer, min(left, READ), socket.MSG_TRUNC)
                    if not came:
                        break
                    left -= came
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    def close(self):
        self.listener.close()
