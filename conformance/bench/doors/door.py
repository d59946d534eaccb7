"""What the doors have in common."""

import base64
import urllib.parse

# A server that walks the whole folder for every page of it takes minutes: it is stopped then.
LIMIT_S = 20


class Absent(Exception):
    """The protocol has no such operation; the text is for the table."""


class Door:
    protocol = ""

    def __init__(self, port):
        self.port = port
        self.host = f"127.0.0.1:{port}"

    def get(self, path):
        """The whole content of a file."""
        raise Absent("no content in this protocol")

    def get_range(self, path, first, last):
        raise Absent("no ranges in this protocol")

    def put(self, path, size):
        """A new file, whose content the load generator adds."""
        raise Absent("no upload in this protocol")

    def mkdir(self, path):
        raise Absent("no folders in this protocol")

    def stat(self, path):
        raise Absent("no stat in this protocol")

    def list(self, folder):
        """A small folder, in one request."""
        raise Absent("no listing in this protocol")

    def list_all(self, folder, caller):
        """Lists a folder of any size as clients do; answers how many entries came, and `Times`."""
        raise Absent("no listing in this protocol")

    def rename(self, path, new_path):
        """Requests that rename a folder; more than one where the protocol needs more."""
        raise Absent("no rename operation")

    def delete(self, path):
        """A folder with everything in it."""
        raise Absent("no folders in this protocol")


def basic(user, password):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def encoded(text):
    return urllib.parse.quote(text, safe="")


def form(boundary, fields, file_field, name):
    """What comes before and after the content of a file in a multipart form."""
    parts = "".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n' for key, value in fields
    )
    parts += (
        f'--{boundary}\r\nContent-Disposition: form-data; name="{file_field}"; filename="{name}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    )
    return parts.encode(), f"\r\n--{boundary}--\r\n".encode()
