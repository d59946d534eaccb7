"""dufs, a file server in Rust."""

from processes import find, output
from servers.server import PASSWORD, USER, DavPeer


class Dufs(DavPeer):
    name = "dufs"
    program = "dufs"

    @classmethod
    def version(cls):
        return output(find("dufs"), "--version").removeprefix("dufs ")

    def command(self):
        tls = ["--tls-cert", self.tls[0], "--tls-key", self.tls[1]] if self.tls else []
        return [find("dufs"), "-A", "-b", "127.0.0.1", "-p", str(self.port), "-a", f"{USER}:{PASSWORD}@/:rw",
                "--log-format", "", *tls, str(self.files)]
