"""s3s-fs, the example server of the s3s library."""

from processes import find, output
from request import Failed
from servers.server import ACCESS_KEY, SECRET_KEY, S3Peer


class S3sFs(S3Peer):
    name = "s3s-fs"
    program = "s3s-fs"

    @classmethod
    def version(cls):
        return output(find("s3s-fs"), "--version").removeprefix("s3s-fs ")

    def command(self):
        if self.tls:
            raise Failed("has no TLS")
        return [find("s3s-fs"), "--host", "127.0.0.1", "--port", str(self.port), "--access-key", ACCESS_KEY,
                "--secret-key", SECRET_KEY, str(self.root)]

    def environment(self):
        return {"RUST_LOG": "error"}
