// The page: an image and a version are chosen, the answer is shown. What comes from outside is set as text, never HTML.

import * as api from "/playground/api.js";
import { Viewer, colour } from "/playground/viewer.js";

const $ = (id) => document.getElementById(id);
const viewer = new Viewer($("view"));
const SHOWN_TEXT = 200_000;

const state = { url: "", name: "", task: "", result: "", tab: "json", answer: null, asking: null };

function say(text, bad = false) {
  $("status").textContent = text;
  $("status").classList.toggle("bad", bad);
}

function complain(error) {
  if (error.name === "AbortError") return;
  if (error.status === 401) {
    $("key-form").hidden = false;
    $("key").focus();
    say("This endpoint needs its API key.", true);
    return;
  }
  say(error.message, true);
}

// --- choosing --------------------------------------------------------------------------------------

async function start() {
  try {
    const listed = await api.endpoints();
    $("version").replaceChildren(...listed.map(({ name, bundle_name: version, metadata }) => {
      const option = document.createElement("option");
      option.value = name;
      option.textContent = metadata.production ? `${name} (${version})` : name;
      return option;
    }));
    $("key-form").hidden = true;
    const samples = await api.samples();
    $("samples").replaceChildren(...samples.map(sampleButton));
  } catch (error) {
    complain(error);
  }
}

function sampleButton({ name, url }) {
  const button = document.createElement("button");
  button.type = "button";
  button.title = name;
  button.setAttribute("aria-label", `Sample ${name}`);
  button.setAttribute("aria-pressed", "false");
  const picture = document.createElement("img");
  picture.alt = "";
  button.append(picture);
  api.sample(name).then((blob) => { picture.src = URL.createObjectURL(blob); }).catch(complain);
  button.addEventListener("click", async () => {
    try {
      await choose(name, await api.sample(name), url);
      mark(button);
    } catch (error) {
      complain(error);
    }
  });
  return button;
}

function mark(chosen) {
  for (const button of $("samples").children) button.setAttribute("aria-pressed", String(button === chosen));
}

async function openFile(file) {
  if (!file) return;
  mark(null);
  say(`Uploading ${file.name}…`);
  try {
    const { url } = await api.upload(file, new AbortController().signal);
    await choose(file.name, file, url);
  } catch (error) {
    complain(error);
  }
}

async function choose(name, blob, url) {
  // pixels as they are stored, whatever a camera says of its rotation: so does the endpoint read them
  const image = await createImageBitmap(blob, { imageOrientation: "none" });
  Object.assign(state, { name, url });
  $("hint").hidden = true;
  $("view").setAttribute("aria-label", `${name}, ${image.width} by ${image.height} pixels`);
  viewer.setImage(image);
  await ask();
}

// --- asking ----------------------------------------------------------------------------------------

async function ask() {
  if (!state.url) return;
  state.asking?.abort();
  const asking = (state.asking = new AbortController());
  const version = $("version").value;
  Object.assign(state, { task: "", result: "", answer: null });
  viewer.setAnswer({ labels: [], items: [] });
  showAnswer();
  say(`Asking ${version}…`);
  try {
    const { task, result, took } = await api.ask(version, state.url, asking.signal);
    const answer = await api.drawing(task, asking.signal);
    Object.assign(state, { task, result, answer, took, version });
    viewer.setAnswer(answer);
    showAnswer();
  } catch (error) {
    if (state.asking === asking) complain(error);
  }
}

function showAnswer() {
  const { answer } = state;
  viewer.shown.hidden.clear();
  const counts = new Map();
  for (const item of answer?.items ?? []) counts.set(item.label, (counts.get(item.label) ?? 0) + 1);
  $("labels").replaceChildren($("labels").firstElementChild, ...[...counts].map(([label, count]) => labelBox(label, count)));
  $("downloads").replaceChildren(...(answer?.downloads ?? []).map(downloadButton));
  showCount();
  showText();
}

function labelBox(label, count) {
  const box = document.createElement("label");
  const check = document.createElement("input");
  check.type = "checkbox";
  check.checked = true;
  check.addEventListener("change", () => {
    viewer.shown.hidden[check.checked ? "delete" : "add"](label);
    viewer.paint();
    showCount();
  });
  const swatch = document.createElement("canvas");
  swatch.width = swatch.height = 1;
  const paint = swatch.getContext("2d");
  paint.fillStyle = `rgb(${colour(label).join(" ")})`;
  paint.fillRect(0, 0, 1, 1);
  const number = document.createElement("span");
  number.textContent = count;
  box.append(check, swatch, state.answer.labels[label], number);
  return box;
}

