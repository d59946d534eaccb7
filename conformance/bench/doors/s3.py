"""S3, path style, signed with V4 in headers.

A tree is a key prefix here: there are no folders, and a rename is a copy and a delete of every object.
"""

import re

from doors import sign
from doors.door import LIMIT_S, Absent, Door
from load.ask import Times
from request import Failed, Request

KEY = re.compile(rb"<Key>")
TOKEN = re.compile(rb"<NextContinuationToken>([^<]*)</NextContinuationToken>")


class S3(Door):
    protocol = "S3"

    def __init__(self, port, bucket, prefix, access_key, secret):
        super().__init__(port)
        self.bucket, self.prefix = bucket, prefix
        self.signer = sign.Signer(access_key, secret)

    def path(self, path):
        return f"/{self.bucket}/{self.prefix}{path}"

    def signed(self, method, path, query=(), payload=sign.EMPTY, extra=(), **more):
        """A signed request; `path` begins with the bucket."""
        query = sign.query_text(query)
        headers = self.signer.headers(method, path, query, self.host, payload, extra)
        return Request(method, f"{path}?{query}" if query else path, headers, **more)

    def get(self, path):
        return self.signed("GET", self.path(path))

    def get_presigned(self, path):
        target = self.signer.presigned("GET", self.path(path), self.host)
        return Request("GET", target, (("Host", self.host),))

    def get_range(self, path, first, last):
        request = self.signed("GET", self.path(path))
        # Unsigned, as most SDKs leave it.
        headers = (*request.headers, ("Range", f"bytes={first}-{last}"))
        return Request("GET", request.target, headers, expected=(206,))

    def put(self, path, size, payload=sign.UNSIGNED):
        return self.signed("PUT", self.path(path), payload=payload, size=size)

    def mkdir(self, path):
        """An empty object: there is no folder to make."""
        return self.signed("PUT", self.path(path))

    def stat(self, path):
        """GET of an empty object; the load generator cannot do HEAD."""
        return self.get(path)

    def _page(self, folder, token=""):
        query = [("list-type", "2"), ("max-keys", "1000"), ("prefix", f"{self.prefix}{folder}/")]
        if token:
            query.append(("continuation-token", token))
        return self.signed("GET", f"/{self.bucket}", query)

    def list(self, folder):
        return self._page(folder)

    def list_all(self, folder, caller):
        """All pages; without a delimiter, as `aws s3 ls --recursive` and `sync` do."""
        count, first_ms, total_ms, token = 0, None, 0.0, ""
        while True:
            answer = caller.send(self._page(folder, token))
            first_ms = answer.times.first_ms if first_ms is None else first_ms
            total_ms += answer.times.total_ms
            count += len(KEY.findall(answer.body))
            found = TOKEN.search(answer.body)
            if not found:
                return count, Times(first_ms, total_ms)
            if total_ms > LIMIT_S * 1e3:
                raise Failed(f"{count:,} entries after {LIMIT_S} s")
            token = found.group(1).decode().replace("&amp;", "&").replace("&#43;", "+").replace("&#x2F;", "/")

    def copy(self, path, new_path):
        """One object; the first half of what clients do to rename it."""
        return self.signed("PUT", self.path(new_path), extra=(("x-amz-copy-source", self.path(path)),))

    def rename(self, path, new_path):
        raise Absent("no rename operation")

    def delete(self, path):
        """One object."""
        return self.signed("DELETE", self.path(path), expected=(200, 204))
