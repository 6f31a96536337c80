#!/usr/bin/env python3
"""The one window under load, over HTTP, against a running release program on SQLite with fsync.

Whole applications are made as a counter makes them: a draft for a person, its answers, three papers
of 100 kB each, handed in; then the receipt is a signed PDF. They arrive at an offered rate, not one
after the other's answer: the time of each is counted from when it was due, so that waiting counts.

    benches/window.py [--rate 100] [--seconds 45] [--workers 32] [--program target/release/jicheng]

Prints: reached rate of whole applications, p50 and p99 of the hand-in and of every other request,
how far the letters lag behind at the end, what an application costs of the processor until the load
ends and until its letter is there, and refusals (429, 503) if any. Peer: DIGIT publishes 15
applications a second at 2 s. One clerk may have 50 drafts open, so no more than 48 workers; a
program may ask 30,000 times a minute, so no more than 45 seconds of 100. What limits is the
processor: the one thread that writes, and letters drawn meanwhile.
"""

import argparse
import datetime
import http.client
import json
import os
import queue
import socket
import subprocess
import sys
import tempfile
import threading
import time

WEIGHTS = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]
PAPER = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 72 72]>>endobj\n4 0 obj<</Length 99000>>stream\n"
    + b"0 0 m " * 16500
    + b"\nendstream endobj\nxref\n0 1\n0000000000 65535 f \ntrailer<</Size 5/Root 1 0 R>>\nstartxref\n99200\n%%EOF\n"
)


