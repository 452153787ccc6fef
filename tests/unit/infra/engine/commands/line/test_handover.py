"""Who serves: the Pulumi CLI where there is one, this engine where there is none, and what was asked for."""

import pytest

from infra.engine.commands.line import handover


@pytest.fixture
def real(tmp_path):
    program = tmp_path / "pulumi"
    program.write_text("#!/bin/sh\n", encoding="utf-8")
    program.chmod(0o755)
    return {"PATH": str(tmp_path)}, program


def test_the_real_program_is_handed_over_to(real):
    environ, program = real
    choice = handover.choose(None, environ)
    assert choice.program == program
    assert choice.line == f"pulumi: handing over to {program} (found on PATH)"


@pytest.mark.parametrize(("embedded", "variable"), [(True, ""), (None, "embedded")])
def test_the_embedded_engine_can_be_asked_for(real, embedded, variable):
    assert handover.choose(embedded, real[0] | {"SHIPWAY_PULUMI": variable}).program is None


def test_without_another_program_the_engine_serves(tmp_path):
    assert handover.choose(None, {"PATH": str(tmp_path)}).reason == "no other pulumi on PATH"


def test_our_own_launchers_are_not_taken_for_the_real_program(tmp_path):
    launcher = tmp_path / "pulumi"
    launcher.write_text("#!/usr/bin/python\nfrom infra.engine.cli import main\n", encoding="utf-8")
    launcher.chmod(0o755)
    assert handover.choose(None, {"PATH": str(tmp_path)}).program is None


def test_what_cannot_be_had_is_told(tmp_path):
    with pytest.raises(handover.ChoiceError, match="there is none on PATH"):
        handover.choose(embedded=False, environ={"PATH": str(tmp_path)})
    with pytest.raises(handover.ChoiceError, match='may be "embedded" or "real"'):
        handover.choose(None, {"SHIPWAY_PULUMI": "both"})


def test_our_own_flags_stay_here():
    words = ["--embedded", "up", "--", "--embedded"]
    assert handover.asked(words) is True
    assert handover.without_own(words) == ["up", "--", "--embedded"]
