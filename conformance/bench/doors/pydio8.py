"""Pydio 8's API v1, `/api/<workspace>/<action>`, with Basic authentication."""

import re

from doors.door import LIMIT_S, Door, basic, encoded, form
from load.ask import Times
from request import Failed, Request

NODE = re.compile(rb"<tree ")
PAGES = re.compile(rb'<pagination [^>]*\btotal="(\d+)"')
REFUSAL = b'type="ERROR"'
FORM = "application/x-www-form-urlencoded"
BOUNDARY = "cellgate-bench"


class Pydio8(Door):
    protocol = "Pydio 8"

    def __init__(self, port, workspace, user, password):
        super().__init__(port)
        self.api = f"/api/{workspace}"
        self.common = (("Host", self.host), ("Authorization", basic(user, password)))

    def get(self, path):
        return Request("GET", f"{self.api}/get_content/{path}", self.common)

    def download(self, path):
        return Request("GET", f"{self.api}/download/{path}", self.common)

    def get_range(self, path, first, last):
        headers = (*self.common, ("Range", f"bytes={first}-{last}"))
        return Request("GET", f"{self.api}/download/{path}", headers, expected=(206,))

    def put(self, path, size):
        folder, _, name = path.rpartition("/")
        fields = (("force_post", "true"), ("xhr_uploader", "true"))
        before, after = form(BOUNDARY, fields, "userfile_0", name)
        headers = (*self.common, ("Content-Type", f"multipart/form-data; boundary={BOUNDARY}"))
        return Request("POST", f"{self.api}/upload/put/{folder}", headers, before, after, size, refusal=REFUSAL)

    def _act(self, action, fields):
        body = "&".join(f"{name}={encoded(value)}" for name, value in fields).encode()
        headers = (*self.common, ("Content-Type", FORM))
        return Request("POST", f"{self.api}/{action}", headers, before=body, refusal=REFUSAL)

    def mkdir(self, path):
        return self._act(f"mkdir/{path}", ())

    def stat(self, path):
        return Request("GET", f"{self.api}/stat/{path}", self.common)

    def list(self, folder, page=1):
        # The anchor of a page is four literal characters, `%23n`, and these are encoded once more.
        anchor = f"%2523{page}" if page > 1 else ""
        return Request("GET", f"{self.api}/ls/{folder}{anchor}?options=al", self.common, refusal=REFUSAL)

    def list_page(self, folder, caller, page=1):
        """Entries of the page, how many pages there are, and the times."""
        answer = caller.send(self.list(folder, page))
        found = PAGES.search(answer.body)
        # The folder itself is the outermost `tree`.
        return len(NODE.findall(answer.body)) - 1, int(found.group(1)) if found else 1, answer.times

    def list_all(self, folder, caller):
        """Page after page: the protocol knows no other way."""
        count, pages, times = self.list_page(folder, caller)
        total_ms = times.total_ms
        for page in range(2, pages + 1):
            if total_ms > LIMIT_S * 1e3:
                raise Failed(f"{count:,} entries after {LIMIT_S} s")
            more, _, after = self.list_page(folder, caller, page)
            count, total_ms = count + more, total_ms + after.total_ms
        return count, Times(times.first_ms, total_ms)

    def rename(self, path, new_path):
        return [self._act("rename/", (("file", f"/{path}"), ("dest", f"/{new_path}")))]

    def delete(self, path):
        return self._act(f"delete/{path}", (("file", f"/{path}"),))
