import type { ThreadProfile } from "./inspector-protocol.js";
import type { ProfilingMode } from "./process-inspection.js";
import { scriptJson } from "./profile-threads.js";

export interface ProfilePageInit {
  readonly title: string;
  /** Of the files that the page saves, without what the thread and the kind add. */
  readonly name: string;
  readonly mode: Exclude<ProfilingMode, "LOCK">;
  /** With their names as people know them. */
  readonly threads: readonly ThreadProfile[];
}

/**
 * A page that shows the flame graph of each thread, and saves its profile as tools take it. It needs nothing else: one file, no network. Names of functions
 * come from users' code, so they are put in as text only.
 */
export function profilePage({ title, name, mode, threads }: ProfilePageInit): string {
  const head = scriptJson({ title, name, unit: mode === "ALLOC" ? "bytes" : "samples", extension: mode === "ALLOC" ? "heapprofile" : "cpuprofile" });
  const each = threads.map(({ name: thread, tree, profile }) => `{"name":${scriptJson(thread)},"tree":${tree},"profile":${profile}}`);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'">
<title>Profile</title>
<style>${style}</style>
</head>
<body>
<h1></h1>
<p><label>Thread <select id="thread"></select></label> <label>Search <input id="search" type="search"></label> <button id="save">Save</button> <span id="matched"></span></p>
<div id="graph"></div>
<p id="told"></p>
<script type="application/json" id="data">{"head":${head},"threads":[${each.join(",")}]}</script>
<script>${script}</script>
</body>
</html>
`;
}

const style = `
body { font: 13px system-ui, sans-serif; margin: 12px; color: #222; background: #fff; }
h1 { font-size: 16px; }
#graph { position: relative; }
#graph div { position: absolute; height: 17px; line-height: 17px; overflow: hidden; white-space: nowrap; text-overflow: ellipsis; font-size: 11px; padding-left: 2px; box-sizing: border-box;
  border: 1px solid #fff; cursor: pointer; }
#graph div:hover, #graph div.found { background: #7ab6f5 !important; }
#told { min-height: 1.5em; }
`;

/** Runs in the browser. A box a frame: what it called is below it, as wide as its share. */
const script = `
const { head, threads } = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);
const HEIGHT = 18, NARROWEST = 0.05;
let thread, shown;
document.title = document.querySelector("h1").textContent = head.title;
threads.sort((a, b) => b.tree.value - a.tree.value);
threads.forEach(({ name, tree }, at) => byId("thread").add(new Option(name + " (" + figure(tree.value) + ")", at)));
byId("save").textContent = "Save as ." + head.extension;

function figure(value) {
  return value.toLocaleString("en") + " " + head.unit;
}
function colour(name) {
  let hash = 0;
  for (let at = 0; at < name.length; at++) hash = (hash * 31 + name.charCodeAt(at)) | 0;
  return "hsl(" + (name.startsWith("task ") ? 120 : name.startsWith("(") ? 220 : 20 + (Math.abs(hash) % 35)) + " " + (name.startsWith("(") ? 15 : 75) + "% " + (68 + (Math.abs(hash >> 8) % 12)) + "%)";
}
/** A node that has been clicked on is as wide as the page, and so is what led to it. */
function show(node) {
  shown = node;
  const wanted = byId("search").value.toLowerCase();
  const boxes = [];
  let depth = 0, matched = 0;
  const put = (one, left, width, level, above) => {
    if (width < NARROWEST) return;
    depth = Math.max(depth, level + 1);
    const found = wanted !== "" && one.name.toLowerCase().includes(wanted);
    if (found && !above) matched += one.value;
    const box = document.createElement("div");
    box.textContent = one.name;
    box.title = one.name + "\\n" + figure(one.value) + ", " + ((100 * one.value) / thread.tree.value).toFixed(1) + " %";
    if (found) box.className = "found";
    Object.assign(box.style, { left: left + "%", width: width + "%", top: level * HEIGHT + "px", background: colour(one.name) });
    box.onclick = () => show(one);
    box.onmouseenter = () => (byId("told").textContent = box.title.replace("\\n", ": "));
    boxes.push(box);
    if (one !== node && level < path.length) return put(path[level + 1] ?? node, 0, 100, level + 1, above);
    let at = left;
    for (const child of one.children) {
      const share = (width * child.value) / one.value;
      put(child, at, share, level + 1, above || found);
      at += share;
    }
  };
  const path = pathTo(thread.tree, node) ?? [thread.tree];
  put(path[0], 0, 100, 0, false);
  byId("graph").replaceChildren(...boxes);
  byId("graph").style.height = depth * HEIGHT + "px";
  byId("matched").textContent = wanted === "" ? "" : "matched: " + figure(matched) + ", " + ((100 * matched) / Math.max(1, node.value)).toFixed(1) + " %";
}
function pathTo(from, node) {
  if (from === node) return [from];
  for (const child of from.children) {
    const rest = pathTo(child, node);
    if (rest !== undefined) return [from, ...rest];
  }
}
function choose() {
  thread = threads[byId("thread").value];
  show(thread.tree);
}
byId("thread").onchange = choose;
byId("search").oninput = () => show(shown);
byId("save").onclick = () => {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([JSON.stringify(thread.profile)], { type: "application/json" }));
  link.download = head.name + "_" + thread.name.replace(/[^A-Za-z0-9._-]+/g, "_") + "." + head.extension;
  link.click();
};
choose();
`;
