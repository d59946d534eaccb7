#!/usr/bin/env python3
"""cellgate beside its peers, in one run. See README.md in this folder."""

import argparse, base64, datetime, hashlib, hmac, http.client, json, os, pathlib, re, shutil, signal
import socket, subprocess, sys, tempfile, threading, time, urllib.parse

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PASSWORD = "bench-password"
BASIC = "Basic " + base64.b64encode(f"admin:{PASSWORD}".encode()).decode()
ROWS = []


def row(what, value, budget=""):
    ROWS.append((what, value, budget))
    print(f"{what:<58} {value:>16}   {budget}", flush=True)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(port, seconds=20):
    end = time.time() + seconds
    while time.time() < end:
        try:
            socket.create_connection(("127.0.0.1", port), 0.2).close()
            return
        except OSError:
            time.sleep(0.005)
    raise SystemExit(f"nothing listens on {port}")


def rss_kb(pid, field="VmRSS"):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(rf"{field}:\s+(\d+)", text).group(1))


def ask(port, method, path, body=None, **headers):
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    c.request(method, path, body, {k.replace("_", "-"): v for k, v in headers.items()})
    r = c.getresponse()
    data = r.read()
    c.close()
    return r.status, dict(r.getheaders()), data


def presign(port, key, secret, path, seconds=3600):
    now = datetime.datetime.now(datetime.timezone.utc)
    day, stamp = now.strftime("%Y%m%d"), now.strftime("%Y%m%dT%H%M%SZ")
    scope = f"{day}/us-east-1/s3/aws4_request"
    query = "&".join(f"{k}={urllib.parse.quote(v, safe='')}" for k, v in sorted({
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256", "X-Amz-Credential": f"{key}/{scope}",
        "X-Amz-Date": stamp, "X-Amz-Expires": str(seconds), "X-Amz-SignedHeaders": "host"}.items()))
    canonical = f"GET\n{path}\n{query}\nhost:127.0.0.1:{port}\n\nhost\nUNSIGNED-PAYLOAD"
    to_sign = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    k = ("AWS4" + secret).encode()
    for part in (day, "us-east-1", "s3", "aws4_request"):
        k = hmac.new(k, part.encode(), hashlib.sha256).digest()
    return f"{path}?{query}&X-Amz-Signature={hmac.new(k, to_sign.encode(), hashlib.sha256).hexdigest()}"


