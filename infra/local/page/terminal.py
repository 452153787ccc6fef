"""`python -m infra.local status`: what a cloud serves, as a table."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from infra.local.place import Endpoint

_COLOURS = {"ready": "green", "failed": "red", "reconciling": "yellow"}


def show(endpoint: Endpoint, overview: Mapping[str, Any]) -> None:
    """Print where the cloud answers, and its services with the revisions that have traffic."""
    console = Console(highlight=False)
    console.print(f"[bold]Local cloud[/] {endpoint.endpoint}  registry {endpoint.registry}")
    if not overview["services"]:
        console.print("No service yet.", style="dim")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("project", "service", "state", "revision", "traffic", "instances", "requests/h", "url"):
        table.add_column(column, overflow="fold")
    for service in overview["services"]:
        colour = _COLOURS[service["state"]]
        begin = (service["project"], service["name"].rpartition("/")[2], f"[{colour}]{service['state']}[/]")
        shown = [each for each in service["revisions"] if each["percent"] or each["tags"]]
        for each in shown or [{"name": "-", "percent": 0, "instances": 0, "requests": 0}]:
            figures = (f"{each['percent']} %", str(each["instances"]), str(each["requests"]))
            table.add_row(*begin, each["name"], *figures, service["url"] if begin[0] else "")
            begin = ("", "", "")
    console.print(table)
    for incident in overview["incidents"]:
        console.print(f"[red]incident[/]  {incident}")
