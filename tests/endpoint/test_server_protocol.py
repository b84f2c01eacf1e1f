"""The local endpoint speaks the protocol of the real one: routes, envelopes, errors."""

from __future__ import annotations

import base64
import time

import pytest

from .conftest import PIXEL, connect, result

V0 = "/v1/hosted_inference"
BODY = {"args": {"images": [PIXEL]}, "return_pickled": False}
ONE_BOX = [{"boxes": [[0, 0, 1, 1]], "scores": [20 / 255], "labels": ["image"]}]


def poll(http, path):
    ends = time.monotonic() + 20
    while time.monotonic() < ends:
        answer = http.request("GET", path, json={}).json()  # clients send a body with GET
        if answer.get("state", answer.get("status")) != "PENDING":
            return answer
        time.sleep(0.02)
    raise AssertionError("pending for 20 s")


# --- v0 ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["task/result/{}", "endpoints/size/task_async/{}"])
def test_a_v0_task_is_submitted_and_polled_by_either_path(http, path):
    task_id = http.post(f"{V0}/task_async/size", json=BODY).json()["task_id"]
    answer = poll(http, f"{V0}/{path.format(task_id)}")
    assert answer.keys() == {"state", "result"}
    assert result(answer) == ONE_BOX


def test_a_v0_task_that_is_not_finished_is_pending_and_nothing_else(http):
    task_id = http.post(f"{V0}/task_async/short", json=BODY).json()["task_id"]
    assert http.get(f"{V0}/task/result/{task_id}").json() == {"state": "PENDING"}
    assert poll(http, f"{V0}/task/result/{task_id}")["state"] == "SUCCESS"


def test_a_v0_task_is_not_found_below_another_endpoint(http):
    task_id = http.post(f"{V0}/task_async/size", json=BODY).json()["task_id"]
    poll(http, f"{V0}/task/result/{task_id}")
    assert http.get(f"{V0}/endpoints/bright/task_async/{task_id}").status_code == 404


def test_a_v0_request_can_be_synchronous(http):
    assert result(http.post(f"{V0}/task_sync/size", json=BODY).json()) == ONE_BOX


def test_a_body_is_read_as_json_whatever_its_type_says(http):
    headers = {"content-type": "application/x-www-form-urlencoded"}
    content = b'{"args": {"images": [[[[10, 20, 30]]]]}, "return_pickled": false}'
    assert result(http.post(f"{V0}/task_sync/size", content=content, headers=headers).json()) == ONE_BOX


@pytest.mark.parametrize("body", [{"args": {"images": [PIXEL], "scale_s3_url": False}}, {"images": [PIXEL]}])
def test_arguments_are_taken_with_and_without_their_wrapping(http, body):
    assert result(http.post(f"{V0}/task_sync/size", json=body).json()) == ONE_BOX


def test_endpoints_are_listed_and_described(http):
    listed = http.get(f"{V0}/endpoints").json()["endpoints"]
    assert {"size", "bright", "production"} <= {item["name"] for item in listed}
    assert all(item["endpoint_type"] == "async" for item in listed)
    described = http.get(f"{V0}/endpoints/production").json()
    assert described["bundle_name"] == "size"
    assert described["metadata"] == {"model": "served_models:size", "production": True}


def test_a_semantic_mask_of_a_single_image_url_is_a_dict_alone(serve, tmp_path):
    from PIL import Image

    from rapideval.endpoint.server.limits import Places

    Image.new("RGB", (3, 2), (255, 255, 255)).save(tmp_path / "white.png")
    mask = {"semantic_segmentation_mask": [[1, 1, 1], [1, 1, 1]]}
    places = Places((("https://images.example/", tmp_path),))
    with serve("bright", places=places) as running, connect(running) as http:
        url = "https://images.example/white.png?signature=1"
        one = http.post(f"{V0}/task_sync/bright", json={"args": {"image_url": url}}).json()
        several = http.post(f"{V0}/task_sync/bright", json={"args": {"image_urls": [url, url]}}).json()
        by_url = http.post(f"{V0}/task_sync/bright", json={"url": url}).json()
    assert result(one) == mask
    assert result(several) == [mask, mask]
    assert result(by_url) == mask