function showCount() {
  if (!state.answer) return;
  const total = state.answer.items.length, seen = viewer.visible().length;
  const shown = seen === total ? `${total}` : `${seen} of ${total}`;
  say(`${state.name}: ${shown} found by ${state.version} in ${Math.round(state.took)} ms`);
}

function downloadButton(kind) {
  const names = { coco: "COCO", rle: "RLE", geojson: "GeoJSON" };
  const endings = { coco: "json", rle: "jsonl", geojson: "geojson" };
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = `↓ ${names[kind]}`;
  button.setAttribute("aria-label", `Download as ${names[kind]}`);
  button.addEventListener("click", async () => {
    try {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(await api.download(state.task, kind));
      link.download = `answer-${kind}.${endings[kind]}`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
    } catch (error) {
      complain(error);
    }
  });
  return button;
}

// --- texts -----------------------------------------------------------------------------------------

function text() {
  const base = `${location.origin}/v1/hosted_inference`;
  const name = $("version").value;
  const url = state.url || "IMAGE_URL";
  if (state.tab === "curl") {
    const body = JSON.stringify(api.body(url)).replaceAll("'", "'\\''");
    return `curl -u "$SCALE_API_KEY:" '${base}/task_async/${name}' \\\n  -d '${body}'\n\n`
      + `curl -u "$SCALE_API_KEY:" '${base}/endpoints/${name}/task_async/${state.task || "TASK_ID"}'\n`;
  }
  if (state.tab === "python") {
    return `from rapideval.endpoint.prediction import predict\n\n`
      + `# the key comes from the environment variable SCALE_API_KEY\n`
      + `with predict(${JSON.stringify(url)}, ${JSON.stringify(name)}, "run",\n`
      + `             base_url=${JSON.stringify(base)}) as results:\n`
      + `    print(results.dataset())\n`;
  }
  return state.result;
}

// Rows of a bitmask, one after another: shown as how many there are.
const ROWS = /\[[01](?:,[01])*\](?:,\[[01](?:,[01])*\])+/g;

/** JSON as people can read it: each bitmask by its size. */
function brief(result) {
  return result.replace(ROWS, (rows) => {
    const width = (rows.indexOf("]")) / 2, height = rows.split("]").length - 1;
    return rows.length < 80 ? rows : `… ${height} × ${width} bits …`;
  });
}

function showText() {
  const whole = state.tab === "json" ? brief(state.result) : text();
  const cut = whole.length > SHOWN_TEXT;
  $("text").textContent = cut ? `${whole.slice(0, SHOWN_TEXT)}\n… ${whole.length.toLocaleString()} characters: Copy takes all` : whole;
}

function choseTab(name) {
  state.tab = name;
  for (const tab of document.querySelectorAll('[role="tab"]')) {
    const chosen = tab.id === `tab-${name}`;
    tab.setAttribute("aria-selected", String(chosen));
    tab.tabIndex = chosen ? 0 : -1;
  }
  $("text").setAttribute("aria-labelledby", `tab-${name}`);
  showText();
}

// --- events ----------------------------------------------------------------------------------------

$("key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  api.setKey($("key").value);
  $("key").value = "";
  say("Choose an image.");
  start();
});
$("version").addEventListener("change", ask);
$("open").addEventListener("click", () => $("file").click());
$("file").addEventListener("change", () => openFile($("file").files[0]));
$("drop").addEventListener("dragover", (event) => { event.preventDefault(); $("drop").classList.add("over"); });
$("drop").addEventListener("dragleave", () => $("drop").classList.remove("over"));
$("drop").addEventListener("drop", (event) => {
  event.preventDefault();
  $("drop").classList.remove("over");
  openFile(event.dataTransfer.files[0]);
});
$("score").addEventListener("input", () => {
  const score = Number($("score").value);
  $("score-value").textContent = score.toFixed(2);
  viewer.show({ score });
  showCount();
});
for (const kind of ["masks", "boxes", "names"]) {
  $(`show-${kind}`).addEventListener("change", (event) => viewer.show({ [kind]: event.target.checked }));
}
$("fit").addEventListener("click", () => viewer.fit());
$("larger").addEventListener("click", () => viewer.zoom(1.25));
$("smaller").addEventListener("click", () => viewer.zoom(0.8));
const tabs = ["json", "curl", "python"];
tabs.forEach((name, place) => {
  $(`tab-${name}`).addEventListener("click", () => choseTab(name));
  $(`tab-${name}`).addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const next = tabs[(place + step + tabs.length) % tabs.length];
    choseTab(next);
    $(`tab-${next}`).focus();
  });
});
$("copy").addEventListener("click", async () => {
  await navigator.clipboard.writeText(text());
  $("copy").textContent = "Copied";
  setTimeout(() => { $("copy").textContent = "Copy"; }, 1500);
});

if (!api.findKey()) $("key-form").hidden = false;
start();
