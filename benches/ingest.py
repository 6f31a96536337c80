#!/usr/bin/env python3
"""Ingest through the batch API, beside VictoriaMetrics single node, in one run on one machine.

Both get the same bytes (InfluxDB line protocol) made of real HJ 212 traffic looped over simulated
stations, over the same two HTTP connections from the same sender; each runs alone, and is timed
until the last value is queryable. Durability differs and is part of the result: Jicheng
acknowledges after fsync; VictoriaMetrics acknowledges from memory and writes within seconds.

    benches/ingest.py --jicheng PATH [--copies 14] [--queries] [--report FILE]
"""
import argparse, gzip, http.client, json, os, re, shutil, signal, socket, subprocess, sys, tempfile, threading, time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CHUNK = 4 << 20
PERIOD = {"2011": "real_time", "2051": "minute", "2061": "hour", "2031": "day"}
STATISTIC = {"Rtd": "", "Avg": ".mean", "Min": ".min", "Max": ".max", "Cou": ".total"}
VALUE = re.compile(r"([A-Za-z0-9]+)-(Zs)?(Rtd|Avg|Min|Max|Cou)=(-?[0-9]+(?:\.[0-9]+)?)(?=[,;&]|$)")


def corpus_folder():
    folder = Path(os.environ.get("JICHENG_CORPORA", ROOT.parent / "shared" / "corpora")) / "hj212-shijiazhuang"
    return folder if folder.is_dir() else None


def frames(folder):
    """Rows of the corpus: device, period, time in ms, fields."""
    for path in sorted(folder.glob("*.gz")):
        with gzip.open(path, "rt", errors="replace") as lines:
            for line in lines:
                device = re.search(r"MN=([A-Za-z0-9]+)", line)
                command = re.search(r"CN=(\d{4})", line)
                stamp = re.search(r"DataTime=(\d{14})", line)
                if not (line.startswith("##") and device and command and stamp and command[1] in PERIOD):
                    continue
                try:
                    at = time.strptime(stamp[1], "%Y%m%d%H%M%S")
                except ValueError:
                    continue
                fields = {}
                for factor, converted, suffix, value in VALUE.findall(line):
                    fields[factor + STATISTIC[suffix] + (".converted" if converted else "")] = value
                if fields:
                    seconds = int(time.mktime(at)) - 8 * 3600 - time.timezone
                    yield device[1], PERIOD[command[1]], seconds * 1000, fields


def payload(folder, copies):
    """Chunks of line protocol, values in them, and the last row."""
    rows = [(d, f",period={p} " + ",".join(f"{k}={v}" for k, v in f.items()) + f" {t}\n", len(f), p, t, f)
            for d, p, t, f in frames(folder)]
    chunks, part, size, values, series = [], [], 0, 0, set()
    for device, tail, count, period, at, fields in rows:
        for copy in range(copies):
            line = f"{device}x{copy}{tail}"
            part.append(line)
            size += len(line)
            values += count
            if size >= CHUNK:
                chunks.append("".join(part).encode())
                part, size = [], 0
        series.update((device, period, name) for name in fields)
    if part:
        chunks.append("".join(part).encode())
    device, _, _, period, at, fields = rows[-1]
    name, value = next(iter(fields.items()))
    return chunks, values, len(series) * copies, (f"{device}x{copies - 1}", period, at, name, float(value))


def long_payload():
    """50 million values in 100,000 series (10,000 things of 10 properties, 500 rows each), and one
    series of 10,000 points; random walks with the digits instruments show."""
    import random
    draw = random.Random(212)
    digits = [0, 1, 2, 2, 1, 2, 3, 1, 0, 2]
    names = ["a34004", "a21026", "a21005", "a01001", "a01002", "a01007", "w21011", "w01018", "w00000", "a19001"]
    steps = [f"{draw.gauss(0, 1):.3f}" for _ in range(997)]
    steps = [float(x) for x in steps]
    things, rows, begin = 10_000, 500, 1_764_000_000_000
    state = [[20 + (t * 7 + p * 13) % 80 for p in range(10)] for t in range(things)]
    chunks, part, size, values, n = [], [], 0, 0, 0
    for row in range(rows):
        at = begin + row * 60_000
        for t in range(things):
            mine = state[t]
            n += 1
            fields = []
            for p in range(10):
                mine[p] += steps[(n * 10 + p * 101) % 997]
                fields.append(f"{names[p]}={mine[p]:.{digits[p]}f}")
            line = f"S{t:05d},period=real_time {','.join(fields)} {at}\n"
            part.append(line)
            size += len(line)
            values += 10
            if size >= CHUNK:
                chunks.append("".join(part).encode())
                part, size = [], 0
    walk = 50.0
    for k in range(10_000):
        walk += steps[k % 997]
        part.append(f"LONG,period=real_time a34004={walk:.1f} {begin + k * 60_000}\n")
    chunks.append("".join(part).encode())
    return chunks, values + 10_000, things * 10 + 1, ("LONG", "real_time", begin + 9_999 * 60_000, "a34004", round(walk, 1))


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    def __init__(self, command, port, folder, env=None):
        self.port, self.folder = port, folder
        self.log = open(folder / "log.txt", "wb")
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log, env=env)

    def wait(self, path):
        end = time.time() + 60
        while time.time() < end:
            try:
                if self.get(path)[0] == 200:
                    return
            except OSError:
                time.sleep(0.02)
        sys.exit(f"no answer from {path}: see {self.log.name}")

    def request(self, method, path, body=None, headers={}):
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=300)
        link.request(method, path, body, headers)
        answer = link.getresponse()
        data = answer.read()
        link.close()
        return answer.status, data

    def get(self, path, headers={}):
        return self.request("GET", path, None, headers)

    def cpu(self):
        parts = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self, key):
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(key + r":\s+(\d+)", text)[1]) / 1024

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(120)

    def disk(self):
        total = 0
        for path in self.folder.rglob("*"):
            if path.is_file() and path.name != "log.txt":
                total += path.stat().st_size
        return total


