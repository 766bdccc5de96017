"""A hub of models on this machine, which speaks as much of the Hugging Face Hub as `har` uses.

Repositories are kept in memory: for each commit its files. It counts what it is asked.
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

TOKEN = "hf_secret"  # noqa: S105
_REGULAR_BYTES = 10_000
"""Larger files go through Git LFS."""
_SOME_BYTES = 200_000_000
"""An endless body ends here, so that a test of it does, too."""


class Hub:
    """What the server holds.

    Attributes:
        repos: By name, its commits, oldest first, each an id with its files.
        private: By name of a repository.
        requests: Method and path of each request.
        pages: Texts that were sent to be checked as pages of a model.
        tags: Names of the newest commit of every repository.
        endless: Names of files whose bodies never end.
        n_sent: Bytes of such bodies that were taken.
        address: Of the server.
    """

    def __init__(self, address: str = "") -> None:
        self.address = address
        self.clear()

    def clear(self) -> None:
        """Forget everything but the address."""
        self.repos: dict[str, list[tuple[str, dict[str, bytes]]]] = {}
        self.private: dict[str, bool] = {}
        self.requests: list[str] = []
        self.pages: list[str] = []
        self.objects: dict[str, bytes] = {}
        self.tags: set[str] = set()
        self.endless: set[str] = set()
        self.n_sent = 0

    def add(self, repo: str, files: dict[str, bytes]) -> str:
        """Add a commit and return its id."""
        commits = self.repos.setdefault(repo, [])
        text = repr((len(commits), sorted(files))).encode()
        commits.append((hashlib.sha256(text).hexdigest()[:40], dict(files)))
        return commits[-1][0]

    def find(self, repo: str, revision: str) -> tuple[str, dict[str, bytes]] | None:
        """Return a commit with its files."""
        commits = self.repos.get(repo, [])
        if revision in ("main", *self.tags):
            return commits[-1] if commits else None
        return next((item for item in commits if item[0] == revision), None)


class _Handler(BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _answer(self, status: int, value: object = None, headers: dict[str, str] | None = None):
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, text in (headers or {}).items():
            self.send_header(name, text)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _refuse(self, code: str) -> None:
        self._answer(404, {"error": code}, {"X-Error-Code": code, "X-Error-Message": code})

    def _read(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        parts = self._split()
        if parts[:2] == ["api", "models"] and len(parts) in (4, 6):
            repo, revision = "/".join(parts[2:4]), unquote((*parts[4:], "", "main")[1] or "main")
            self._describe(repo, revision if len(parts) == 6 else "main")
        elif len(parts) >= 5 and parts[2] == "resolve":
            self._give("/".join(parts[:2]), unquote(parts[3]), "/".join(parts[4:]))
        else:
            self._refuse("EntryNotFound")

    def _split(self) -> list[str]:
        path = self.path.partition("?")[0]
        self.hub.requests.append(f"{self.command} {path}")
        return path.strip("/").split("/")

    def _describe(self, repo: str, revision: str) -> None:
        if self.hub.private.get(repo) and self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self._refuse("RepoNotFound")
            return
        found = self.hub.find(repo, revision)
        if found is None:
            self._refuse("RevisionNotFound" if repo in self.hub.repos else "RepoNotFound")
            return
        commit, files = found
        siblings = [{"rfilename": name, "size": len(data)} for name, data in files.items()]
        self._answer(200, {"id": repo, "modelId": repo, "sha": commit, "siblings": siblings})

    def _give(self, repo: str, revision: str, name: str) -> None:
        found = self.hub.find(repo, revision)
        if found is None or name not in found[1]:
            self._refuse("EntryNotFound" if found else "RevisionNotFound")
            return
        data = found[1][name]
        headers = {"X-Repo-Commit": found[0], "ETag": f'"{hashlib.sha256(data).hexdigest()}"'}
        if name in self.hub.endless and self.command == "GET":
            self._answer_without_end(headers)
        else:
            self._answer(200, data, headers)

    def _answer_without_end(self, headers: dict[str, str]) -> None:
        self.send_response(200)
        for name, text in {**headers, "Transfer-Encoding": "chunked"}.items():
            self.send_header(name, text)
        self.end_headers()
        part = bytes(1 << 20)
        with suppress(OSError):  # the client has gone
            while self.hub.n_sent < _SOME_BYTES:
                self.wfile.write(b"%x\r\n%b\r\n" % (len(part), part))
                self.hub.n_sent += len(part)
        self.close_connection = True

    def do_POST(self) -> None:
        parts, body = self._split(), self._read()
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self._answer(401, {"error": "Invalid credentials"})
        elif parts == ["api", "repos", "create"]:
            self._create(json.loads(body))
        elif parts == ["api", "validate-yaml"]:
            self.hub.pages.append(json.loads(body)["content"])
            self._answer(200, {"errors": [], "warnings": []})
        elif parts[-2:] == ["objects", "batch"]:
            self._answer(200, {"transfer": "basic", "objects": self._place(json.loads(body))})
        elif parts[4] == "preupload":
            named = [(item["path"], item["size"]) for item in json.loads(body)["files"]]
            modes = [
                {"path": path, "uploadMode": "regular" if size < _REGULAR_BYTES else "lfs"}
                for path, size in named
            ]
            self._answer(200, {"files": [{**mode, "shouldIgnore": False} for mode in modes]})
        elif parts[4] == "commit":
            self._commit("/".join(parts[2:4]), body)
        else:
            self._refuse("EntryNotFound")

    def _create(self, wanted: dict) -> None:
        repo = f"{wanted.get('organization') or 'me'}/{wanted['name']}"
        if repo in self.hub.repos:
            self._answer(409, {"error": "You already created this model repo", "url": "/" + repo})
            return
        self.hub.private[repo] = wanted.get("visibility") == "private"
        self.hub.add(repo, {})
        self._answer(200, {"url": f"{self.hub.address}/{repo}", "name": repo})

    def _place(self, wanted: dict) -> list[dict]:
        return [
            {**item, "actions": {"upload": {"href": f"{self.hub.address}/upload/{item['oid']}"}}}
            for item in wanted["objects"]
        ]

    def do_PUT(self) -> None:
        parts, body = self._split(), self._read()
        if hashlib.sha256(body).hexdigest() == parts[1]:
            self.hub.objects[parts[1]] = body
            self._answer(200, {})
        else:
            self._answer(400, {"error": "another hash"})

    def _commit(self, repo: str, body: bytes) -> None:
        files = dict(self.hub.repos[repo][-1][1])
        for line in map(json.loads, body.splitlines()):
            value = line["value"]
            if line["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                files[value["path"]] = self.hub.objects[value["oid"]]
        commit = self.hub.add(repo, files)
        url = f"{self.hub.address}/{repo}/commit/{commit}"
        self._answer(200, {"commitUrl": url, "commitOid": commit, "success": True})


@contextmanager
def run_hub() -> Iterator[Hub]:
    """Serve a hub on the loopback."""
    hub = Hub()
    handler = type("Handler", (_Handler,), {"hub": hub})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        hub.address = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield hub
        finally:
            server.shutdown()
            thread.join()
