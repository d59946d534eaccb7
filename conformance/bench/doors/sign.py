"""AWS Signature Version 4: headers, presigned URLs, and the chunks of a signed stream."""

import datetime
import hashlib
import hmac
import urllib.parse

ALGORITHM = "AWS4-HMAC-SHA256"
REGION = "us-east-1"
EMPTY = hashlib.sha256(b"").hexdigest()
UNSIGNED = "UNSIGNED-PAYLOAD"


def _quoted(text):
    return urllib.parse.quote(str(text), safe="-_.~")


def query_text(pairs):
    return "&".join(f"{_quoted(name)}={_quoted(value)}" for name, value in sorted(pairs))


class Signer:
    def __init__(self, access_key, secret):
        self.access_key, self.secret = access_key, secret
        self._day, self._key = None, None

    def now(self):
        return datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")

    def scope(self, stamp):
        return f"{stamp[:8]}/{REGION}/s3/aws4_request"

    def key(self, stamp):
        day = stamp[:8]
        if day != self._day:
            key = ("AWS4" + self.secret).encode()
            for part in (day, REGION, "s3", "aws4_request"):
                key = hmac.digest(key, part.encode(), "sha256")
            self._day, self._key = day, key
        return self._key

    def _signature(self, stamp, canonical):
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        text = f"{ALGORITHM}\n{stamp}\n{self.scope(stamp)}\n{digest}"
        return hmac.digest(self.key(stamp), text.encode(), "sha256").hex()

    def headers(self, method, path, query, host, payload=EMPTY, extra=(), stamp=None):
        """All headers of a request, signed; `query` is what `query_text` made."""
        stamp = stamp or self.now()
        signed = sorted([("host", host), ("x-amz-content-sha256", payload), ("x-amz-date", stamp), *extra])
        names = ";".join(name for name, _ in signed)
        lines = "".join(f"{name}:{value}\n" for name, value in signed)
        signature = self._signature(stamp, f"{method}\n{path}\n{query}\n{lines}\n{names}\n{payload}")
        credential = f"{self.access_key}/{self.scope(stamp)}"
        authorization = f"{ALGORITHM} Credential={credential}, SignedHeaders={names}, Signature={signature}"
        return (*signed, ("authorization", authorization))

    def presigned(self, method, path, host, seconds=7200):
        """The target of a request that carries its signature in the query."""
        stamp = self.now()
        query = query_text([
            ("X-Amz-Algorithm", ALGORITHM),
            ("X-Amz-Credential", f"{self.access_key}/{self.scope(stamp)}"),
            ("X-Amz-Date", stamp),
            ("X-Amz-Expires", seconds),
            ("X-Amz-SignedHeaders", "host"),
        ])
        signature = self._signature(stamp, f"{method}\n{path}\n{query}\nhost:{host}\n\nhost\n{UNSIGNED}")
        return f"{path}?{query}&X-Amz-Signature={signature}"

    def chunk(self, stamp, previous, digest):
        """The signature of a chunk, from the one before it and the SHA-256 of its bytes."""
        text = f"{ALGORITHM}-PAYLOAD\n{stamp}\n{self.scope(stamp)}\n{previous}\n{EMPTY}\n{digest}"
        return hmac.digest(self.key(stamp), text.encode(), "sha256").hex()