def send(server, path, chunks, headers):
    """Two connections take chunks in turn, as a city's two feeders would."""
    todo, lock, faults = list(reversed(chunks)), threading.Lock(), []

    def work():
        link = http.client.HTTPConnection("127.0.0.1", server.port, timeout=300)
        while not faults:
            with lock:
                if not todo:
                    break
                chunk = todo.pop()
            while True:
                link.request("POST", path, chunk, headers)
                answer = link.getresponse()
                text = answer.read()
                if answer.status not in (429, 503):
                    break
                time.sleep(0.05)
            if answer.status not in (200, 204):
                faults.append((answer.status, text[:500]))
        link.close()

    workers = [threading.Thread(target=work) for _ in range(2)]
    [w.start() for w in workers]
    [w.join() for w in workers]
    if faults:
        sys.exit(f"refused: {faults[0]}")


def measure(name, server, path, chunks, headers, queryable, values):
    cpu, begun = server.cpu(), time.time()
    send(server, path, chunks, headers)
    acknowledged = time.time() - begun
    while not queryable():
        time.sleep(0.02)
    elapsed = time.time() - begun
    return {"name": name, "values": values, "elapsed_s": round(elapsed, 2), "acknowledged_s": round(acknowledged, 2),
            "values_per_s": round(values / elapsed), "cpu_s": round(server.cpu() - cpu, 1),
            "peak_memory_mb": round(server.memory("VmHWM"))}


def jicheng(program, chunks, values, last, folder, queries):
    port, gateway = free_port(), free_port()
    base = [program, "--data", str(folder / "data"), "--set", f"http=127.0.0.1:{port}", "--set", f"hj212=127.0.0.1:{gateway}",
            "--set", "log=warn"]
    made = subprocess.run(base + ["account", "token", "bench", "--roles", "feeder"], capture_output=True, text=True)
    if made.returncode:
        sys.exit(made.stderr)
    token = made.stdout.strip()
    server = Server(base + ["serve"], port, folder)
    server.wait("/ready")
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "text/plain"}
    thing, period, at, field, value = last
    prop, *rest = field.split(".")
    kind = ".".join([period] + rest)
    question = f"/api/v1/series/range?thing={thing}&property={prop}&kind={kind}&from={at}&to={at + 1}&step=raw"

    def queryable():
        status, text = server.get(question, headers)
        return status == 200 and any(p[0] == at and p[1] == value for p in json.loads(text).get("points", []))

    result = measure("Jicheng", server, "/api/v1/observations?precision=ms", chunks, headers, queryable, values)
    result["durability"] = "acknowledged after fsync"
    if queries:
        result["queries"] = ask_jicheng(server, headers, last)
    server.stop()
    result["bytes_per_value"] = round(server.disk() / values, 2)
    server = Server(base + ["serve"], port, folder)
    begun = time.time()
    server.wait("/ready")
    result["start_s"] = round(time.time() - begun, 2)
    time.sleep(3)
    result["idle_memory_mb"] = round(server.memory("VmRSS"))
    server.stop()
    return result


