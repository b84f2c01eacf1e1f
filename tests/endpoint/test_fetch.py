"""Images come from where they may come from, and from nowhere else."""

from __future__ import annotations

import http.server
import socket
import threading
from unittest import mock

import pytest

from rapideval.endpoint.server.fetch import is_public, read_reference
from rapideval.endpoint.server.limits import Limits, Places
from rapideval.errors import InputError

SMALL = Limits(download=1000, download_seconds=1.0)


class Images(http.server.BaseHTTPRequestHandler):
    """A web server with images, redirects, and bad manners."""

    def do_GET(self):
        if self.path == "/image":
            self.answer(200, b"pixels")
        elif self.path == "/large":
            self.answer(200, b"x" * 2000)
        elif self.path == "/endless":
            self.send_response(200)
            self.end_headers()
            try:
                while True:
                    self.wfile.write(b"x" * 100)
            except OSError:
                pass
        elif self.path == "/hangs":
            threading.Event().wait(3)
        elif self.path == "/moved":
            self.answer(302, b"", location="/image")
        elif self.path == "/loop":
            self.answer(302, b"", location="/loop")
        elif self.path == "/away":
            self.answer(302, b"", location="file:///etc/passwd")
        else:
            self.answer(404, b"no")

    def answer(self, status, body, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def web():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Images)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def rule_of(url, places=Places(), limits=SMALL):  # noqa: B008
    with pytest.raises(InputError) as caught:
        read_reference(url, places, limits)
    return caught.value.rule


def test_a_private_address_is_fetched_only_when_allowed(web):
    assert rule_of(f"{web}/image") == "image-private"
    assert read_reference(f"{web}/image", Places(private=True), SMALL) == b"pixels"
    assert read_reference(f"{web}/moved", Places(private=True), SMALL) == b"pixels"


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "0.0.0.0",
        "2130706433",
        "0x7f.1",
        "127.1",
        "169.254.169.254",
    ],
)
def test_no_way_of_writing_a_private_address_is_fetched(host):
    assert rule_of(f"http://{host}:9/image") in ("image-private", "image-url")


@pytest.mark.parametrize(
    "address",
    [
        *("10.1.2.3", "172.16.0.1", "192.168.1.1", "127.0.0.1", "169.254.169.254", "0.0.0.0", "100.64.0.1"),
        *("224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "ff02::1"),
        *("::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "198.18.0.1"),
    ],
)
def test_addresses_inside_are_not_public(address):
    assert not is_public(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.216.34", "2606:4700:4700::1111", "64:ff9b::101:101"])
def test_addresses_of_the_internet_are_public(address):
    assert is_public(address)


def test_a_name_that_leads_inside_is_refused_even_beside_a_public_address():
    both = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, 80)) for ip in ("93.184.216.34", "10.0.0.1")]
    with mock.patch("socket.getaddrinfo", return_value=both):
        assert rule_of("http://images.example/a.png") == "image-private"


def test_the_address_that_was_checked_is_the_one_connected_to():
    public = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.216.34", 80))]
    inside = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 80))]
    with (
        mock.patch("socket.getaddrinfo", side_effect=[public, inside]),
        mock.patch("socket.create_connection", side_effect=OSError("not in a test")) as connect,
    ):
        assert rule_of("http://rebinding.example/a.png") == "image-fetch"
    assert connect.call_args.args[0] == ("93.184.216.34", 80)


@pytest.mark.parametrize(
    ("path", "rule"),
    [
        ("large", "image-bytes"),
        ("endless", "image-bytes"),
        ("hangs", "image-fetch"),
        ("loop", "image-fetch"),
        ("away", "image-fetch"),
        ("nothing", "image-fetch"),
    ],
)
def test_a_server_with_bad_manners_is_refused(web, path, rule):
    assert rule_of(f"{web}/{path}", Places(private=True)) == rule


def test_a_host_that_is_not_there_is_said():
    assert rule_of("http://no-such-host.invalid/a.png") == "image-fetch"


@pytest.mark.parametrize(
    "url", ["", "a.png", "file:///etc/passwd", "data:image/png;base64,AA==", "s3://b/k", "ftp://h/a"]
)
def test_other_kinds_of_urls_are_refused(url):
    assert rule_of(url) == "image-url"


def test_a_folder_stands_in_for_a_bucket(tmp_path):
    (tmp_path / "a b.png").write_bytes(b"pixels")
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "c.png").write_bytes(b"other")
    places = Places((("s3://bucket/", tmp_path), ("s3://bucket/special/", tmp_path / "deep")))
    assert read_reference("s3://bucket/a%20b.png", places, SMALL) == b"pixels"
    assert read_reference("s3://bucket/a b.png", places, SMALL) == b"pixels"
    assert read_reference("s3://bucket/deep/c.png?versionId=1", places, SMALL) == b"other"
    assert read_reference("s3://bucket/special/c.png", places, SMALL) == b"other"
    assert rule_of("s3://bucket/nothing.png", places) == "image-missing"
    assert rule_of("s3://other/a.png", places) == "image-url"
    (tmp_path / "large").write_bytes(bytes(1001))
    assert rule_of("s3://bucket/large", places) == "image-bytes"


@pytest.mark.parametrize("path", ["../secret", "%2e%2e/secret", "deep/../../secret", "/etc/passwd", "link", "a\0b", ""])
def test_no_path_leads_out_of_its_folder(tmp_path, path):
    (tmp_path / "secret").write_bytes(b"secret")
    folder = tmp_path / "images"
    (folder / "deep").mkdir(parents=True)
    (folder / "link").symlink_to(tmp_path / "secret")
    assert rule_of(f"s3://bucket/{path}", Places((("s3://bucket/", folder),))) == "image-missing"


def test_a_signed_url_is_not_shown_with_its_signature():
    with pytest.raises(InputError) as caught:
        read_reference("s3://b/a.png?X-Amz-Signature=abcdef0123456789", Places(), SMALL)
    assert "abcdef" not in str(caught.value)
