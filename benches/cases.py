"""Durable tasks: our engine beside SpiffWorkflow, on the same machine, in the same run, on the same
drawings.

    cargo build --release -p cases --example tasks
    pip install SpiffWorkflow==3.2.0 && python benches/cases.py [cases]

Ours: 32 officers at once over SQLite, every completion with its state, history, event, audit and next
task in one transaction, fsync before it is acknowledged. The peer keeps its state as its
documentation shows: the workflow is serialised after every task and loaded again before the next,
into SQLite with the same settings (write-ahead log, synchronous full). It has no history, no inbox
and no audit to write.
"""

import json
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

from SpiffWorkflow.bpmn.parser import BpmnParser
from SpiffWorkflow.bpmn.serializer import BpmnWorkflowSerializer
from SpiffWorkflow.bpmn.workflow import BpmnWorkflow
from SpiffWorkflow.util.task import TaskState

CASES = int(sys.argv[1]) if len(sys.argv) > 1 else 4000
TARGET = os.environ.get("CARGO_TARGET_DIR", "target")
OURS = os.path.join(TARGET, "release/examples/tasks")


def ours(*given):
    said = subprocess.run([OURS, *map(str, given)], check=True, capture_output=True, text=True)
    return [json.loads(line) for line in said.stdout.splitlines()]


def data(number):
    return {
        "office": "housing", "applicant": f"张三{number}", "phone": "13800000000",
        "item": "住房公积金提取", "address": "示例市示例区示例街道示例路 1 号 2 单元 301 室",
        "amount": 35000 + number, "bank": "示例银行示例支行", "account": f"62220000{number:011}",
        "materials": [
            {"code": f"M{m:03}", "source": "register", "key": f"doc-{number}-{m}"} for m in range(8)
        ],
    }


class Peer:
    def __init__(self, folder, drawing, process):
        parser = BpmnParser()
        parser.add_bpmn_str(drawing.encode())
        self.spec = parser.get_spec(process)
        self.serializer = BpmnWorkflowSerializer()
        self.db = sqlite3.connect(os.path.join(folder, f"{process}.db"), isolation_level=None)
        self.db.execute("PRAGMA journal_mode=wal")
        self.db.execute("PRAGMA synchronous=full")
        self.db.execute("CREATE TABLE workflows (id INTEGER PRIMARY KEY, body TEXT)")

    def keep(self, number, workflow):
        body = self.serializer.serialize_json(workflow)
        self.db.execute("INSERT OR REPLACE INTO workflows VALUES (?, ?)", (number, body))
        return len(body)

    def load(self, number):
        row = self.db.execute("SELECT body FROM workflows WHERE id = ?", (number,)).fetchone()
        return self.serializer.deserialize_json(row[0])

    def begin(self, number):
        workflow = BpmnWorkflow(self.spec)
        workflow.task_tree.data.update(data(number))
        workflow.do_engine_steps()
        return self.keep(number, workflow)

    def complete(self, number):
        workflow = self.load(number)
        ready = workflow.get_tasks(state=TaskState.READY, manual=True)
        ready[0].data["opinion"] = "同意"
        ready[0].run()
        workflow.do_engine_steps()
        return workflow.is_completed(), self.keep(number, workflow)


def peer_tasks(folder, drawing, cases):
    peer = Peer(folder, drawing, "five")
    times, largest, began = [], 0, time.perf_counter()
    for number in range(cases):
        peer.begin(number)
        over = False
        while not over:
            at = time.perf_counter()
            over, size = peer.complete(number)
            times.append((time.perf_counter() - at) * 1000)
            largest = max(largest, size)
    seconds = time.perf_counter() - began
    times.sort()
    return {
        "what": "tasks", "cases": cases, "at_once": 1, "seconds": seconds,
        "completions_per_s": len(times) / seconds, "p50_ms": times[len(times) // 2],
        "p99_ms": times[int(len(times) * 0.99)], "state_bytes": largest,
    }


def peer_long(folder, drawing):
    peer = Peer(folder, drawing, "long")
    size, times, over = peer.begin(0), [], False
    while not over:
        at = time.perf_counter()
        over, size = peer.complete(0)
        times.append((time.perf_counter() - at) * 1000)
    middle = len(times) // 2
    return {
        "what": "long", "tasks": len(times), "first_50_ms": statistics.median(times[:50]),
        "middle_50_ms": statistics.median(times[middle - 25 : middle + 25]),
        "last_50_ms": statistics.median(times[-50:]), "state_bytes": size,
    }


def show(who, found):
    print(who, json.dumps({k: round(v, 2) if isinstance(v, float) else v for k, v in found.items()}))


said = subprocess.run([OURS, "drawings"], check=True, capture_output=True, text=True)
five, long = said.stdout.splitlines()[:2]
with tempfile.TemporaryDirectory() as folder:
    for line in ours("tasks", CASES, 32) + ours("tasks", CASES // 8, 1) + ours("long"):
        show("ours        ", line)
    show("SpiffWorkflow", peer_tasks(folder, five, max(CASES // 20, 50)))
    show("SpiffWorkflow", peer_long(folder, long))