def timed(work, times=5):
    best = []
    for _ in range(times):
        begun = time.time()
        work()
        best.append((time.time() - begun) * 1000)
    return round(sorted(best)[len(best) // 2], 1)


def ask_jicheng(server, headers, last):
    names, after = [], ""
    while len(names) < 100_000:
        status, text = server.get(f"/api/v1/series?limit=10000{after}", headers)
        page = json.loads(text)
        names += [{"thing": s["thing"], "property": s["property"], "kind": s["kind"]} for s in page["items"]]
        if not page["next"]:
            break
        after = "&after=" + page["next"].replace("\x1f", "%1F")
    names = names[:100_000]
    body = json.dumps({"series": names})
    post = dict(headers, **{"Content-Type": "application/json"})

    def latest():
        status, text = server.request("POST", "/api/v1/series/latest", body, post)
        assert status == 200 and len(json.loads(text)["items"]) == len(names)

    def served():
        assert server.request("POST", "/api/v1/series/latest", body, post)[0] == 200

    latest()
    answer = {"latest_series": len(names), "latest_ms": timed(served)}
    if last[0] == "LONG":
        path = f"/api/v1/series/range?thing=LONG&property=a34004&from={last[2] - 9_999 * 60_000}&to={last[2] + 1}&step=1%20h"
        status, text = server.get(path, headers)
        assert status == 200 and sum(b[4] for b in json.loads(text)["buckets"]) == 10_000, text[:300]
        answer["range_10000_points_ms"] = timed(lambda: server.get(path, headers))
    return answer


def victoria(program, chunks, values, last, folder, queries):
    port = free_port()
    server = Server([program, f"-storageDataPath={folder}/data", f"-httpListenAddr=127.0.0.1:{port}",
                     "-retentionPeriod=100y", "-search.latencyOffset=0s", "-loggerLevel=WARN",
                     "-search.maxUniqueTimeseries=2000000", "-search.maxStalenessInterval=5m"], port, folder)
    server.wait("/health")
    thing, period, at, field, value = last
    metric = json.dumps(f"{thing}_{field}")
    question = f"/api/v1/export?match[]={{__name__={metric}}}&start={at / 1000}&end={at / 1000 + 1}".replace('"', "%22").replace("{", "%7B").replace("}", "%7D")

    def queryable():
        status, text = server.get(question)
        return status == 200 and any(at in json.loads(line)["timestamps"] for line in text.splitlines())

    result = measure("VictoriaMetrics", server, "/write?precision=ms", chunks, {}, queryable, values)
    result["durability"] = "acknowledged from memory, on disk within seconds"
    if queries:
        body = "query=last_over_time({__name__!=\"\"}[30d])&time=" + str(at / 1000 + 1)
        head = {"Content-Type": "application/x-www-form-urlencoded"}
        status, text = server.request("POST", "/api/v1/query", body, head)
        count = len(json.loads(text)["data"]["result"]) if status == 200 else 0
        result["queries"] = {"latest_series": count,
                             "latest_ms": timed(lambda: server.request("POST", "/api/v1/query", body, head))}
        if last[0] == "LONG":
            path = f"/api/v1/query_range?query=avg_over_time(LONG_a34004%5B1h%5D)&start={at / 1000 - 9_999 * 60}&end={at / 1000}&step=1h"
            assert len(json.loads(server.get(path)[1])["data"]["result"][0]["values"]) > 100
            result["queries"]["range_10000_points_ms"] = timed(lambda: server.get(path + "&nocache=1"))
    # Merged as far as it goes, so that the bytes on disk are its best.
    server.get("/internal/force_flush")
    server.get("/internal/force_merge")
    sizes = []
    while len(sizes) < 60 and (len(sizes) < 5 or len(set(sizes[-5:])) > 1):
        time.sleep(1)
        sizes.append(server.disk())
    server.stop()
    result["bytes_per_value"] = round(server.disk() / values, 2)
    server = Server([program, f"-storageDataPath={folder}/data", f"-httpListenAddr=127.0.0.1:{port}", "-loggerLevel=WARN",
                     "-retentionPeriod=100y"], port, folder)
    begun = time.time()
    server.wait("/health")
    result["start_s"] = round(time.time() - begun, 2)
    time.sleep(3)
    result["idle_memory_mb"] = round(server.memory("VmRSS"))
    server.stop()
    return result


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--jicheng", required=True, help="the program, a release build")
    options.add_argument("--victoria", default=shutil.which("victoria-metrics"), help="VictoriaMetrics single node")
    options.add_argument("--copies", type=int, default=14, help="simulated cities the corpus is looped over")
    options.add_argument("--long", action="store_true", help="50 million values in 100,000 series instead of the corpus")
    options.add_argument("--queries", action="store_true", help="also time the latest values of all series")
    options.add_argument("--report", help="write the figures as JSON")
    options = options.parse_args()
    folder = corpus_folder()
    if folder is None and not options.long:
        sys.exit("the corpus hj212-shijiazhuang is not here; set JICHENG_CORPORA")
    if not options.victoria:
        sys.exit("victoria-metrics is not installed (Debian package victoria-metrics)")
    chunks, values, series, last = long_payload() if options.long else payload(folder, options.copies)
    print(f"{values:,} values, {series:,} series, {sum(map(len, chunks)) / 1e6:.0f} MB of line protocol, {os.cpu_count()} cores")
    results = []
    for run, program in ((jicheng, options.jicheng), (victoria, options.victoria)):
        with tempfile.TemporaryDirectory() as temporary:
            results.append(run(program, chunks, values, last, Path(temporary), options.queries))
            print(json.dumps(results[-1]))
    ours, theirs = results
    for key, better in (("values_per_s", 1), ("cpu_s", -1), ("bytes_per_value", -1), ("peak_memory_mb", -1),
                        ("start_s", -1), ("idle_memory_mb", -1)):
        a, b = ours[key], theirs[key]
        ratio = (a / b if better > 0 else b / a) if a and b else float("nan")
        print(f"{key:16} {a:>12} {b:>12}   {ratio:.2f}x")
    if options.report:
        Path(options.report).write_text(json.dumps({"values": values, "series": series, "results": results}, indent=1))


main()