# --- v1 ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("base", ["/v1", "/v1/launch/v1"])
def test_a_v1_task_nests_its_result(http, base):
    (found,) = http.get(f"{base}/model-endpoints", params={"name": "size"}).json()["model_endpoints"]
    assert http.get(f"{base}/model-endpoints/{found['id']}").json()["name"] == "size"
    where = {"model_endpoint_id": found["id"]}
    task_id = http.post(f"{base}/async-tasks", params=where, json=BODY).json()["task_id"]
    answer = poll(http, f"{base}/async-tasks/{task_id}")
    assert answer.pop("task_id") == task_id
    text = '[{"boxes":[[0,0,1,1]],"scores":[0.0784313725490196],"labels":["image"]}]'
    expected = {"status": "SUCCESS", "result": {"result": text}, "traceback": None, "status_code": 200}
    assert answer == expected
    assert http.post(f"{base}/sync-tasks", params=where, json=BODY).json() == expected


def test_a_v1_task_is_pending_with_all_its_members(http):
    where = {"model_endpoint_id": "end_short"}
    task_id = http.post("/v1/async-tasks", params=where, json=BODY).json()["task_id"]
    assert http.get(f"/v1/async-tasks/{task_id}").json() == {
        "task_id": task_id,
        "status": "PENDING",
        "result": None,
        "traceback": None,
        "status_code": None,
    }


def test_a_v1_failure_has_the_error_as_result_and_the_traceback_beside_it(http):
    answer = http.post("/v1/sync-tasks", params={"model_endpoint_id": "end_raises"}, json=BODY).json()
    assert answer["status"] == "FAILURE"
    assert answer["result"] == "RuntimeError: the model is tired"
    assert answer["traceback"].startswith("Traceback (most recent call last)")


def test_an_unknown_v1_endpoint_is_an_empty_list_or_404(http):
    assert http.get("/v1/model-endpoints", params={"name": "nobody"}).json() == {"model_endpoints": []}
    assert http.post("/v1/async-tasks", params={"model_endpoint_id": "end_nobody"}, json=BODY).status_code == 404
    missing = http.post("/v1/async-tasks", json=BODY)
    assert missing.status_code == 422
    assert missing.json()["detail"][0]["loc"] == ["query", "model_endpoint_id"]


# --- the key -------------------------------------------------------------------------------------


def basic(text):
    return "Basic " + base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Basic",
        "Basic !!!",
        "Bearer x",
        basic("test_wrong:"),
        basic("KEY"),
        basic("KEY:password"),
        basic(":KEY"),
    ],
)
@pytest.mark.parametrize("path", [f"{V0}/endpoints", f"{V0}/task/result/x", "/v1/model-endpoints", "/nowhere"])
def test_a_missing_or_wrong_key_is_refused(endpoint, header, path):
    import httpx

    if header is not None and header.startswith("Basic ") and len(header) > 12:
        text = base64.b64decode(header[6:]).decode().replace("KEY", endpoint.key.reveal())
        header = basic(text)
    headers = {} if header is None else {"authorization": header}
    answer = httpx.get(endpoint.url + path, headers=headers, trust_env=False)
    assert answer.status_code == 401
    assert answer.json() == {"detail": "Could not authenticate user"}
    assert answer.headers["www-authenticate"].startswith("Basic")


def test_health_and_metrics_need_no_key(endpoint):
    import httpx

    assert httpx.get(endpoint.url + "/healthz", trust_env=False).json() == {"status": "ok"}
    metrics = httpx.get(endpoint.url + "/metrics", trust_env=False).text
    assert "# TYPE rapideval_task_seconds histogram" in metrics
    assert endpoint.key.reveal() not in metrics


