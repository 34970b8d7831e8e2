"""A server on loopback that keeps the requests it gets."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any


@dataclass
class Server:
    """Where it listens, what came (path, body as JSON), and the code that it answers with."""

    url: str = ""
    taken: list[tuple[str, Any]] = field(default_factory=list)
    answer: int = 200


@contextmanager
def server() -> Iterator[Server]:
    found = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            found.taken.append((self.path, json.loads(body) if body else None))
            self.send_response(found.answer)
            self.end_headers()
            self.wfile.write(b"no room" if found.answer >= 400 else b"")

        do_GET = do_POST  # noqa: N815 the name that the library calls

        def log_message(self, format: str, *args: object) -> None:
            pass

    listening = HTTPServer(("127.0.0.1", 0), Handler)
    found.url = f"http://127.0.0.1:{listening.server_port}"
    thread = threading.Thread(target=listening.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield found
    finally:
        listening.shutdown()
        listening.server_close()
        thread.join()