def wrk(port, path, headers=(), connections=16, seconds=4, lua=None):
    """Requests per second; a run with answers that are not 2xx says so."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s"]
    for name, value in headers:
        command += ["-H", f"{name}: {value}"]
    if lua:
        script = tempfile.NamedTemporaryFile("w", suffix=".lua", delete=False)
        script.write(lua)
        script.close()
        command += ["-s", script.name]
    out = subprocess.run(command + [f"http://127.0.0.1:{port}{path}"], capture_output=True, text=True).stdout
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1))
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", out)
    return rate, int(bad.group(1)) if bad else 0


def rate_text(result):
    rate, bad = result
    return f"{rate:,.0f}/s" + (f" ({bad} bad)" if bad else "")


def put_lua(prefix, method="PUT", suffix="", headers=None, multipart=None):
    """Writes a fresh 4 KiB leaf per request."""
    lines = ["local n = 0", "local body = string.rep('x', 4096)"]
    lines.append(f"wrk.method = '{method}'")
    for name, value in (headers or {}).items():
        lines.append(f"wrk.headers['{name}'] = '{value}'")
    if multipart:
        fields, file_field = multipart
        lines.append("wrk.headers['Content-Type'] = 'multipart/form-data; boundary=bb'")
        head = "".join(
            f"--bb\\r\\nContent-Disposition: form-data; name=\"{k}\"\\r\\n\\r\\n{v}\\r\\n" for k, v in fields.items())
        lines.append("function request() n = n + 1")
        lines.append(f"  local form = '{head}--bb\\r\\nContent-Disposition: form-data; name=\"{file_field}\"; "
                     "filename=\"w' .. n .. '.bin\"\\r\\nContent-Type: application/octet-stream\\r\\n\\r\\n' .. body .. '\\r\\n--bb--\\r\\n'")
        lines.append(f"  return wrk.format('POST', '{prefix}', nil, form) end")
    else:
        lines.append("wrk.body = body")
        lines.append(f"function request() n = n + 1 return wrk.format(nil, '{prefix}' .. n .. '{suffix}') end")
    return "\n".join(lines)


def fdatasync_rate(folder):
    path = folder / "fdatasync"
    fd, n, block = os.open(path, os.O_CREAT | os.O_WRONLY), 0, b"x" * 4096
    end = time.time() + 2
    while time.time() < end:
        os.write(fd, block)
        os.fdatasync(fd)
        n += 1
    os.close(fd)
    path.unlink()
    return n / 2


def curl_rate(size, *arguments):
    began = time.time()
    out = subprocess.run(["curl", "-s", "-S", "-o", "/dev/null", "-w", "%{http_code}", *arguments],
                         capture_output=True, text=True)
    return f"{size / (time.time() - began) / 1e6:,.0f} MB/s" + ("" if out.stdout[:1] == "2" else f" ({out.stdout}{out.stderr[:60]})")


def streamed(port, method, path, headers, body=None):
    """Time to the first byte of the body, to the last, and its size."""
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=300)
    began = time.time()
    c.request(method, path, body, headers)
    r = c.getresponse()
    first, size = None, 0
    while True:
        data = r.read1(1 << 20)
        if not data:
            break
        first = first or time.time() - began
        size += len(data)
    c.close()
    return r.status, (first or 0) * 1e3, (time.time() - began) * 1e3, size


class Cellgate:
    def __init__(self, binary, work):
        self.data, self.port = work / "cellgate", free_port()
        self.env = dict(os.environ, CELLGATE_LISTEN=f"127.0.0.1:{self.port}", CELLGATE_DATA=str(self.data),
                        CELLGATE_ADMIN_PASSWORD=PASSWORD, CELLGATE_LOG="warn")
        self.binary = binary
        self.start(first=True)

    def start(self, first=False):
        began = time.time()
        self.process = subprocess.Popen([self.binary, "serve"], env=self.env, stdout=subprocess.PIPE, text=True)
        while True:
            try:
                if ask(self.port, "GET", "/")[0] == 200:
                    break
            except OSError:
                time.sleep(0.001)
        self.first_answer_ms = (time.time() - began) * 1e3
        self.start_rss = rss_kb(self.process.pid)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(40)

    def command(self, *arguments):
        return subprocess.run([self.binary, *arguments], env=self.env, check=True, capture_output=True, text=True).stdout


def nginx(work, port):
    (work / "nginx-tmp").mkdir()
    (work / "htpasswd").write_text(f"admin:{{PLAIN}}{PASSWORD}\n")
    conf = work / "nginx.conf"
    conf.write_text(f"""
worker_processes 2; daemon off; pid {work}/nginx.pid; error_log {work}/nginx.err; user root;
events {{ worker_connections 1024; }}
http {{ access_log off; sendfile on; tcp_nodelay on; client_max_body_size 0; keepalive_requests 10000000;
  client_body_temp_path {work}/nginx-tmp;
  server {{ listen 127.0.0.1:{port}; root {work}/files;
    location / {{ auth_basic x; auth_basic_user_file {work}/htpasswd; dav_methods PUT DELETE MKCOL COPY MOVE; create_full_put_path on; }} }} }}
""")
    process = subprocess.Popen(["nginx", "-p", str(work), "-c", str(conf)], stderr=subprocess.DEVNULL)
    wait_for(port)
    return process


def apache(work, port):
    modules = "/usr/lib/apache2/modules"
    digest = base64.b64encode(hashlib.sha1(PASSWORD.encode()).digest()).decode()
    (work / "apache-passwd").write_text(f"admin:{{SHA}}{digest}\n")
    loads = "\n".join(f"LoadModule {m}_module {modules}/mod_{m}.so" for m in
                      "mpm_event authn_core authn_file authz_core authz_user auth_basic dav dav_fs mime".split())
    conf = work / "apache.conf"
    conf.write_text(f"""
