"""`rclone serve webdav` and `rclone serve s3`, over the local backend, with their defaults."""

from processes import find, output
from servers.server import ACCESS_KEY, PASSWORD, SECRET_KEY, USER, DavPeer, S3Peer

# No configuration of whoever runs this.
COMMON = ["--config", "", "--log-level", "ERROR"]


def version():
    return output(find("rclone"), "version", *COMMON).splitlines()[0].removeprefix("rclone v")


def tls(server):
    return ["--cert", server.tls[0], "--key", server.tls[1]] if server.tls else []


class RcloneWebdav(DavPeer):
    name = "rclone webdav"
    program = "rclone"

    @classmethod
    def version(cls):
        return version()

    def command(self):
        return [find("rclone"), "serve", "webdav", *COMMON, "--addr", f"127.0.0.1:{self.port}", "--user", USER,
                "--pass", PASSWORD, *tls(self), str(self.files)]


class RcloneS3(S3Peer):
    name = "rclone s3"
    program = "rclone"

    @classmethod
    def missing(cls):
        if not find("rclone"):
            return "not found"
        # Older ones print the help of `serve`.
        known = "--auth-key" in output(find("rclone"), "serve", "s3", "--help")
        return None if known else f"not found: rclone {version()} has no `serve s3`"

    @classmethod
    def version(cls):
        return version()

    def command(self):
        return [find("rclone"), "serve", "s3", *COMMON, "--addr", f"127.0.0.1:{self.port}",
                "--auth-key", f"{ACCESS_KEY},{SECRET_KEY}", *tls(self), str(self.root)]