def citizen(n):
    """A synthetic citizen number of area 130199 (GB 11643) and a name."""
    day = datetime.date(1970, 1, 1) + datetime.timedelta(days=n // 900)
    body = f"130199{day:%Y%m%d}{n % 900 + 1:03d}"
    check = "10X98765432"[sum(int(d) * w for d, w in zip(body, WEIGHTS)) % 11]
    return body + check, "演示" + "甲乙丙丁戊己庚辛壬癸"[n % 10]


class Client:
    """One connection, kept open."""

    def __init__(self, port, token=None):
        self.port, self.token, self.line = port, token, None

    def call(self, method, path, body=None, media="application/json"):
        data = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        head = {"content-type": media}
        if self.token:
            head["authorization"] = "Bearer " + self.token
        if self.line is None:
            self.line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
            self.line.connect()
            self.line.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.line.request(method, path, data, head)
        answer = self.line.getresponse()
        text = answer.read()
        return answer.status, json.loads(text) if text[:1] in (b"{", b"[") else text


def good(answer, what):
    status, body = answer
    if not 200 <= status < 300:
        raise RuntimeError(f"{what}: {status} {str(body)[:600]}")
    return body


def apply(client, n, due, times, papers):
    number, name = citizen(n)
    holder = {"document": "citizen_number", "number": number, "name": name}
    behalf = {"holder": holder, "mobile": "13900000001", "seen": "核对身份证原件"}

    def timed(what, *call):
        begun = time.monotonic()
        body = good(client.call(*call), what)
        times.append((what, time.monotonic() - begun))
        return body

    new = {"item": "food_business_permit", "channel": "counter", "on_behalf": behalf}
    draft = timed("begin", "POST", "/api/v1/drafts", new)["id"]
    answers = {
        "has_licence": False, "premises": "示例路 1 号", "area": 80, "business": "catering", "items": "热食类食品制售",
        "online": False, "responsible": name, "responsible_mobile": "13900000001", "safety_manager": "演示管理员",
        "raw_food": False, "seats": 20,
    }
    timed("save", "PATCH", f"/api/v1/drafts/{draft}", {"answers": answers, "delivery": {"way": "electronic"}})
    for part in papers:
        path = f"/api/v1/uploads/{draft}/{part}?name=paper.pdf"
        timed("paper", "POST", path, PAPER, "application/octet-stream")
    begun = time.monotonic()
    receipt = good(client.call("POST", f"/api/v1/drafts/{draft}/submit"), "submit")
    ended = time.monotonic()
    times.append(("submit", ended - begun))
    times.append(("whole", ended - due))
    return receipt["application"]["id"]


def load(port, token, rate, seconds, workers, first):
    """Applications at a rate; answers times, failures, identifications, seconds."""
    due = queue.Queue()
    times, failures, made = [], [], []
    start = time.monotonic() + 0.5

    def work():
        client = Client(port, token)
        while True:
            n = due.get()
            if n is None:
                return
            at = start + (n - first) / rate
            time.sleep(max(0.0, at - time.monotonic()))
            try:
                made.append(apply(client, n, at, times, ["layout", "safety_rules", "health"]))
            except Exception as fault:  # noqa: BLE001: counted and shown
                failures.append(str(fault))
                client = Client(port, token)

    for n in range(first, first + int(rate * seconds)):
        due.put(n)
    threads = [threading.Thread(target=work) for _ in range(workers)]
    for _ in threads:
        due.put(None)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return times, failures, made, time.monotonic() - start


def percentile(times, what, share):
    some = sorted(t for name, t in times if name == what)
    return round(some[min(len(some) - 1, int(len(some) * share))] * 1000, 1) if some else None


def processor(program):
    """Milliseconds of processor the program has taken so far; Linux."""
    with open(f"/proc/{program.pid}/stat", encoding="utf-8") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")


def lag(client, made):
    """Seconds until the last application's receipt is a signed PDF."""
    begun = time.monotonic()
    while time.monotonic() - begun < 600:
        file = good(client.call("GET", f"/api/v1/service-applications/{made[-1]}"), "the last")
        if any(letter["kind"] == "receipt" and letter["file"] for letter in file["letters"]):
            return round(time.monotonic() - begun, 1)
        time.sleep(0.2)
    return None


def main():
    ask = argparse.ArgumentParser()
    ask.add_argument("--rate", type=float, default=100)
    ask.add_argument("--seconds", type=float, default=45)
    ask.add_argument("--workers", type=int, default=32)
    target = os.environ.get("CARGO_TARGET_DIR", "target")
    ask.add_argument("--program", default=os.path.join(target, "release", "jicheng"))
    given = ask.parse_args()
    free = socket.socket()
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
    free.close()
    with tempfile.TemporaryDirectory() as folder:
        data = os.path.join(folder, "data")
        command = [given.program, "--data", data, "--set", f"http=127.0.0.1:{port}", "--set", "hj212=127.0.0.1:0", "serve", "--demo"]
        with open(os.path.join(folder, "log"), "w+b") as log:
            program = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, "JICHENG_LOG": "warn"})
            try:
                for _ in range(240):
                    log.seek(0)
                    if b"Jicheng is running" in log.read():
                        break
                    time.sleep(0.5)
                with open(os.path.join(data, "demo-accounts.json"), encoding="utf-8") as file:
                    accounts = json.load(file)
                sign = {"account": "clerk", "password": accounts["clerk"]["password"]}
                token = good(Client(port).call("POST", "/api/v1/session", sign), "sign-in")["token"]
                load(port, token, 10, 3, 8, 0)  # warm
                before = processor(program)
                times, failures, made, took = load(port, token, given.rate, given.seconds, given.workers, 1_000)
                load_ms = processor(program) - before
                result = {
                    "what": "window", "offered_per_second": given.rate, "reached_per_second": round(len(made) / took, 1),
                    "applications": len(made), "failures": len(failures), "first_failures": failures[:3],
                    "submit_p50_ms": percentile(times, "submit", 0.5), "submit_p99_ms": percentile(times, "submit", 0.99),
                    "paper_p50_ms": percentile(times, "paper", 0.5), "paper_p99_ms": percentile(times, "paper", 0.99),
                    "save_p99_ms": percentile(times, "save", 0.99), "begin_p99_ms": percentile(times, "begin", 0.99),
                    "whole_p50_ms": percentile(times, "whole", 0.5), "whole_p99_ms": percentile(times, "whole", 0.99),
                    "receipt_lag_s": lag(Client(port, token), made) if made else None,
                    "load_cpu_ms_each": round(load_ms / max(1, len(made)), 2),
                    "whole_cpu_ms_each": round((processor(program) - before) / max(1, len(made)), 2),
                }
                print(json.dumps(result, ensure_ascii=False, indent=1))
                return 1 if failures else 0
            finally:
                program.terminate()
                program.wait(60)


if __name__ == "__main__":
    sys.exit(main())
