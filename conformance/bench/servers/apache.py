"""Apache with mod_dav_fs and the event MPM."""

import base64
import hashlib
import os
import pathlib

from processes import find, output
from servers.server import PASSWORD, USER, DavPeer

MODULES = "mpm_event authn_core authn_file authz_core authz_user auth_basic dav dav_fs mime unixd".split()
FOLDERS = ["/usr/lib/apache2/modules", "/usr/lib64/httpd/modules", "/usr/lib/httpd/modules"]


def program():
    return find("apache2") or find("httpd")


def modules():
    return next((path for path in FOLDERS if pathlib.Path(path, "mod_dav_fs.so").exists()), None)


class Apache(DavPeer):
    name = "Apache mod_dav"

    @classmethod
    def missing(cls):
        return None if program() and modules() else "not found"

    @classmethod
    def version(cls):
        return output(program(), "-v").partition("/")[2].split()[0]

    @classmethod
    def binaries(cls):
        return [program(), *(path for path in map(cls.module, MODULES) if path)]

    @staticmethod
    def module(name):
        path = pathlib.Path(modules(), f"mod_{name}.so")
        # Some builds have it inside.
        return str(path) if path.exists() else None

    def command(self):
        # For a file of passwords SHA-1 is Apache's cheapest form; bcrypt would measure bcrypt.
        digest = base64.b64encode(hashlib.sha1(PASSWORD.encode()).digest()).decode()
        passwords = self.own("passwords")
        passwords.write_text(f"{USER}:{{SHA}}{digest}\n")
        locks = self.own("locks")
        locks.mkdir(exist_ok=True)
        # It gives root up for a user of its own, who must be able to write.
        locks.chmod(0o777)
        user = "User www-data\nGroup www-data" if os.geteuid() == 0 else ""
        names = MODULES + (["ssl", "socache_shmcb"] if self.tls else [])
        loads = "\n".join(f"LoadModule {name}_module {path}" for name in names if (path := self.module(name)))
        tls = ""
        if self.tls:
            tls = f"SSLEngine on\nSSLCertificateFile {self.tls[0]}\nSSLCertificateKeyFile {self.tls[1]}"
        types = "/etc/mime.types" if pathlib.Path("/etc/mime.types").exists() else "/dev/null"
        # With its defaults it closes connections when all threads of a process are busy, or when it ends a
        # process between two loads; each would be an error to a client that keeps its connections.
        configuration = self.own("conf")
        configuration.write_text(f"""
ServerRoot {self.work}
{loads}
{user}
ServerName localhost
Listen 127.0.0.1:{self.port}
PidFile {self.own("pid")}
ErrorLog {self.own("err")}
TypesConfig {types}
KeepAlive On
KeepAliveTimeout 300
MaxKeepAliveRequests 0
StartServers 2
ServerLimit 8
ThreadLimit 256
ThreadsPerChild 256
MaxRequestWorkers 2048
MaxSpareThreads 2048
LimitRequestBody 0
DocumentRoot {self.files}
DavLockDB {locks}/db
{tls}
<Directory {self.files}>
  Dav On
  AuthType Basic
  AuthName bench
  AuthUserFile {passwords}
  Require valid-user
</Directory>
""")
        return [program(), "-f", str(configuration), "-DFOREGROUND"]
