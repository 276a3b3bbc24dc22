"""The demo from accounts to verdict, on a stack that is up."""

from dataclasses import dataclass
from functools import partial
from random import Random

import httpx2

from ops.demo.closing import print_closing
from ops.demo.display import Display
from ops.demo.http_part import HttpPart
from ops.demo.kafka_part import KafkaPart
from ops.demo.tally import Tally
from ops.demo.verdict import compare
from ops.load.access import ApiAccess
from ops.load.kafka_sender import kafka_sender
from ops.load.report import FloodReport, LoadReport
from ops.load.settling import calm_down, wait_settled
from ops.reconcile.report import Report
from ops.reconcile.run import reconcile
from ops.reconcile.table import print_report
from schemas.settings import Settings
from sinks.postgres.pool import connect


@dataclass(slots=True)
class Sending:
    """What was sent and how it went."""

    tally: Tally
    http: LoadReport
    paced: LoadReport
    flood: FloodReport
    retries_agree: bool


async def run_demo(settings: Settings, access: ApiAccess, display: Display) -> bool:
    """Send everything, wait for it, check it and tell; whether every figure agrees."""
    sending = await _send(settings, access, display)
    await _settle(settings, display)
    report = await reconcile(settings, settled=True, progress=partial(_reading, display))
    display.say("ledger and topics checked against each other")
    return _conclude(display, sending, report)


async def _send(settings: Settings, access: ApiAccess, display: Display) -> Sending:
    random = Random()  # noqa: S311 (amounts and pairs, no secrets)
    database = await connect(settings)
    try:
        async with httpx2.AsyncClient() as connections, kafka_sender(settings) as sender:
            over_http = HttpPart(settings, access, connections, random)
            await over_http.open_accounts(partial(display.progress, "HTTP: accounts"))
            display.say("HTTP: accounts and wallets opened, everybody logged in")
            display.say(f"HTTP: {await over_http.deposit()} deposits made by the admin")
            http = await over_http.send()
            display.say(f"HTTP: {http.sent} transfers sent, {http.accepted} accepted")
            retries_agree = await over_http.retry()
            display.say("HTTP: some sent twice under one Idempotency-Key")
            kafka = KafkaPart(settings, sender, database, random)
            display.say(f"Kafka: wallets made, {await kafka.prepare():,} deposits sent and applied")
            await calm_down(settings)
            paced = await kafka.pace()
            display.say(f"Kafka: {paced.sent:,} transfers sent at {paced.rate:,.0f}/s")
            flood = await kafka.flood(lambda stage, done, of: display.progress(f"Kafka: {stage}", done, of))
            display.say(f"Kafka: {flood.sent:,} records sent as fast as it goes, good, failing and broken ones mixed")
            kafka.tally.add(over_http.tally)
            return Sending(kafka.tally, http, paced, flood, retries_agree)
    finally:
        await database.close()


async def _settle(settings: Settings, display: Display) -> None:
    first: dict[str, int] = {}

    def tell(lags: dict[str, int]) -> None:
        for group, lag in lags.items():
            total = first[group] = max(lag, first.get(group, 0))
            if total:
                display.progress(f"waiting for {group}", total - lag, total)

    await wait_settled(settings, tell)
    display.say("every group has worked off its topic")


def _reading(display: Display, name: str, done: int, total: int) -> None:
    display.progress(f"checking {name.replace('_', ' ')}", done, total)


def _conclude(display: Display, sending: Sending, report: Report) -> bool:
    figures = compare(sending.tally, report.facts)
    console = display.console
    console.print()
    print_report(console, report)
    print_closing(console, figures, _measured(sending, report))
    agree = all(figure.agrees for figure in figures)
    # The loops watch outcomes on their own: what they saw is one more tally.
    answered = all(one.sound and one.accepted == sum(one.results.values()) for one in (sending.http, sending.paced))
    if not answered:
        console.print(f"[red]Not all was answered:[/] {sending.http.as_json()} {sending.paced.as_json()}")
    if not sending.retries_agree:
        console.print("[red]A transfer repeated under its Idempotency-Key was answered as another one.[/]")
    return report.holds and agree and answered and sending.retries_agree


def _measured(sending: Sending, report: Report) -> list[tuple[str, str]]:
    rows = [
        ("transfers/s, rows committed", f"{sending.flood.transfers_per_s:,.0f}"),
        ("transfers/s, outcomes published", f"{sending.flood.published_per_s:,.0f}"),
    ]
    for load, where in ((sending.http, "HTTP"), (sending.paced, "Kafka")):
        for name, value in load.latencies.percentiles_s((0.5, 0.99)).items():
            shown = "-" if value is None else f"{value * 1000:,.0f} ms"
            rows.append((f"end to end, {name}, over {where} at {load.rate:,.0f}/s", shown))
    rows.append(("audit chain", "verified" if report.facts.chain_verified else "[bold red]BROKEN[/]"))
    held = sum(finding.faults == 0 for finding in report.findings)
    rows.append(("invariants that hold", f"{held} of {len(report.findings)}"))
    return rows
