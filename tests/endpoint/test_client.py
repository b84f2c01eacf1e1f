"""The client loses no answer, sends nothing twice without need, and shows its key to nobody but the endpoint."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
import time

import numpy as np
import pytest
from PIL import Image

from rapideval.endpoint.client import EndpointClient, RefusedError, UnreachableError
from rapideval.endpoint.prediction import Plan, predict
from rapideval.endpoint.results import read_results
from rapideval.endpoint.retry import Backoff, retry_after
from rapideval.endpoint.secrets import ApiKey
from rapideval.errors import EndpointError, InputError, StorageError, UsageError

from .conftest import EMPTY, keys_of

SECRET = "live_7f3a9c0b1d2e4f5a"
QUICK = Plan(in_flight=4, shortest_poll=0.001)
URLS = [f"https://images.example/{i}.jpg" for i in range(10)]


@pytest.fixture
def ask(service, tmp_path):
    """Predict through the fake service."""

    def asked(images, plan=QUICK, folder=tmp_path / "run", **options):
        options.setdefault("key", SECRET)
        options.setdefault("base_url", service.url)
        options.setdefault("patience", 5)
        return predict(images, "car-model", folder, plan=plan, **options)

    return asked


# --- what is sent --------------------------------------------------------------------------------


def test_every_image_is_answered_once_in_the_order_of_the_images(ask, service):
    with ask(URLS) as results:
        assert [answer.images for answer in results.answers()] == [(url,) for url in URLS]
        assert results.counts.answered == 10
        assert results.failures == []
        assert results.dataset().images.keys == tuple(URLS)
    assert sorted(keys_of(body)[0] for body, _ in service.submissions) == URLS
    for body, headers in service.submissions:
        assert body == {"return_pickled": False, "args": {"image_url": keys_of(body)[0]}}
        assert headers["idempotency-key"].endswith(tuple("0123456789"))
    assert service.seen == {ApiKey(SECRET).authorization()}


def test_batches_go_as_image_urls(ask, service):
    with ask(URLS, Plan(batch=4, in_flight=2, shortest_poll=0.001)) as results:
        assert sorted(map(len, (answer.images for answer in results.answers()))) == [2, 4, 4]
        assert results.dataset().images.keys == tuple(URLS)
    assert {tuple(body["args"]) for body, _ in service.submissions} == {("image_urls",)}


def test_s3_urls_are_handed_through_under_images(ask, service):
    with ask(["s3://bucket/a b.jpg"], Plan(scale_s3_url=True, shortest_poll=0.001)):
        pass
    assert service.submissions[0][0]["args"] == {"images": ["s3://bucket/a b.jpg"], "scale_s3_url": True}


def test_files_and_arrays_go_as_pixels(ask, service, tmp_path):
    pixels = np.array([[[1, 2, 3], [40, 50, 60]]], np.uint8)
    (tmp_path / "images" / "deep").mkdir(parents=True)
    Image.fromarray(pixels).save(tmp_path / "images" / "deep" / "a.png")
    with ask([tmp_path / "images", {"array": pixels}], Plan(batch=2, shortest_poll=0.001)) as results:
        assert results.dataset().images.keys == ("deep/a.png", "array")
    assert service.submissions[0][0]["args"] == {"images": [pixels.tolist()] * 2, "scale_s3_url": False}


@pytest.mark.parametrize("form", ["image_url", "image_urls", "images"])
def test_the_form_of_the_arguments_can_be_chosen(ask, service, form):
    with ask(URLS[:1], Plan(form=form, shortest_poll=0.001)):
        pass
    assert form in service.submissions[0][0]["args"]


def test_v1_is_spoken_too(ask, service):
    def polled(path):
        if path.startswith("/v1/model-endpoints?name=car-model"):
            return 200, {"model_endpoints": [{"id": "end_1", "name": "car-model"}]}
        assert path == "/v1/async-tasks/task-1"
        answer = {"result": f"[{{}}, {EMPTY}]".replace("'", '"').replace("{}, ", "")}
        return 200, {"task_id": "task-1", "status": "SUCCESS", "result": answer, "traceback": None, "status_code": 200}

    service.polled = polled
    with ask(URLS[:1], dialect="v1") as results:
        assert results.dataset().images.keys == (URLS[0],)


# --- patience ------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504, 524, 0])
def test_a_passing_fault_is_tried_again(ask, service, status):
    given = service.submitted
    service.submitted = lambda number: (status, {"error": "busy"}) if number == 1 else given(number)
    with ask(URLS[:1]) as results:
        assert results.counts.answered == 1
        # a server that hangs up in the middle may have taken the task
        assert results.counts.uncertain == (1 if status == 0 else 0)
    keys = {headers["idempotency-key"] for _, headers in service.submissions}
    assert len(service.submissions) == 2
    assert len(keys) == 1


def test_retry_after_is_waited_for(ask, service):
    moments = []

    def submitted(number):
        moments.append(time.monotonic())
        if number == 1:
            return 429, {"error": "Too many requests"}, {"Retry-After": "1"}
        return 200, {"task_id": "task-2"}

    service.submitted = submitted
    with ask(URLS[:1]) as results:
        assert results.counts.answered == 1
    assert moments[1] - moments[0] >= 1


def test_waits_grow_are_jittered_and_end():
    waits = []
    backoff = Backoff(patience=1000, first=1, longest=8)
    while backoff.tries < 6:
        waits.append(backoff.wait())
    for wait, span in zip(waits, [1, 2, 4, 8, 8, 8], strict=True):
        assert span / 2 <= wait <= span
    assert Backoff(patience=1).wait(asked=30) is None
    assert Backoff(patience=100).wait(asked=30) >= 30
    assert 2 <= retry_after(time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 4))) <= 4


def test_an_endpoint_that_stays_away_ends_the_run_and_the_journal_is_kept(ask, service, tmp_path):
    given = service.submitted
    service.submitted = lambda number: given(number) if number <= 3 else (503, {"detail": "down"})
    with pytest.raises(UnreachableError, match=r"did not answer for 0.5 s; at last: 503.*down"):
        ask(URLS, Plan(in_flight=1, shortest_poll=0.001), patience=0.5)
    with read_results(tmp_path / "run") as results:
        assert results.counts.answered == 3
        assert results.counts.open == 7


def test_nobody_listening_is_said(ask, service):
    service.close()
    with pytest.raises(UnreachableError, match="ConnectError"):
        ask(URLS[:1], patience=0.3)
    service.close = lambda: None


def test_a_task_that_stays_pending_is_late_and_polled_again_by_the_next_run(ask, service):
    given = service.polled
    service.polled = lambda path: (200, {"state": "PENDING"})
    with ask(URLS[:2], Plan(task_seconds=0.2, shortest_poll=0.01)) as results:
        assert results.counts.answered == 0
        assert [(failed.state, failed.image) for failed in results.failures] == [("late", url) for url in URLS[:2]]
        assert "no answer within 0.2 s" in results.failures[0].reason
    service.polled = given
    with ask(URLS[:2]) as results:
        assert results.counts.answered == 2
    assert len(service.submissions) == 2  # not sent again


def test_polls_of_a_slow_task_become_rare(ask, service):
    began = time.monotonic()
    given = service.polled
    service.polled = lambda path: given(path) if time.monotonic() - began > 1 else (200, {"state": "PENDING"})
    with ask(URLS[:1], Plan(shortest_poll=0.001)) as results:
        assert results.counts.answered == 1
    assert len(service.polls) < 25


def test_the_other_poll_path_is_found_and_kept(ask, service):
    given = service.polled
    service.polled = lambda path: given(path) if "/task/result/" in path else (404, {"detail": "Not Found"})
    with ask(URLS, Plan(in_flight=1, shortest_poll=0.001)) as results:
        assert results.counts.answered == 10
    assert len(service.polls) == 11


# --- failures ------------------------------------------------------------------------------------


def test_a_failed_task_is_told_with_its_reason_and_retried_only_when_asked(ask, service):
    given = service.polled
    service.polled = lambda path: (200, {"state": "FAILURE", "traceback": "Traceback: no weights"})
    with ask(URLS[:1]) as results:
        (failed,) = results.failures
        assert (failed.image, failed.state, failed.reason) == (URLS[0], "failed", "Traceback: no weights")
    service.polled = given
    with ask(URLS[:1]) as results:
        assert results.counts.failed == 1
    with ask(URLS[:1], retry_failed=True) as results:
        assert results.counts.answered == 1


def test_an_error_of_the_model_server_inside_a_success_is_a_failure(ask, service):
    service.polled = lambda path: (200, {"status": "SUCCESS", "status_code": 500, "result": {"detail": "boom"}})
    with ask(URLS[:1]) as results:
        assert "500" in results.failures[0].reason


def test_one_image_does_not_spoil_the_others_of_its_batch(ask, service):
    given = service.polled

    def polled(path):
        images = keys_of(service.submissions[int(path.rpartition("-")[2]) - 1][0])
        return (200, {"state": "FAILURE", "traceback": "bad image"}) if URLS[5] in images else given(path)

    service.polled = polled
    with ask(URLS, Plan(batch=4, in_flight=1, shortest_poll=0.001)) as results:
        assert results.counts.answered == 9
        assert [failed.image for failed in results.failures] == [URLS[5]]
        assert results.dataset().images.keys == tuple(url for url in URLS if url != URLS[5])


def test_a_refused_submission_fails_its_image_alone(ask, service):
    def submitted(number):
        if keys_of(service.submissions[number - 1][0]) == [URLS[2]]:
            return 422, {"detail": [{"loc": ["body"], "msg": "no such image", "type": "value_error"}]}
        return 200, {"task_id": f"task-{number}"}

    service.submitted = submitted
    with ask(URLS[:4], Plan(in_flight=1, shortest_poll=0.001)) as results:
        assert results.counts.answered == 3
        assert "no such image" in results.failures[0].reason


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_ends_the_run_at_once(ask, service, status):
    service.submitted = lambda number: (status, {"detail": "Could not authenticate user"})
    with pytest.raises(UnreachableError, match=f"refuses the API key.*{status}"):
        ask(URLS, Plan(in_flight=1))
    assert len(service.submissions) == 1


def test_an_endpoint_that_does_not_exist_ends_the_run_at_once(ask, service):
    service.submitted = lambda number: (404, {"detail": "The specified endpoint could not be found."})
    with pytest.raises(EndpointError, match="no endpoint 'car-model'"):
        ask(URLS, Plan(in_flight=1))
    assert len(service.submissions) == 1


@pytest.mark.parametrize(
    "body", [b"", b"<html>login</html>", b"[]", b'{"id": 3}', b'{"task_id": ""}', b'{"task_id": 3}']
)
def test_an_answer_to_a_submission_that_makes_no_sense_ends_the_run(ask, service, body):
    service.submitted = lambda number: (200, body)
    with pytest.raises(EndpointError, match="task_id"):
        ask(URLS[:1])


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"task_id": "x"}', b'{"state": "DONE"}', b'{"state": 3}'])
def test_an_answer_to_a_poll_that_makes_no_sense_fails_the_task(ask, service, body):
    service.polled = lambda path: (200, body)
    with ask(URLS[:1]) as results:
        assert "poll" in results.failures[0].reason


def test_a_task_that_the_service_forgot_is_given_again_but_not_for_ever(ask, service):
    service.polled = lambda path: (404, {"detail": "no task"})
    with ask(URLS[:1]) as results:
        assert "does not know task" in results.failures[0].reason
        assert results.counts.tasks == 3
    assert len({headers["idempotency-key"] for _, headers in service.submissions}) == 3


def test_an_answer_that_is_no_payload_is_kept_and_told(ask, service):
    given = service.polled

    def polled(path):
        return (200, {"state": "SUCCESS", "result": '[{"boxes": [[1, 2]]}]'}) if path.endswith("-1") else given(path)

    service.polled = polled
    with ask(URLS[:3], Plan(in_flight=1, shortest_poll=0.001)) as results:
        assert results.counts.answered == 3
        assert results.dataset().images.keys == tuple(URLS[1:3])
        assert {problem.rule for problem in results.unreadable} == {"M25"}
        assert URLS[0] in results.unreadable[0].where


def test_a_file_that_is_no_image_fails_without_being_sent(ask, service, tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "a.png").write_bytes(b"not a picture")
    with ask(tmp_path / "images") as results:
        assert "image-format" in results.failures[0].reason
    assert service.submissions == []


# --- resuming ------------------------------------------------------------------------------------


def test_a_second_run_sends_only_what_is_new(ask, service):
    ask(URLS[:4]).close()
    with ask(URLS) as results:
        assert results.counts.answered == 10
    assert len(service.submissions) == 10


def test_a_journal_is_not_continued_elsewhere(ask, tmp_path):
    ask(URLS[:1]).close()
    with pytest.raises(UsageError, match="base_url 'http"):
        ask(URLS[:1], base_url="http://127.0.0.1:1")
    with pytest.raises(UsageError, match="endpoint 'car-model', not 'other'"):
        predict(URLS[:1], "other", tmp_path / "run", key=SECRET)


def test_a_journal_in_use_is_refused(ask):
    with ask(URLS[:1]), pytest.raises(StorageError, match="in use"):
        ask(URLS[:1])


def test_an_image_that_changed_since_it_was_sent_is_refused(ask, tmp_path):
    images = tmp_path / "images"
    images.mkdir()
    Image.new("RGB", (2, 2)).save(images / "a.png")
    ask(images).close()
    Image.new("RGB", (3, 3)).save(images / "a.png")
    with pytest.raises(InputError, match="image-changed"):
        ask(images)


def test_two_images_of_one_name_are_refused(ask, tmp_path):
    for folder in ("x", "y"):
        (tmp_path / folder).mkdir()
        Image.new("RGB", (2, 2)).save(tmp_path / folder / "a.png")
    with pytest.raises(InputError, match="image-duplicate"):
        ask([tmp_path / "x", tmp_path / "y"])


def test_a_full_disk_is_said_and_the_journal_is_intact(ask, service, tmp_path, monkeypatch):
    from rapideval.endpoint import database

    opened = database.Database._open

    def small(self, *args):
        connection = opened(self, *args)
        connection.execute("PRAGMA max_page_count = 30")
        return connection

    text = '[{"boxes":[],"scores":[],"labels":[]}]' + " " * 9000
    service.polled = lambda path: (200, {"state": "SUCCESS", "result": text})
    monkeypatch.setattr(database.Database, "_open", small)
    with pytest.raises(StorageError, match="the disk is full"):
        ask(URLS, Plan(in_flight=1, shortest_poll=0.001))
    monkeypatch.undo()
    sent = len(service.submissions)
    with contextlib.closing(sqlite3.connect(tmp_path / "run" / "journal.sqlite")) as journal:
        assert journal.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    with ask(URLS) as results:
        assert results.counts.answered == 10
    assert sent >= 1
    assert len(service.submissions) == 10  # what was sent before was not sent again


def test_the_journal_can_be_read_by_its_owner_alone(ask, tmp_path):
    ask(URLS[:1]).close()
    assert (tmp_path / "run" / "journal.sqlite").stat().st_mode & 0o777 == 0o600


def test_saved_answers_name_their_images_and_parse(ask, tmp_path):
    from rapideval import parse

    with ask(URLS, Plan(batch=3, in_flight=1, shortest_poll=0.001)) as results:
        assert results.save(tmp_path / "answers.jsonl") == 4
        assert parse(tmp_path / "answers.jsonl").dataset.fingerprint() == results.dataset().fingerprint()


# --- the key -------------------------------------------------------------------------------------


def test_the_key_is_in_no_message_log_or_repr(ask, service, caplog):
    caplog.set_level(logging.DEBUG)
    service.submitted = lambda number: (401, {"detail": f"no access for {SECRET}"})
    with pytest.raises(EndpointError) as caught:
        ask(URLS[:1])
    assert SECRET not in str(caught.value)
    service.submitted = lambda number: (503, {"detail": f"{SECRET} {ApiKey(SECRET).authorization()}"})
    with pytest.raises(EndpointError) as caught:
        ask(URLS[:1], patience=0.2)
    assert SECRET not in str(caught.value)
    assert ApiKey(SECRET).authorization()[6:] not in str(caught.value)
    assert SECRET not in repr(EndpointClient("a", ApiKey(SECRET)))
    assert SECRET not in caplog.text
    assert ApiKey(SECRET).authorization()[6:] not in caplog.text


@pytest.mark.parametrize(
    "target", ["http://localhost:{port}/v1/x", "http://127.0.0.1:1/x", "https://127.0.0.1:{port}/x", "//evil.example/x"]
)
def test_a_redirect_to_another_host_is_not_followed(ask, service, target):
    port = service.url.rpartition(":")[2]
    service.submitted = lambda number: (307, b"", {"Location": target.format(port=port)})
    with pytest.raises(UnreachableError, match="the API key is not sent to another host"):
        ask(URLS[:1])
    assert len(service.submissions) == 1


def test_a_redirect_within_the_host_is_followed(ask, service):
    service.submitted = lambda number: (
        (307, b"", {"Location": "/v2/task_async/car-model"}) if number == 1 else (200, {"task_id": "task-2"})
    )
    with ask(URLS[:1]) as results:
        assert results.counts.answered == 1
    service.submitted = lambda number: (302, b"", {"Location": "/v2"})
    with pytest.raises(UnreachableError, match="redirects a submission with 302"):
        ask(URLS[1:2])
    service.submitted = lambda number: (308, b"", {"Location": "/v1/hosted_inference/task_async/car-model"})
    with pytest.raises(UnreachableError, match="more than 3 times"):
        ask(URLS[1:2])


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://api.example.com/v1", "unencrypted"),
        ("ftp://api.example.com", "no base URL"),
        ("api.example.com", "no base URL"),
        ("", "no base URL"),
        ("https://user:password@api.example.com", "no user"),
        ("https://api.example.com/?key=1", "no user, query"),
    ],
)
def test_a_base_url_that_is_unsafe_or_none_is_refused(url, says):
    with pytest.raises(UsageError, match=says) as caught:
        EndpointClient("a", ApiKey(SECRET), base_url=url)
    assert "password" not in str(caught.value)


def test_a_base_url_is_completed_and_the_default_is_the_hosted_service():
    assert EndpointClient("a", ApiKey(SECRET)).base_url == "https://api.scale.com/v1/hosted_inference"
    assert EndpointClient("a", ApiKey(SECRET), dialect="v1").base_url == "https://api.scale.com/v1/launch"
    local = EndpointClient("a", ApiKey(SECRET), base_url="http://127.0.0.1:8000/")
    assert local.base_url == "http://127.0.0.1:8000/v1/hosted_inference"
    with pytest.raises(UsageError, match="no name of an endpoint"):
        EndpointClient("a/b", ApiKey(SECRET))


def test_tls_is_verified(tmp_path):
    """A certificate that nobody signed is refused."""
    import ssl
    import subprocess
    import threading

    made = subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-keyout",
            "key",
            "-out",
            "cert",
            "-subj",
            "/CN=localhost",
        ],
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    if made.returncode:
        pytest.skip("openssl is not installed")
    import http.server

    server = http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert", tmp_path / "key")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    async def ask():
        url = f"https://127.0.0.1:{server.server_port}"
        async with EndpointClient("a", ApiKey(SECRET), base_url=url, patience=0.3) as client:
            await client.endpoints()

    with pytest.raises(UnreachableError, match="CERTIFICATE_VERIFY_FAILED"):
        asyncio.run(ask())
    server.shutdown()
    server.server_close()


# --- the rest of the client ----------------------------------------------------------------------


def test_endpoints_are_listed_and_asked_synchronously(endpoint):
    async def ask(dialect):
        async with EndpointClient("size", endpoint.key, base_url=endpoint.url, dialect=dialect) as client:
            names = {item["name"] for item in await client.endpoints()}
            answer, body = await client.ask(b'{"args":{"images":[[[[1,2,3]]]]}}')
            with pytest.raises(RefusedError, match="422"):
                await client.ask(b'{"args":{}}')
            return names, answer.state, body

    for dialect in ("v0", "v1"):
        names, state, body = asyncio.run(ask(dialect))
        assert "size" in names
        assert state == "success"
        assert b"boxes" in body


@pytest.mark.parametrize("dialect", ["v0", "v1"])
def test_the_local_endpoint_is_reached_end_to_end(endpoint, tmp_path, dialect):
    images = {f"{i}.png": np.full((2, 3, 3), i * 10, np.uint8) for i in range(20)}
    base = {"key": endpoint.key, "base_url": endpoint.url, "dialect": dialect}
    with predict(images, "size", tmp_path / "run", plan=Plan(batch=3, in_flight=4), **base) as results:
        data = results.dataset()
        assert data.images.keys == tuple(images)
        assert [row.score for row in data] == [pytest.approx(i * 10 / 255) for i in range(20)]
    with predict({"a": images["3.png"]}, "raises", tmp_path / "other", plan=Plan(batch=1), **base) as results:
        assert "the model is tired" in results.failures[0].reason


def test_predict_works_where_an_event_loop_runs(ask):
    async def in_a_notebook():
        with ask(URLS[:2]) as results:
            return results.counts.answered

    assert asyncio.run(in_a_notebook()) == 2