# --- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", f"{V0}/task_async/nobody"),
        ("POST", f"{V0}/task_sync/nobody"),
        ("GET", f"{V0}/endpoints/nobody"),
        ("GET", f"{V0}/task/result/nothing"),
        ("GET", f"{V0}/endpoints/size/task_async/nothing"),
        ("GET", "/v1/async-tasks/nothing"),
        ("GET", "/v1/model-endpoints/end_nobody"),
        ("GET", "/nowhere"),
    ],
)
def test_what_is_not_there_is_404_with_a_reason(http, method, path):
    answer = http.request(method, path, json=BODY)
    assert answer.status_code == 404
    assert isinstance(answer.json()["detail"], str)


def test_another_method_is_405(http):
    answer = http.delete(f"{V0}/endpoints/size")
    assert answer.status_code == 405
    assert "GET" in answer.headers["allow"]


@pytest.mark.parametrize(
    ("body", "status", "place", "says"),
    [
        (b"", 400, None, "not JSON"),
        (b"{", 400, None, "not JSON"),
        (b"{'args': {}}", 400, None, "byte 1"),
        (b"\xff\xfe{\x00}\x00", 400, None, "not JSON"),
        (b"[]", 422, ["body"], "object"),
        (b"[" * 100_000, 422, ["body"], "object"),
        (b'{"args": ' + b"[" * 100_000, 400, None, "not JSON"),
        (b'{"args": 1}', 422, ["body", "args"], "object"),
        (b'{"args": {}}', 422, ["body", "args"], "one of image_url"),
        (b'{"args": {"image": "a"}}', 422, ["body", "args"], "unknown field `image`"),
        (b'{"args": {"image_url": 3}}', 422, ["body", "args", "image_url"], "str"),
        (b'{"args": {"image_url": ""}}', 422, ["body", "args", "image_url"], "empty"),
        (b'{"args": {"image_urls": []}}', 422, ["body", "args", "image_urls"], "got 0"),
        (b'{"args": {"image_urls": ["a", null]}}', 422, ["body", "args", "image_urls", 1], "str"),
        (b'{"args": {"image_url": "a", "images": ["a"]}}', 422, ["body", "args"], "image_url and images"),
        (b'{"args": {"images": ["a", 7]}}', 422, ["body", "args", "images", 1], "raw image"),
        (b'{"args": {"images": ["a"], "scale_s3_url": 1}}', 422, ["body", "args", "scale_s3_url"], "bool"),
        (b'{"args": {"images": ["a"]}, "return_pickled": true}', 400, None, "pickles nothing"),
        (b'{"args": {"images": ["a"]}, "cloudpickle": "gASV"}', 400, None, "cloudpickle"),
        (b'{"args": {"images": ["a"]}, "callback_url": "http://x"}', 400, None, "callback_url"),
    ],
)
def test_a_malformed_body_is_refused_with_its_place(http, body, status, place, says):
    answer = http.post(f"{V0}/task_async/size", content=body)
    assert answer.status_code == status, answer.text
    if place is None:
        assert says in answer.json()["detail"]
    else:
        (problem,) = answer.json()["detail"]
        assert problem["loc"] == place
        assert says in problem["msg"]


def test_a_body_above_the_limit_is_refused_declared_or_not(endpoint):
    large = b'{"args": {"images": ["' + b"a" * (1 << 20) + b'"]}}'
    with connect(endpoint) as http:
        assert http.post(f"{V0}/task_async/size", content=large).status_code == 413
    with connect(endpoint) as http:
        assert http.post(f"{V0}/task_async/size", content=iter([large])).status_code == 413


def test_a_submission_repeated_under_its_key_is_one_task(http):
    def submit(key, body=BODY):
        return http.post(f"{V0}/task_async/size", json=body, headers={"idempotency-key": key})

    first = submit("run-1/task-7").json()
    poll(http, f"{V0}/task/result/{first['task_id']}")
    assert submit("run-1/task-7").json() == first
    assert submit("run-1/task-8").json() != first
    other = submit("run-1/task-7", {"args": {"images": [[[[0, 0, 0]]]]}})
    assert other.status_code == 409
    assert "used before" in other.json()["detail"]
