// Durable tasks in npm bpmn-engine, beside our engine (see cases.py for ours and SpiffWorkflow), on the
// very drawings our engine measures.
//
//     cargo build --release -p cases --example tasks
//     node benches/cases_npm.mjs [cases]
//
// Node 18 or newer. The package is installed by this script into a temporary folder, which goes away
// with it. The loop is that of cases.py: after every task the state is serialised and kept, before
// the next one it is loaded again and the engine recovered and resumed. It is kept in a file per case
// with fsync, which costs no more than the SQLite of the others: the peer is favoured. It has no
// history, no inbox and no audit to write.

import { execFileSync } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";

const PACKAGE = "bpmn-engine@25.0.1";
const CASES = Number(process.argv[2] ?? 200);
const target = process.env.CARGO_TARGET_DIR ?? "target";
const ours = path.join(target, "release/examples/tasks");

function data(number) {
  const materials = [];
  for (let m = 0; m < 8; m += 1) {
    const code = `M${String(m).padStart(3, "0")}`;
    materials.push({ code, source: "register", key: `doc-${number}-${m}` });
  }
  return {
    office: "housing", applicant: `张三${number}`, phone: "13800000000",
    item: "住房公积金提取", address: "示例市示例区示例街道示例路 1 号 2 单元 301 室",
    amount: 35000 + number, bank: "示例银行示例支行",
    account: `62220000${String(number).padStart(11, "0")}`, materials,
  };
}

/** Keeps the state of a case so that it survives the power going. */
function keep(folder, number, text) {
  const file = fs.openSync(path.join(folder, `${number}.json`), "w");
  try {
    fs.writeSync(file, text);
    fs.fsyncSync(file);
  } finally {
    fs.closeSync(file);
  }
  return Buffer.byteLength(text);
}

function load(folder, number) {
  return JSON.parse(fs.readFileSync(path.join(folder, `${number}.json`), "utf8"));
}

/** Begins a case; answers the bytes of its state. */
async function begin(Engine, folder, source, number) {
  const engine = new Engine({ name: String(number), source });
  const execution = await engine.execute({ variables: data(number) });
  const state = JSON.stringify(await execution.getState());
  await execution.stop();
  return keep(folder, number, state);
}

/** Loads a case, completes the task it waits at, keeps it; answers whether it ended, and the bytes. */
async function complete(Engine, folder, number) {
  const engine = new Engine().recover(load(folder, number));
  const execution = await engine.resume();
  const [waiting] = execution.getPostponed().filter((each) => each.type === "bpmn:UserTask");
  if (!waiting) throw new Error(`case ${number} waits at no task`);
  const ended = once(engine, "end");
  execution.environment.variables.opinion = "同意";
  waiting.signal({ opinion: "同意" });
  // What follows a signal is done before it returns, except the end itself.
  const over = !execution.getPostponed().some((each) => each.type === "bpmn:UserTask");
  if (over) await ended;
  const state = JSON.stringify(await execution.getState());
  if (!over) await execution.stop();
  return { over, bytes: keep(folder, number, state) };
}

function percentile(sorted, share) {
  return sorted[Math.min(Math.floor(sorted.length * share), sorted.length - 1)] ?? 0;
}

function median(values) {
  return percentile([...values].sort((a, b) => a - b), 0.5);
}

/** Takes a case through all of its tasks; answers how long each took, in milliseconds. */
async function through(Engine, folder, source, number) {
  const times = [];
  let bytes = await begin(Engine, folder, source, number);
  for (let over = false; !over; ) {
    const at = performance.now();
    const done = await complete(Engine, folder, number);
    times.push(performance.now() - at);
    over = done.over;
    bytes = Math.max(bytes, done.bytes);
  }
  return { times, bytes };
}

function show(found) {
  const rounded = Object.entries(found).map(([name, value]) => [
    name,
    typeof value === "number" ? Math.round(value * 100) / 100 : value,
  ]);
  console.log("bpmn-engine  ", JSON.stringify(Object.fromEntries(rounded)));
}

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "cases-npm-"));
try {
  const install = ["install", "--prefix", folder, "--no-audit", "--no-fund", "--ignore-scripts", PACKAGE];
  execFileSync("npm", install, { stdio: ["ignore", "ignore", "inherit"] });
  const installed = path.join(folder, "node_modules/bpmn-engine/lib/index.cjs");
  const { Engine } = await import(pathToFileURL(installed).href);
  const [five, long] = execFileSync(ours, ["drawings"], { encoding: "utf8" }).split("\n");

  const times = [];
  let bytes = 0;
  const began = performance.now();
  for (let number = 0; number < CASES; number += 1) {
    const done = await through(Engine, folder, five, number);
    times.push(...done.times);
    bytes = Math.max(bytes, done.bytes);
  }
  const seconds = (performance.now() - began) / 1000;
  times.sort((a, b) => a - b);
  show({
    what: "tasks", cases: CASES, at_once: 1, seconds, completions_per_s: times.length / seconds,
    p50_ms: percentile(times, 0.5), p99_ms: percentile(times, 0.99), state_bytes: bytes,
  });

  const one = await through(Engine, folder, long, CASES);
  const middle = Math.floor(one.times.length / 2);
  show({
    what: "long", tasks: one.times.length, first_50_ms: median(one.times.slice(0, 50)),
    middle_50_ms: median(one.times.slice(middle - 25, middle + 25)),
    last_50_ms: median(one.times.slice(-50)), state_bytes: one.bytes,
  });
} finally {
  fs.rmSync(folder, { recursive: true, force: true });
}
