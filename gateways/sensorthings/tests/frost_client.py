"""Reads a running city with an existing SensorThings client, FROST's from PyPI.

    pip install frost-sta-client
    python frost_client.py http://HOST:PORT/sta/v1.1 TOKEN

or, as bin/test does, with the address of a demonstration and the file of its accounts:

    BASE_URL=http://HOST:PORT ACCOUNTS=DATA/demo-accounts.json python frost_client.py

Needs a city with at least one datastream of three observations; waits two minutes for one.
Prints what it saw and exits 0 when everything held. The client knows only Basic authentication;
a handler that sets the bearer token takes its place.
"""

import json
import logging
import os
import sys
import time

import frost_sta_client as fsc
import requests


def door():
    """Address of the service and a token, from the arguments or by signing in."""
    if len(sys.argv) == 3:
        return sys.argv[1].rstrip("/"), sys.argv[2]
    if len(sys.argv) != 1 or not {"BASE_URL", "ACCOUNTS"} <= os.environ.keys():
        sys.exit(__doc__)
    base = os.environ["BASE_URL"].rstrip("/")
    with open(os.environ["ACCOUNTS"], encoding="utf-8") as file:
        password = json.load(file)["officer"]["password"]
    person = {"account": "officer", "password": password}
    session = requests.post(base + "/api/v1/session", json=person, timeout=30)
    session.raise_for_status()
    return base + "/sta/v1.1", session.json()["token"]


class Bearer(fsc.AuthHandler, requests.auth.AuthBase):
    """Signs each request with the token of a session."""

    def __init__(self, token):
        super().__init__()
        self.token = token

    def add_auth_header(self):
        return self

    def __call__(self, request):
        # The token is for the city only, should a link ever lead elsewhere.
        if request.url.startswith(BASE):
            request.headers["Authorization"] = "Bearer " + self.token
        return request


def check(condition, what):
    """Says what holds; stops at the first thing that does not."""
    if not condition:
        sys.exit(f"FAILED: {what}")
    print(f"ok  {what}")


def quoted(text):
    """A text literal of a filter."""
    return "'" + text.replace("'", "''") + "'"


def things(service):
    first = service.things().query().count().top(1).list()
    total = first.count
    check(isinstance(total, int) and total > 0, f"$count of Things: {total}")
    ids = [thing.id for thing in first]
    # In a demonstration stations are still connecting for the first time.
    now = service.things().query().count().top(1).list().count
    check(total <= len(ids) <= now, f"Things one a page: {len(ids)}")
    check(len(set(ids)) == len(ids), "none twice")
    found = service.things().find(ids[0])
    check(found.id == ids[0] and found.name, f"a Thing by id: {found.name}")
    named = service.things().query().filter(f"name eq {quoted(found.name)}").list()
    check(ids[0] in [thing.id for thing in named], "a Thing by $filter on its name")
    streams = service.things().find(ids[0]).get_datastreams().query().list()
    check(all(s.unit_of_measurement.symbol is not None for s in streams), "Things/Datastreams")


def count_of(stream):
    """Observations of a datastream."""
    return stream.get_observations().query().count().top(0).list().count


def settled(service):
    """A datastream with at least three observations to which none are being added."""
    end = time.monotonic() + 120
    while time.monotonic() < end:
        page = service.datastreams().query().expand("Thing,Sensor,ObservedProperty").top(50).list()
        known = [(stream, count_of(stream)) for stream in page.entities]
        time.sleep(2)
        for stream, count in known:
            if count is not None and count >= 3 and count_of(stream) == count:
                return stream, count
    sys.exit("FAILED: no datastream has three observations and rests")


def datastreams(service):
    stream, count = settled(service)
    check(stream.thing.id and stream.sensor.id and stream.observed_property.id, "$expand to one")
    check("/" in stream.phenomenon_time, f"phenomenonTime of {stream.id}: {stream.phenomenon_time}")
    query = "Observations($top=2;$orderby=phenomenonTime desc)"
    wanted = service.datastreams().query().filter(f"id eq {quoted(stream.id)}").expand(query)
    nested = wanted.list().get(0).observations
    times = [o.phenomenon_time for o in nested.entities]
    check(len(times) == 2 and times[0] > times[1], f"$expand with $top and $orderby: {times}")
    check((nested.next_link is None) == (count == 2), "the expanded collection has a next link")
    property_id = stream.observed_property.id
    same = service.datastreams().query().filter(f"ObservedProperty/id eq {quoted(property_id)}")
    check(stream.id in [s.id for s in same.list()], f"Datastreams of {property_id} by $filter")
    return stream, count


def observations(stream, count):
    def query():
        return stream.get_observations().query()

    size = max(1, min(1000, count // 3))
    bounded = min(count, 3 * size)
    seen = []
    for observation in query().orderby("phenomenonTime", "asc").top(size).list():
        seen.append(observation)
        if len(seen) == bounded:
            break
    times = [o.phenomenon_time for o in seen]
    check(len(seen) == bounded and times == sorted(set(times)), f"{bounded} Observations by pages")
    check(all(isinstance(o.result, (int, float)) for o in seen), "results are numbers")
    second = times[1]
    later = query().filter(f"phenomenonTime ge {second}").orderby("phenomenonTime", "asc").top(1)
    check(later.list().get(0).phenomenon_time == second, f"$filter phenomenonTime ge {second}")
    before = query().filter(f"phenomenonTime lt {second}").count().top(1).list()
    check(before.count == 1, "$filter phenomenonTime lt, counted")
    value = seen[0].result
    equal = query().filter(f"result eq {value} and phenomenonTime le {times[-1]}").count().list()
    matching = sum(1 for o in seen if o.result == value)
    check(equal.count == matching, f"$filter result eq {value}: {matching}")
    check(all(o.result == value for o in equal.entities), "and only those")
    skipped = query().orderby("phenomenonTime", "asc").skip(2).top(1)
    skipped = skipped.select("phenomenonTime", "result")
    check(skipped.list().get(0).phenomenon_time == times[2], "$skip and $select")
    newest = query().orderby("phenomenonTime", "desc").expand("FeatureOfInterest,Datastream").top(1)
    newest = newest.list().get(0)
    check(newest.datastream.id == stream.id, "$expand of an Observation")
    check(newest.feature_of_interest.feature is not None, "its FeatureOfInterest")


def refusals(service):
    for statement, status in [("colour eq 1", 400), ("name eq", 400), ("frob(name)", 501)]:
        try:
            service.things().query().filter(statement).list()
        except requests.exceptions.HTTPError as error:
            body = error.response.json()
            told = error.response.status_code == status and body["code"] == status
            check(told, f"$filter={statement} refused: {body['message']}")
        else:
            sys.exit(f"FAILED: $filter={statement} was not refused")
    unsigned = requests.get(BASE + "/Things", timeout=30)
    check(unsigned.status_code == 401, "without a token nothing is shown")


# The client logs every refusal as an error; here they are asked for.
logging.disable(logging.ERROR)
BASE, TOKEN = door()
CITY = fsc.SensorThingsService(BASE, auth_handler=Bearer(TOKEN))
things(CITY)
observations(*datastreams(CITY))
refusals(CITY)
