// Requests to the endpoint, with the key that the page was given.

const V0 = "/v1/hosted_inference";
let key = "";

/** Take the key from the address, where it is never sent from, or from this tab's memory. */
export function findKey() {
  const given = new URLSearchParams(location.hash.slice(1)).get("key");
  if (given) {
    setKey(given);
    history.replaceState(null, "", location.pathname);
  } else {
    key = sessionStorage.getItem("key") ?? "";
  }
  return key !== "";
}

export function setKey(text) {
  key = text.trim();
  sessionStorage.setItem("key", key);
}

export class ApiError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

async function request(method, path, body, signal) {
  const bytes = new TextEncoder().encode(`${key}:`);
  const headers = { Authorization: `Basic ${btoa(String.fromCharCode(...bytes))}` };
  const response = await fetch(path, { method, headers, body, signal, credentials: "omit" });
  if (response.ok) return response;
  let detail = `${response.status}`;
  try {
    const said = await response.json();
    detail = typeof said.detail === "string" ? said.detail : said.detail?.[0]?.msg ?? said.error ?? detail;
  } catch { /* not JSON: the status says it */ }
  throw new ApiError(response.status, detail);
}

export const endpoints = async () => (await (await request("GET", `${V0}/endpoints`)).json()).endpoints;
export const samples = async () => (await (await request("GET", "/samples")).json()).samples;
export const sample = async (name) => (await request("GET", `/samples/${encodeURIComponent(name)}`)).blob();
export const upload = async (file, signal) => (await request("POST", "/uploads", file, signal)).json();
export const drawing = async (task, signal) => (await request("GET", `/tasks/${task}/drawing`, undefined, signal)).json();
export const differences = async (task, other, signal) =>
  (await request("GET", `/tasks/${task}/differences/${other}`, undefined, signal)).json();
export const download = async (task, kind) => (await request("GET", `/tasks/${task}/download/${kind}`)).blob();

export function body(url) {
  return { args: { image_url: url }, return_pickled: false };
}

/** Submit an image and poll until it is answered: the task's id, the text of the result, the milliseconds it took. */
export async function ask(endpoint, url, signal) {
  const began = performance.now();
  const name = encodeURIComponent(endpoint);
  const submitted = await request("POST", `${V0}/task_async/${name}`, JSON.stringify(body(url)), signal);
  const task = (await submitted.json()).task_id;
  for (let wait = 20; ; wait = Math.min(wait * 1.3, 1000)) {
    const answer = await (await request("GET", `${V0}/endpoints/${name}/task_async/${task}`, undefined, signal)).json();
    if (answer.state === "SUCCESS") return { task, result: answer.result, took: performance.now() - began };
    if (answer.state !== "PENDING") throw new ApiError(200, answer.traceback ?? "The task failed.");
    await new Promise((resolve) => setTimeout(resolve, wait));
    signal.throwIfAborted();
  }
}
