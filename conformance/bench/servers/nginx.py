"""nginx with its dav module, and with dav-ext for PROPFIND where that is installed."""

import os
import pathlib

from processes import find, output
from servers.server import PASSWORD, USER, DavPeer

# Where distributions keep dynamic modules.
DAV_EXT = [
    "/usr/lib/nginx/modules/ngx_http_dav_ext_module.so",
    "/usr/lib64/nginx/modules/ngx_http_dav_ext_module.so",
    "/usr/share/nginx/modules/ngx_http_dav_ext_module.so",
]


def dav_ext():
    return next((path for path in DAV_EXT if pathlib.Path(path).exists()), None)


class Nginx(DavPeer):
    name = "nginx"
    program = "nginx"
    open_path = "/open/"
    """Answers 1 KiB from memory to anybody: what the load generator itself can do."""

    @classmethod
    def version(cls):
        text = output(find("nginx"), "-v").partition("/")[2]
        return f"{text} with dav-ext" if dav_ext() else f"{text}, no dav-ext: no PROPFIND"

    @classmethod
    def binaries(cls):
        return [find("nginx"), dav_ext()]

    def command(self):
        temporary = self.own("tmp")
        temporary.mkdir(exist_ok=True)
        passwords = self.own("passwords")
        passwords.write_text(f"{USER}:{{PLAIN}}{PASSWORD}\n")
        certificate, key = self.tls or ("", "")
        tls = ""
        if self.tls:
            tls = f"ssl_protocols TLSv1.2 TLSv1.3; ssl_certificate {certificate}; ssl_certificate_key {key};"
        load = f"load_module {dav_ext()};" if dav_ext() else ""
        methods = "dav_ext_methods PROPFIND OPTIONS;" if dav_ext() else ""
        configuration = self.own("conf")
        configuration.write_text(f"""
{load}
{"user root;" if os.geteuid() == 0 else ""}
worker_processes auto; worker_rlimit_nofile 65536; daemon off;
pid {self.own("pid")}; error_log {self.own("err")};
events {{ worker_connections 4096; }}
http {{
  access_log off; sendfile on; tcp_nopush on; tcp_nodelay on;
  client_max_body_size 0; keepalive_requests 100000000; keepalive_timeout 300s;
  client_body_temp_path {temporary}/body; proxy_temp_path {temporary}/proxy;
  fastcgi_temp_path {temporary}/fastcgi; uwsgi_temp_path {temporary}/uwsgi; scgi_temp_path {temporary}/scgi;
  server {{
    listen 127.0.0.1:{self.port}{" ssl" if self.tls else ""}; root {self.files}; {tls}
    location {self.open_path} {{ return 200 "{'x' * 1024}"; }}
    location / {{
      auth_basic bench; auth_basic_user_file {passwords};
      dav_methods PUT DELETE MKCOL COPY MOVE; {methods} create_full_put_path on;
    }}
  }}
}}
""")
        return [find("nginx"), "-p", str(self.work), "-c", str(configuration)]