ServerRoot {work}
{loads}
ServerName localhost
Listen 127.0.0.1:{port}
PidFile {work}/apache.pid
ErrorLog {work}/apache.err
TypesConfig /etc/mime.types
User www-data
Group www-data
KeepAlive On
MaxKeepAliveRequests 0
DocumentRoot {work}/files
DavLockDB {work}/davlock/db
<Directory {work}/files>
  Dav On
  AuthType Basic
  AuthName x
  AuthUserFile {work}/apache-passwd
  Require valid-user
</Directory>
""")
    (work / "davlock").mkdir()
    for folder in (work, work / "davlock", work / "files"):
        os.chmod(folder, 0o777)
    process = subprocess.Popen(["apache2", "-f", str(conf), "-DFOREGROUND"], stderr=subprocess.DEVNULL)
    wait_for(port)
    return process


def dufs(work, port):
    process = subprocess.Popen(["dufs", "-A", "-b", "127.0.0.1", "-p", str(port), "-a", f"admin:{PASSWORD}@/:rw",
                                "--log-format", "", str(work / "files")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for(port)
    return process


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gateway", default=str(ROOT / "target/release/cellgate"))
    parser.add_argument("--entries", type=int, default=100_000)
    parser.add_argument("--gib", type=float, default=1.0, help="size of the large file")
    parser.add_argument("--seconds", type=int, default=4)
    options = parser.parse_args()
    if not pathlib.Path(options.gateway).exists():
        raise SystemExit("build first: cargo build --release --ignore-rust-version -p cellgate")
    scratch = ROOT / "target" / "bench"
    scratch.mkdir(parents=True, exist_ok=True)
    work = pathlib.Path(tempfile.mkdtemp(dir=scratch))
    running = []
    try:
        measure(options, work, running)
    finally:
        for process in running:
            process.terminate()
        for process in running:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
        shutil.rmtree(work, ignore_errors=True)


def measure(options, work, running):
    files = work / "files"
    many = files / "many"
    many.mkdir(parents=True)
    for n in range(options.entries):
        (many / f"file-{n:06}.txt").write_bytes(b"0123456789")
    (files / "small.bin").write_bytes(b"x" * 1024)
    (files / "puts").mkdir()
    os.chmod(files / "puts", 0o777)
    large = work / "large.bin"
    size = int(options.gib * (1 << 30))
    with open(large, "wb") as f:
        block = os.urandom(1 << 20)
        for _ in range(size >> 20):
            f.write(block)

    cg = Cellgate(options.gateway, work)
    running.append(cg.process)
    row("cellgate: first start to first answer", f"{cg.first_answer_ms:.0f} ms")
    cg.stop()
    cg.start()
    running.append(cg.process)
    row("cellgate: start to first answer", f"{cg.first_answer_ms:.0f} ms", "<= 50 ms")
    row("cellgate: RSS at start", f"{cg.start_rss / 1024:.1f} MB", "<= 24 MB")

    key = dict(line.split() for line in cg.command("key", "create", "admin").strip().splitlines())
    began = time.time()
    cg.command("datasource", "add", "bench", "--structured", "--path", str(files))
    row(f"cellgate: adopt a folder of {options.entries:,} files", f"{time.time() - began:.1f} s")
    cg.command("workspace", "create", "bench", "--datasource", "bench", "--rights", "rw", "--no-recycle")
    time.sleep(1)

    peers = [("nginx", nginx), ("Apache mod_dav", apache)]
    if shutil.which("dufs"):
        peers.append(("dufs", dufs))
    ports = {}
    for name, start in peers:
        ports[name] = free_port()
        running.append(start(work, ports[name]))

    p, auth = cg.port, [("Authorization", BASIC)]
    basic = {"Authorization": BASIC}
    assert ask(p, "PUT", "/dav/personal-files/small.bin", b"x" * 1024, **basic)[0] == 201
    session = json.loads(ask(p, "POST", "/a/frontend/session", json.dumps(
        {"AuthInfo": {"type": "credentials", "login": "admin", "password": PASSWORD}}), Content_Type="application/json")[2])
    jwt = session.get("JWT") or session["Token"]["AccessToken"]
    seafile = json.loads(ask(p, "POST", "/api2/auth-token/", f"username=admin&password={PASSWORD}",
                             Content_Type="application/x-www-form-urlencoded")[2])["token"]
    token = {"Authorization": f"Token {seafile}"}
    library = next(r["id"] for r in json.loads(ask(p, "GET", "/api2/repos/", **token)[2]) if r["name"] == "Personal Files")
    download = urllib.parse.urlsplit(json.loads(ask(p, "GET", f"/api2/repos/{library}/file/?p=/small.bin&reuse=1", **token)[2])).path
    upload = urllib.parse.urlsplit(json.loads(ask(p, "GET", f"/api2/repos/{library}/upload-link/?p=/", **token)[2])).path
    signed = presign(p, key["id"], key["secret"], "/io/personal-files/small.bin")

    print("\nGET 1 KiB, authenticated, 16 connections")
    s = options.seconds
    row("  S3 (V4 presigned)", rate_text(wrk(p, signed, seconds=s)), ">= 60,000/s")
    row("  WebDAV (Basic)", rate_text(wrk(p, "/dav/personal-files/small.bin", auth, seconds=s)), ">= 60,000/s")
    row("  Pydio 8 get_content (Basic)", rate_text(wrk(p, "/api/my-files/get_content/small.bin", auth, seconds=s)), ">= 60,000/s")
    row("  Seafile download link", rate_text(wrk(p, download, seconds=s)), ">= 60,000/s")
    row("  Cells stat (Bearer; no content in this protocol)", rate_text(
        wrk(p, "/a/tree/stat/personal-files/small.bin", [("Authorization", f"Bearer {jwt}")], seconds=s)))
    for name, port in ports.items():
        row(f"  {name} (Basic)", rate_text(wrk(port, "/small.bin", auth, seconds=s)))

    sync = fdatasync_rate(work)
    print(f"\nPUT 4 KiB, durable")
    row("  one writer, fdatasync", f"{sync:,.0f}/s")
    for connections in (16, 64):
        budget = f">= {10 * sync:,.0f}/s" if connections == 64 else ""
        bearer = {"Authorization": f"Bearer {key['id']}:{key['secret']}"}
        row(f"  S3 (Bearer), {connections} connections", rate_text(wrk(p, "/", connections=connections, seconds=s,
            lua=put_lua(f"/io/personal-files/s3-{connections}-", headers=bearer))), budget)
        row(f"  WebDAV, {connections} connections", rate_text(wrk(p, "/", auth, connections, s,
            put_lua(f"/dav/personal-files/dav-{connections}-"))), budget)
        ask(p, "MKCOL", f"/dav/personal-files/pydio{connections}", **basic)
        row(f"  Pydio 8 upload, {connections} connections", rate_text(wrk(p, "/", auth, connections, s,
            put_lua(f"/api/my-files/upload/pydio{connections}", multipart=({"auto_rename": "false"}, "userfile_0")))), budget)
        ask(p, "MKCOL", f"/dav/personal-files/sea{connections}", **basic)
        row(f"  Seafile upload link, {connections} connections", rate_text(wrk(p, "/", (), connections, s,
            put_lua(upload, multipart=({"parent_dir": f"/sea{connections}", "replace": "1"}, "file")))), budget)
        for name, port in ports.items():
            row(f"  {name} (not synced), {connections} connections",
                rate_text(wrk(port, "/", auth, connections, s, put_lua(f"/puts/{connections}-"))))
            time.sleep(0.5)  # what was under way when the load ended
            shutil.rmtree(files / "puts", ignore_errors=True)
            (files / "puts").mkdir(exist_ok=True)
            os.chmod(files / "puts", 0o777)

    print(f"\n{options.gib:g} GiB by one curl")
    row("  PUT cellgate WebDAV (MD5 ETag, fsync)", curl_rate(size, "-u", f"admin:{PASSWORD}", "-T", str(large), f"http://127.0.0.1:{p}/dav/personal-files/large.bin"), ">= 500 MB/s")
    for name, port in ports.items():
        row(f"  PUT {name}", curl_rate(size, "-u", f"admin:{PASSWORD}", "-T", str(large), f"http://127.0.0.1:{port}/puts/large.bin"))
    signed = presign(p, key["id"], key["secret"], "/io/personal-files/large.bin")
    row("  GET cellgate S3", curl_rate(size, f"http://127.0.0.1:{p}{signed}"), ">= 2,500 MB/s")
    row("  GET cellgate WebDAV", curl_rate(size, "-u", f"admin:{PASSWORD}", f"http://127.0.0.1:{p}/dav/personal-files/large.bin"), ">= 2,500 MB/s")
    shutil.copy(large, files / "large.bin")
    for name, port in ports.items():
        row(f"  GET {name}", curl_rate(size, "-u", f"admin:{PASSWORD}", f"http://127.0.0.1:{port}/large.bin"))

    print(f"\nListing {options.entries:,} entries")
    before = rss_kb(cg.process.pid, "VmRSS")
    allprop = b'<?xml version="1.0"?><propfind xmlns="DAV:"><allprop/></propfind>'
    four = b'<?xml version="1.0"?><propfind xmlns="DAV:"><prop><resourcetype/><getcontentlength/><getlastmodified/><getetag/></prop></propfind>'
    for label, body in (("allprop", allprop), ("four properties", four)):
        status, first, total, length = streamed(p, "PROPFIND", "/dav/bench/many/", {**basic, "Depth": "1"}, body)
        row(f"  cellgate PROPFIND {label}: first byte / all", f"{first:.1f} / {total:.0f} ms", "<= 5 / 400 ms")
        assert status == 207
    row("  cellgate RSS growth over it", f"{(rss_kb(cg.process.pid, 'VmRSS') - before) / 1024:.1f} MB", "<= 4 MB")
    for name, port in ports.items():
        if name == "nginx":
            continue  # its stock module has no PROPFIND
        status, first, total, _ = streamed(port, "PROPFIND", "/many/", {**basic, "Depth": "1"}, allprop)
        row(f"  {name} PROPFIND allprop: first byte / all", f"{first:.1f} / {total:.0f} ms" + ("" if status == 207 else f" ({status})"))
    bearer = {"Authorization": f"Bearer {key['id']}:{key['secret']}"}
    times = []
    for after in ("", f"bench/many/file-{options.entries // 2:06}.txt", f"bench/many/file-{options.entries - 1200:06}.txt"):
        query = f"list-type=2&max-keys=1000&prefix=bench/many/&start-after={urllib.parse.quote(after, safe='')}"
        best = min(streamed(p, "GET", f"/io?{query}", bearer)[2] for _ in range(5))
        times.append(best)
    row("  cellgate ListObjectsV2 page of 1,000: begin / middle / end", " / ".join(f"{t:.1f}" for t in times) + " ms", "<= 5 ms")

    print(f"\nRename a folder of {options.entries:,} files")
    for name, port, prefix in [("cellgate WebDAV MOVE", p, "/dav/bench")] + [(f"{n} MOVE", q, "") for n, q in ports.items() if n != "nginx"]:
        began = time.time()
        status = ask(port, "MOVE", f"{prefix}/many/", None, Destination=f"http://127.0.0.1:{port}{prefix}/moved/", **basic)[0]
        took = (time.time() - began) * 1e3
        row(f"  {name}", f"{took:.1f} ms" + ("" if status in (201, 204) else f" ({status})"), "<= 5 ms" if "cellgate" in name else "")
        if (files / "moved").exists():
            if name.startswith("cellgate"):
                ask(port, "MOVE", f"{prefix}/moved/", None, Destination=f"http://127.0.0.1:{port}{prefix}/many/", **basic)
            else:
                os.rename(files / "moved", files / "many")
    row("cellgate: RSS at the end", f"{rss_kb(cg.process.pid) / 1024:.1f} MB")


if __name__ == "__main__":
    main()
