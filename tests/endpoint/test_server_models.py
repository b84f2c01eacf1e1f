"""Models behind the local endpoint: what they may return, and what they cannot break."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from rapideval.endpoint.local import LocalEndpoint
from rapideval.endpoint.server.limits import Limits
from rapideval.endpoint.server.models import ModelSource
from rapideval.errors import EndpointError, UsageError

from .conftest import PIXEL, SERVED, connect, result

V0 = "/v1/hosted_inference"
BODY = {"args": {"images": [PIXEL]}}


def test_arrays_become_nested_lists(ask):
    (payload,) = result(ask("checker", images=[[[[0, 0, 0]] * 3] * 2]))
    assert payload == {
        "masks": [[[1, 0, 1], [0, 0, 0]]],
        "boxes": [[0.0, 0.0, 3.0, 2.0]],
        "scores": [0.75],
        "labels": ['a "checker" board'],
    }


def test_each_image_of_a_task_has_its_item_in_order(ask):
    boxes = [item["boxes"][0] for item in result(ask("size", images=[[[[0, 0, 0]] * n] for n in (3, 1, 2)]))]
    assert boxes == [[0, 0, 3, 1], [0, 0, 1, 1], [0, 0, 2, 1]]


@pytest.mark.parametrize(
    ("model", "says"),
    [
        ("raises", ["Traceback (most recent call last)", "RuntimeError: the model is tired", "served_models.py"]),
        ("exits", ["WorkerLostError", "exited with code 3"]),
        ("crashes", ["WorkerLostError", "SIGSEGV"]),
        ("leaves", ["SystemExit", "in silence"]),
        ("slow", ["TimeLimitExceeded", "1.5 s"]),
        ("uneven", ["InputError", "M24"]),
        ("percent", ["InputError", "M29", "percent"]),
        ("not_a_number", ["InputError", "M28"]),
        ("nothing", ["InputError", "$[0]"]),
        ("unsayable", ["object"]),
    ],
)
def test_a_model_that_fails_is_a_failure_with_the_reason_and_the_next_task_is_answered(ask, model, says):
    envelope = ask(model)
    assert envelope["state"] == "FAILURE"
    for text in says:
        assert text in envelope["traceback"]
    assert ask("size")["state"] == "SUCCESS"


def test_a_traceback_begins_where_the_models_code_does(ask):
    assert "rapideval" not in ask("raises")["traceback"]


def test_a_model_that_does_not_load_fails_every_task_with_the_reason():
    with LocalEndpoint({"broken": "served_models:Broken"}, path=(str(SERVED),)) as running, connect(running) as http:
        for _ in range(2):
            envelope = http.post(f"{V0}/task_sync/broken", json=BODY).json()
            assert envelope["state"] == "FAILURE"
            assert "FileNotFoundError: no weights here" in envelope["traceback"]
        assert http.get("/healthz").status_code == 200


def test_modules_of_the_working_folder_are_not_taken_for_the_endpoints_own(serve, tmp_path, monkeypatch):
    (tmp_path / "msgspec.py").write_text("raise ImportError('this is another')")
    monkeypatch.chdir(tmp_path)
    with serve("size") as running, connect(running) as http:
        assert len(result(http.post(f"{V0}/task_sync/size", json=BODY).json())) == 1


@pytest.mark.parametrize("text", ["", "model", "module:", ":function", "a b:c", "../x:y", "builtin:", "replay:"])
def test_a_model_that_is_none_is_refused(text):
    with pytest.raises(UsageError, match="no model"):
        ModelSource.parse(text)


def test_a_regular_worker_starts_on_demand_and_cools_down(serve):
    with serve("process", cool_down=0.2) as running, connect(running) as http:

        def workers():
            return http.get("/status").json()["endpoints"][0]["workers"]

        assert workers() == 0
        first = result(http.post(f"{V0}/task_sync/process", json=BODY).json())
        assert workers() == 1
        ends = time.monotonic() + 10
        while workers() and time.monotonic() < ends:
            time.sleep(0.05)
        assert workers() == 0
        assert result(http.post(f"{V0}/task_sync/process", json=BODY).json()) != first


def test_the_production_endpoint_is_warm_swapped_and_disabled(serve):
    with serve("size", "bright", production="size") as running, connect(running) as http:
        assert http.get("/production").json() == {"name": "production", "version": "size", "enabled": True}
        ends = time.monotonic() + 20
        while http.get("/status").json()["endpoints"][2]["cold_starts"] < 1:
            assert time.monotonic() < ends
            time.sleep(0.05)
        began = time.perf_counter()
        assert "boxes" in result(http.post(f"{V0}/task_sync/production", json=BODY).json())[0]
        warm = time.perf_counter() - began
        status = http.get("/status").json()["endpoints"][2]
        assert status["production"]
        assert warm < status["cold_start"]["p50"]

        assert http.put("/production", json={"enabled": True, "version": "bright"}).status_code == 200
        assert "semantic_segmentation_mask" in result(http.post(f"{V0}/task_sync/production", json=BODY).json())[0]

        assert http.put("/production", json={"enabled": False}).json()["enabled"] is False
        assert http.post(f"{V0}/task_async/production", json=BODY).status_code == 404
        assert http.put("/production", json={"enabled": True, "version": "nobody"}).status_code == 422
        assert http.put("/production", content=b"{").status_code == 400


def test_the_production_endpoint_is_off_until_it_is_enabled(serve):
    with serve("size") as running, connect(running) as http:
        assert http.post(f"{V0}/task_async/production", json=BODY).status_code == 404
        http.put("/production", json={"enabled": True, "version": "size"})
        assert http.post(f"{V0}/task_sync/production", json=BODY).json()["state"] == "SUCCESS"


def test_a_full_queue_is_429_and_what_was_taken_is_answered(serve):
    with serve("short", limits=Limits(queue=3)) as running, connect(running) as http:
        answers = [http.post(f"{V0}/task_async/short", json=BODY) for _ in range(8)]
        refused = [answer for answer in answers if answer.status_code == 429]
        assert refused
        assert refused[0].json()["error"] == "Too many requests"
        assert refused[0].headers["retry-after"] == "1"
        for answer in answers:
            if answer.status_code == 200:
                path = f"{V0}/task/result/{answer.json()['task_id']}"
                ends = time.monotonic() + 20
                while http.get(path).json()["state"] == "PENDING":
                    assert time.monotonic() < ends
                    time.sleep(0.05)
                assert http.get(path).json()["state"] == "SUCCESS"


def test_several_workers_share_the_work(serve):
    with serve("short", workers=3) as running, connect(running) as http:

        def ask(_):
            return http.post(f"{V0}/task_sync/short", json=BODY).json()["state"]

        with ThreadPoolExecutor(6) as pool:
            assert list(pool.map(ask, range(6))) == ["SUCCESS"] * 6
        assert http.get("/status").json()["endpoints"][0]["workers"] == 3


def test_tasks_survive_the_server(serve, tmp_path):
    with serve("short", state=tmp_path) as running, connect(running) as http:
        finished = http.post(f"{V0}/task_async/short", json=BODY).json()["task_id"]
        while http.get(f"{V0}/task/result/{finished}").json()["state"] == "PENDING":
            time.sleep(0.05)
        waiting = [http.post(f"{V0}/task_async/short", json=BODY).json()["task_id"] for _ in range(3)]
        import os
        import signal

        os.kill(running.pid, signal.SIGKILL)
    with serve("short", state=tmp_path) as running, connect(running) as http:
        assert http.get(f"{V0}/task/result/{finished}").json()["state"] == "SUCCESS"
        for task_id in waiting:
            ends = time.monotonic() + 20
            while (answer := http.get(f"{V0}/task/result/{task_id}").json())["state"] == "PENDING":
                assert time.monotonic() < ends
                time.sleep(0.05)
            assert answer["state"] == "SUCCESS"


def test_a_stopped_server_lets_tasks_under_way_finish(serve, tmp_path):
    with serve("short", state=tmp_path) as running, connect(running) as http:
        http.post(f"{V0}/task_sync/short", json=BODY)  # a warm worker
        task_id = http.post(f"{V0}/task_async/short", json=BODY).json()["task_id"]
    with serve("size", state=tmp_path) as running, connect(running) as http:  # short is not served now
        assert http.get(f"{V0}/task/result/{task_id}").json()["state"] == "SUCCESS"


def test_a_task_of_an_endpoint_that_is_gone_fails_and_says_so(serve, tmp_path):
    import os
    import signal

    with serve("slow", state=tmp_path) as running, connect(running) as http:
        task_id = http.post(f"{V0}/task_async/slow", json=BODY).json()["task_id"]
        os.kill(running.pid, signal.SIGKILL)
    with serve("size", state=tmp_path) as running, connect(running) as http:
        answer = http.get(f"{V0}/task/result/{task_id}").json()
    assert answer["state"] == "FAILURE"
    assert "'slow'" in answer["traceback"]


def test_workers_do_not_outlive_a_killed_server(serve):
    import os
    import signal

    with serve("process", "slow", limits=Limits(task_seconds=60)) as running, connect(running) as http:
        worker = int(result(http.post(f"{V0}/task_sync/process", json=BODY).json())[0]["labels"][0])
        http.post(f"{V0}/task_async/slow", json=BODY)
        os.kill(running.pid, signal.SIGKILL)
    ends = time.monotonic() + 10
    while time.monotonic() < ends:
        try:
            os.kill(worker, 0)
        except ProcessLookupError:
            return
        time.sleep(0.1)
    raise AssertionError("the worker is still there")


def test_a_state_folder_in_use_is_refused(serve, tmp_path):
    with serve("size", state=tmp_path), pytest.raises(EndpointError, match="in use by another process"):
        serve("size", state=tmp_path).start()


def test_a_port_in_use_is_said_and_which(serve):
    with serve("size") as running:
        port = int(running.url.rpartition(":")[2])
        with pytest.raises(EndpointError, match=f"port {port} of 127.0.0.1 is in use"):
            serve("size", port=port).start()


def test_a_failure_that_quotes_control_characters_is_sound_json(http):
    answer = http.post("/v1/hosted_inference/task_sync/size", json={"args": {"image_url": "a\x16b\x01://x"}})
    assert answer.status_code == 200
    failure = json.loads(answer.content)
    assert failure["state"] == "FAILURE"
    assert "InputError" in failure["traceback"]
