"""An S3 server on loopback, and a proxy before it that fails on demand."""

import http.client
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import boto3
from botocore.config import Config

KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1"}

#: What happens to a request: it passes, gets an error, is cut off before the server sees it, or is
#: carried out and its answer is lost, or half of it is.
PASS, ERROR, DENIED, CUT, LOST, HALF = "pass", "error", "denied", "cut", "lost", "half"


def client(url: str):
    return boto3.client(
        "s3",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(s3={"addressing_style": "path"}),
    )


class Bucket:
    """A bucket of a server, as the tests look at it."""

    def __init__(self, url: str, name: str):
        self.url, self.name = url, name
        self.s3 = client(url)
        self.s3.create_bucket(Bucket=name)

    @property
    def environment(self) -> dict[str, str]:
        """What the program needs to reach the server."""
        return environment(self.url)

    def keys(self, prefix: str = "") -> dict[str, tuple[int, str]]:
        """Size and tag of every object."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=prefix)
        return {o["Key"]: (o["Size"], o["ETag"]) for page in pages for o in page.get("Contents", [])}

    def contents(self, prefix: str) -> dict[str, bytes]:
        """The objects below a prefix, by relative path."""
        return {key.removeprefix(prefix + "/"): self.get(key) for key in self.keys(prefix + "/")}

    def get(self, key: str) -> bytes:
        return self.s3.get_object(Bucket=self.name, Key=key)["Body"].read()

    def put(self, key: str, body: bytes) -> None:
        self.s3.put_object(Bucket=self.name, Key=key, Body=body)

    def delete(self, key: str) -> None:
        self.s3.delete_object(Bucket=self.name, Key=key)

    def unfinished(self) -> list[str]:
        """Keys of multipart uploads that are neither completed nor aborted."""
        return [u["Key"] for u in self.s3.list_multipart_uploads(Bucket=self.name).get("Uploads", [])]


def environment(url: str) -> dict[str, str]:
    return KEYS | {"AWS_ENDPOINT_URL": url, "AWS_ALLOW_HTTP": "true"}


class Proxy:
    """Passes requests to a server, or fails, as `rule(method, path)` says. It may block."""

    def __init__(self, url: str):
        self.rule: Callable[[str, str], str] = lambda method, path: PASS
        upstream = url.removeprefix("http://")
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                action = proxy.rule(self.command, self.path)
                if action == CUT:
                    self.close_connection = True
                    return
                if action in (ERROR, DENIED):
                    status, code = (500, "InternalError") if action == ERROR else (403, "AccessDenied")
                    text = f"<Error><Code>{code}</Code><Message>on demand</Message></Error>".encode()
                    self.answer(status, [("Content-Type", "application/xml")], text)
                    return
                connection = http.client.HTTPConnection(upstream, timeout=60)
                connection.request(self.command, self.path, body, dict(self.headers))
                response = connection.getresponse()
                text = response.read()
                connection.close()
                if action == LOST:
                    self.close_connection = True
                    return
                length = response.getheader("Content-Length")
                self.answer(response.status, response.getheaders(), text, length, half=action == HALF)

            def answer(self, status, headers, text, length=None, half=False):
                self.send_response(status)
                for name, value in headers:
                    if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                        self.send_header(name, value)
                self.send_header("Content-Length", length if self.command == "HEAD" and length else str(len(text)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(text[: len(text) // 2] if half else text)
                self.close_connection |= half

            do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = handle_one

            def log_message(self, *arguments):
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request, client_address):
                """A program that is killed leaves its connections."""

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
