"""Other names of commands, and commands that are not served here."""

from __future__ import annotations

ALIASES = {
    "update": "up",
    "pre": "preview",
    "down": "destroy",
    "stack new": "stack init",
    "stack list": "stack ls",
    "stack remove": "stack rm",
    "stack delete": "stack rm",
    "stack get": "stack",
    "config remove": "config rm",
    "config copy": "config cp",
    "config list": "config",
    "config delete": "config rm",
    "config ls": "config",
    "config remove-all": "config rm-all",
    "state remove": "state delete",
    "state mv": "state move",
    "plugin list": "plugin ls",
    "plugin remove": "plugin rm",
    "stack tag list": "stack tag ls",
    "stack tag remove": "stack tag rm",
}

ELSEWHERE = {
    "ai": "needs Pulumi Cloud",
    "api": "needs Pulumi Cloud",
    "neo": "needs Pulumi Cloud",
    "config env": "needs Pulumi Cloud (ESC environments)",
    "console": "needs Pulumi Cloud",
    "convert": "converts programs of other languages",
    "deployment": "needs Pulumi Cloud",
    "do": "needs Pulumi Cloud",
    "env": "needs Pulumi Cloud (ESC environments)",
    "insights": "needs Pulumi Cloud",
    "org": "needs Pulumi Cloud",
    "package": "generates SDKs",
    "policy": "runs policy packs of their own",
    "project": "needs Pulumi Cloud",
    "schema": "is for authors of providers",
    "service": "needs Pulumi Cloud",
    "template": "needs Pulumi Cloud",
    "watch": "updates on each change of a file",
}
