"""CAP and Open311: what other systems read."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import urlencode
from xml.etree import ElementTree as ET

import pytest
import xmlschema

from center.feeds.cap import ATOM, CAP
from contracts.kinds import OPEN_STAGES
from contracts.ports import Page, Query, What
from tests.unit.center.conftest import TOKENS, Client, Serve
from tests.unit.center.scene import Scene

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.mark.recordings
def test_every_alert_is_valid_cap_1_2(client: Client, scene: Scene, recordings: Path) -> None:
    schema = xmlschema.XMLSchema(str(recordings / "cap" / "CAP-v1.2.xsd"))
    # The check must be able to fail.
    with pytest.raises(xmlschema.XMLSchemaValidationError):
        schema.validate(f'<alert xmlns="{CAP}"><identifier>x</identifier></alert>')
    for kind in ("flooding", "severed_cable", "high_altitude_throw", "citizen_report"):
        scene.happen(kind, address="bad \x07 & <x>")
    root = ET.fromstring(client.get("/feeds/cap.atom").body)
    alerts = root.findall(f".//{{{CAP}}}alert")
    assert len(alerts) == 4
    for alert in alerts:
        schema.validate(alert)
    schema.validate(client.get("/feeds/cap/t-1.xml").body.decode())


def test_the_feed_is_atom_with_open_tickets_only(client: Client, scene: Scene) -> None:
    scene.happen("flooding")
    scene.happen("flooding")
    for stage in ("accepted", "arrived", "disposed", "verified", "closed"):
        scene.desk.step("t-1", stage, "a")
    reply = client.get("/feeds/cap.atom")
    assert reply.headers["content-type"].startswith("application/atom+xml")
    root = ET.fromstring(reply.body)
    for name in ("id", "title", "updated"):
        assert root.find(f"{{{ATOM}}}{name}") is not None
    entry, over = root.findall(f"{{{ATOM}}}entry")
    texts = [node.text or "" for node in entry.iter(f"{{{CAP}}}event")]
    assert texts == ["道路积水", "Flooding"]
    assert (entry.findtext(f"{{{ATOM}}}id") or "").endswith("ticket:t-2")
    assert {n.text for n in over.iter(f"{{{CAP}}}responseType")} == {"AllClear"}


def test_a_subscriber_hears_alert_updates_and_the_all_clear(
    client: Client, scene: Scene, recordings: Path
) -> None:
    schema = xmlschema.XMLSchema(str(recordings / "cap" / "CAP-v1.2.xsd"))
    scene.happen("severed_cable")
    said = []
    for stage in ("accepted", "arrived", "disposed", "reworked", "disposed", "verified", "closed"):
        scene.desk.step("t-1", stage, "a")
    for number in range(1, 6):
        text = client.get(f"/feeds/cap/t-1~{number}.xml").body.decode()
        schema.validate(text)
        root = ET.fromstring(text)
        references = (root.findtext(f"{{{CAP}}}references") or "").split()
        assert [r.split(",")[1] for r in references] == [f"t-1~{n}" for n in range(1, number)]
        said.append((root.findtext(f"{{{CAP}}}msgType"), root.findtext(f".//{{{CAP}}}urgency")))
    assert said == [("Alert", "Immediate"), *[("Update", "Immediate")] * 3, ("Update", "Past")]
    assert client.get("/feeds/cap/t-1~6.xml").status == 404
    newest = client.get("/feeds/cap/t-1.xml").body
    assert newest == client.get("/feeds/cap/t-1~5.xml").body


def test_what_was_withdrawn_is_cancelled(client: Client, scene: Scene) -> None:
    scene.happen("flooding")
    scene.desk.step("t-1", "void", "router")
    root = ET.fromstring(client.get("/feeds/cap/t-1.xml").body)
    assert root.findtext(f"{{{CAP}}}msgType") == "Cancel"
    assert root.findtext(f"{{{CAP}}}references")
    assert "已撤销" in (root.findtext(f".//{{{CAP}}}headline") or "")


def test_a_utilitys_part_is_no_alert_of_its_own(client: Client, scene: Scene) -> None:
    scene.happen("severed_cable")
    scene.desk.amend("t-1", parent="t-0")
    assert b"<entry" not in client.get("/feeds/cap.atom").body
    assert client.get("/feeds/cap/t-1.xml").status == 404


def test_an_alert_says_what_people_should_do_in_both_languages(
    client: Client, scene: Scene
) -> None:
    scene.happen("severed_cable")
    text = client.get("/feeds/cap/t-1.xml").body.decode()
    assert "8米" in text
    assert "8 m away" in text


def test_nobody_is_named_in_a_public_feed(client: Client, scene: Scene) -> None:
    scene.happen("high_altitude_throw")
    worker = scene.city.workers["w-05"].name
    for path in ("/feeds/cap.atom", "/open311/v2/requests.json"):
        text = client.get(path).body.decode()
        assert "F17-3" not in text
        assert worker not in text


def test_open311_lists_services_and_requests(client: Client, scene: Scene) -> None:
    scene.happen("flooding")
    scene.happen("severed_cable")
    services = client.get("/open311/v2/services.json").json
    assert {"service_code": "flooding", "service_name": "道路积水"}.items() <= services[1].items()
    (request,) = client.get("/open311/v2/requests.json?service_code=flooding&status=open").json
    assert request["service_request_id"] == "t-1"
    assert request["agency_responsible"] == "市政排水公司"
    assert client.get("/open311/v2/requests.json?status=closed").json == []
    both = client.get("/open311/v2/requests.json?service_request_id=t-2,t-9").json
    assert [r["service_request_id"] for r in both] == ["t-2"]
    assert client.get("/open311/v2/requests/t-2.json").json[0]["status_notes"] == "dispatched"


def test_open311_takes_a_report(client: Client, scene: Scene) -> None:
    form = {"service_code": "flooding", "lat": "30.2", "long": "120.1", "description": "积水",
            "first_name": "王", "phone": "1"}  # fmt: skip
    reply = client.post("/open311/v2/requests.json", urlencode(form).encode(), headers=FORM)
    assert reply.status == 201
    ((_, payload),) = scene.desk.reports
    sent = json.loads(payload)
    assert (sent["text"], sent["reporter"]) == ("积水", "王 1")
    (given,) = reply.json
    assert given["token"].startswith("e-")
    # Not routed yet: the token is known by its form, the request is not.
    path = f"/open311/v2/tokens/{given['token']}.json"
    assert client.get(path).json == [{"token": given["token"], "service_request_id": None}]
    assert client.get("/open311/v2/tokens/nonsense.json").status == 404


def test_a_report_is_followed_to_its_ticket(client: Client, scene: Scene) -> None:
    scene.happen("citizen_report")
    (told,) = client.get("/open311/v2/tokens/e-citizen_report-1.json").json
    assert told["service_request_id"] == "t-1"


def test_open311_speaks_xml_as_well(client: Client, scene: Scene) -> None:
    scene.happen("flooding", address="bad \x07 & <x>")
    root = ET.fromstring(client.get("/open311/v2/requests.xml").body)
    assert root.tag == "service_requests"
    assert root.findtext("request/service_request_id") == "t-1"
    services = ET.fromstring(client.get("/open311/v2/services.xml").body)
    assert services.findtext("service/metadata") == "false"
    form = urlencode({"service_code": "ufo", "lat": "1", "long": "1", "description": "x"}).encode()
    errors = client.post("/open311/v2/requests.xml", form, headers=FORM)
    assert errors.status == 400
    assert ET.fromstring(errors.body).findtext("error/code") == "400"
    definition = client.get("/open311/v2/services/flooding.json").json
    assert definition == {"service_code": "flooding", "attributes": []}


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"service_code": "ufo", "lat": "1", "long": "1", "description": "x"}, 400),
        ({"service_code": "flooding", "lat": "x", "long": "1", "description": "x"}, 400),
        ({"service_code": "flooding", "lat": "nan", "long": "1", "description": "x"}, 400),
        ({"service_code": "flooding", "lat": "1", "long": "1"}, 400),
    ],
)
def test_open311_errors_are_in_its_own_form(
    client: Client, scene: Scene, form: dict[str, str], code: int
) -> None:
    reply = client.post("/open311/v2/requests.json", urlencode(form).encode(), headers=FORM)
    assert reply.status == code
    assert reply.json[0]["code"] == code
    assert reply.json[0]["description"]
    assert scene.desk.reports == []


def test_open311_takes_its_token_as_api_key(serve: Serve, scene: Scene) -> None:
    client = serve(tokens=TOKENS)
    form = urlencode(
        {"service_code": "flooding", "lat": "30.2", "long": "120.1", "description": "x"}
    ).encode()
    path = "/open311/v2/requests.json"
    assert client.post(path, form, headers=FORM).status == 401
    assert client.post(f"{path}?api_key=reporter-token-0001", form, headers=FORM).status == 201
    # Elsewhere a token in the address would end in logs and histories.
    assert client.get("/api/v1/tickets?api_key=reporter-token-0001").status == 400


def test_what_was_cancelled_and_goes_on_is_told_anew(client: Client, scene: Scene) -> None:
    scene.happen("flooding")
    scene.desk.step("t-1", "cancelled", "center", stage=None)
    scene.desk.step("t-1", "dispatched", "center")  # the merge was undone
    root = ET.fromstring(client.get("/feeds/cap/t-1.xml").body)
    assert root.findtext(f"{{{CAP}}}msgType") == "Alert"
    assert "AllClear" not in {n.text for n in root.iter(f"{{{CAP}}}responseType")}
    assert (root.findtext(f"{{{CAP}}}references") or "").count("t-1~") == 2
    scene.desk.step("t-1", "verified", "sensor")
    root = ET.fromstring(client.get("/feeds/cap/t-1.xml").body)
    assert {n.text for n in root.iter(f"{{{CAP}}}responseType")} == {"AllClear"}


def test_a_merge_undone_after_the_work_was_done_alerts_nobody(client: Client, scene: Scene) -> None:
    for number, stage in enumerate(("disposed", "verified"), 1):
        ticket = f"t-{number}"
        scene.happen("flooding")
        scene.desk.step(ticket, stage, "center")
        scene.desk.step(ticket, "cancelled", "center", stage=None)
        scene.desk.step(ticket, stage, "center")
        root = ET.fromstring(client.get(f"/feeds/cap/{ticket}.xml").body)
        assert root.findtext(f"{{{CAP}}}msgType") == "Update"
        clear = {n.text for n in root.iter(f"{{{CAP}}}responseType")} == {"AllClear"}
        assert clear is (stage == "verified")


def test_an_older_message_says_the_stage_of_its_time(client: Client, scene: Scene) -> None:
    scene.happen("flooding")
    scene.desk.step("t-1", "disposed", "w-1")
    scene.desk.step("t-1", "verified", "sensor")
    stages = []
    for name in ("t-1~1", "t-1~2", "t-1~3", "t-1"):
        root = ET.fromstring(client.get(f"/feeds/cap/{name}.xml").body)
        stages.append(root.findtext(f".//{{{CAP}}}parameter/{{{CAP}}}value"))
    assert stages == ["filed", "disposed", "verified", "verified"]


def test_open_requests_are_asked_for_and_what_is_closed_is_not_read(
    client: Client, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        scene.happen("flooding")
    scene.happen("street_light_out")
    scene.desk.step("t-1", "closed", "center")
    asked: list[Query] = []
    page = scene.desk.page

    async def listened(what: What, query: Query) -> Page:
        asked.append(query)
        return await page(what, query)

    monkeypatch.setattr(scene.desk, "page", listened)
    base = "/open311/v2/requests.json"

    def shown(more: str) -> list[str]:
        return [r["service_request_id"] for r in json.loads(client.get(f"{base}?{more}").body)]

    assert shown("status=open") == ["t-4", "t-3", "t-2"]
    assert {query.stage for query in asked} == set(OPEN_STAGES)
    assert shown("status=closed") == ["t-1"]
    assert shown("status=open&service_code=street_light_out") == ["t-4"]
    assert shown("service_code=flooding") == ["t-3", "t-2", "t-1"]
    assert {query.kind for query in asked[-1:]} == {"flooding"}


def test_rounds_and_parts_are_no_requests_however_they_are_asked_for(
    client: Client, scene: Scene
) -> None:
    scene.happen("flooding")
    scene.happen("patrol")
    scene.happen("flooding")
    scene.desk.amend("t-3", parent="t-1")
    base = "/open311/v2/requests"
    for path in (f"{base}.json", f"{base}.json?service_request_id=t-1,t-2,t-3"):
        shown = json.loads(client.get(path).body)
        assert [item["service_request_id"] for item in shown] == ["t-1"]
    assert client.get(f"{base}/t-1.json").status == 200
    assert client.get(f"{base}/t-2.json").status == 404
    assert client.get(f"{base}/t-3.json").status == 404
