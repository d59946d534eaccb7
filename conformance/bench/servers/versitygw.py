"""Versity S3 Gateway over its posix backend."""

from processes import find, output
from servers.server import ACCESS_KEY, SECRET_KEY, S3Peer


class Versitygw(S3Peer):
    name = "versitygw"
    program = "versitygw"

    @classmethod
    def version(cls):
        found = [line.partition(":")[2].strip() for line in output(find("versitygw"), "--version").splitlines()]
        if found and found[0] not in ("", "git"):
            return found[0]
        # Built by `go install`, it does not know; the toolchain does.
        for line in output("go", "version", "-m", find("versitygw")).splitlines():
            if line.split()[:1] == ["mod"]:
                return line.split()[2].removeprefix("v")
        return "unknown version"

    def command(self):
        # Without --keep-alive it closes every connection after one answer.
        tls = ["--cert", self.tls[0], "--key", self.tls[1]] if self.tls else []
        return [find("versitygw"), "--port", f"127.0.0.1:{self.port}", "--access", ACCESS_KEY, "--secret", SECRET_KEY,
                "--keep-alive", "--quiet", *tls, "posix", str(self.root)]
