"""What a command sees of its container and what the engine sees of the command."""

import pytest

from ci.engine.sandbox import CommandNotExecutable, CommandNotFound, Data, SandboxError

DEFAULT_CAPABILITIES = 0xA80425FB  # Docker's


def test_output_and_exit_code_are_the_commands_own(engine):
    outcome = engine.shell("echo out; echo err >&2; exit 7")
    assert (outcome.exit_code, outcome.stdout, outcome.stderr) == (7, b"out\n", b"err\n")


@pytest.mark.parametrize("init", [True, False])
def test_a_command_ended_by_a_signal_exits_with_128_and_the_signal(engine, init):
    script = "sh -c 'kill -9 $$'" if not init else "kill -9 $$"  # pid 1 of a namespace can't kill itself
    assert engine.shell(script, init=init).exit_code == 128 + 9


def test_exit_code_1_of_the_command_is_no_error_of_the_sandbox(engine):
    outcome = engine.shell("echo 'bwrap: execvp sh: No such file or directory' >&2; exit 1")
    assert outcome.exit_code == 1
    assert outcome.error is None
    assert outcome.stderr == b"bwrap: execvp sh: No such file or directory\n"


@pytest.mark.parametrize("name", ["nonesuch", "/usr/bin/nonesuch", "./etc/nonesuch", "a: b"])
def test_an_absent_command_is_named(engine, name):
    error = engine.run(name).error
    assert isinstance(error, CommandNotFound)
    assert str(error).startswith(f"{name}: not found in the container")


def test_a_script_without_its_interpreter_is_not_found(engine):
    script = Data(b"#!/usr/bin/perl\n", "/run/script", mode=0o555)
    assert isinstance(engine.run("/run/script", mounts=(script,)).error, CommandNotFound)


@pytest.mark.parametrize("name", ["/etc/motd", "/etc"])
def test_what_may_not_be_executed_is_named(engine, name):
    error = engine.run(name).error
    assert isinstance(error, CommandNotExecutable)
    assert name in str(error)


def test_a_command_is_found_on_the_containers_path_only(engine):
    assert engine.run("motd.sh", env=(("PATH", "/nowhere"),)).error is not None
    script = Data(b"#!/bin/sh\necho found", "/nowhere/motd.sh", mode=0o555)
    found = engine.run("motd.sh", env=(("PATH", "/nowhere"),), mounts=(script,))
    assert found.stdout == b"found\n"


def test_no_command_at_all_is_one_clear_error(engine):
    error = engine.run().error
    assert isinstance(error, SandboxError)
    assert "no command" in str(error)


def test_stdin_is_what_was_given_and_else_empty(engine):
    assert engine.run("cat", stdin=b"a\0b" * 100_000).stdout == b"a\0b" * 100_000
    assert engine.run("cat").stdout == b""


def test_much_output_arrives_whole_in_small_chunks(engine):
    outcome = engine.shell(
        "dd if=/dev/zero bs=64k count=64 2>/dev/null & dd if=/dev/zero bs=64k count=64 >&2 2>/dev/null; wait"
    )
    assert len(outcome.stdout) == 64 * 65536
    assert outcome.longest_chunk <= 65536


def test_a_daemon_that_keeps_stdout_open_ends_with_the_command(engine):
    outcome = engine.shell("(sleep 1000; echo never) & echo done")
    assert (outcome.exit_code, outcome.stdout) == (0, b"done\n")


@pytest.mark.parametrize("uid", [0, 1000])
def test_the_environment_is_what_was_given(engine, uid):
    given = (("GREETING", "a = 'b'\nc"), ("LD_PRELOAD", ""), ("EMPTY", ""))
    outcome = engine.run("env", "-0", env=given, uid=uid)
    assert dict(line.split("=", 1) for line in outcome.stdout.decode().split("\0") if line) == {
        "PATH": "/usr/bin:/bin",
        "PWD": "/",
        **dict(given),
    }


def test_the_steps_loader_settings_do_not_touch_the_engines_own_programs(engine):
    outcome = engine.run("true", env=(("LD_LIBRARY_PATH", "/nowhere"), ("LD_BIND_NOW", "1")))
    assert (outcome.exit_code, outcome.stderr) == (0, b"")


@pytest.mark.parametrize("uid", [0, 1000])
def test_a_missing_working_directory_is_made_for_the_user(engine, uid):
    assert engine.text("pwd; touch here; stat -c %u .", cwd="/a/b", uid=uid).split() == ["/a/b", str(uid)]


def test_a_working_directory_behind_a_link_is_made_inside_the_container(engine):
    root = engine.overlay()
    assert engine.text("pwd", cwd="/var/run/app", root=root) == "/run/app"
    assert (root.upper / "run/app").is_dir()


def test_a_file_as_working_directory_is_one_clear_error(engine):
    assert "/etc/motd in the container is a file" in str(engine.run("true", cwd="/etc/motd").error)


def test_ids_and_groups_are_the_steps(as_root):
    assert as_root.text("id -u; id -g; id -G", uid=1000, gid=1001, groups=(5, 6)).split() == [
        *("1000", "1001", "1001", "5", "6")
    ]
    assert as_root.text("id -G").split() == ["0"]
    assert as_root.text("id -u; id -G", gid=7, groups=(5,)).split() == ["0", "7", "5"]


def test_an_ordinary_user_can_run_a_step_as_any_one_user(as_user):
    assert as_user.text("id -u; id -g", uid=1000, gid=1001).split() == ["1000", "1001"]
    assert as_user.text("id -u; id -g", gid=1001).split() == ["0", "1001"]


def test_names_and_processes_of_the_host_are_out_of_sight(engine):
    assert engine.text("uname -n", hostname="harbour") == "harbour"
    assert engine.text("echo /proc/[0-9]*").split()[0] == "/proc/1"
    assert len(engine.text("echo /proc/[0-9]*").split()) == 2
    assert engine.text("echo /proc/[0-9]*", init=False) == "/proc/1"


@pytest.mark.parametrize("init", [True, False])
def test_no_descriptor_of_the_engine_reaches_the_step(engine, init):
    shown = engine.text("echo /proc/self/fd/*", init=init).split()
    assert [name.rpartition("/")[2] for name in shown] == ["0", "1", "2", "3"]  # 3 is the look itself


def test_no_descriptor_reaches_a_step_of_another_user(engine):
    assert len(engine.text("echo /proc/self/fd/*", uid=1000).split()) == 4


def test_files_are_made_with_the_usual_umask(engine):
    assert engine.text("umask") == "0022"


@pytest.mark.parametrize("uid", [0, 1000])
def test_standard_devices_work(engine, uid):
    script = """
        echo to-stdout > /dev/stdout; echo > /dev/null
        touch /dev/shm/x; stat -c %a /dev/shm; ls /dev/pts; test -c /dev/tty
        head -c0 /dev/urandom 2>/dev/null
    """
    assert engine.shell(script, uid=uid).stdout.split() == [b"to-stdout", b"1777", b"ptmx"]


def _effective(engine, **fields) -> int:
    for line in engine.text("cat /proc/self/status", **fields).splitlines():
        if line.startswith("CapEff"):
            return int(line.split()[1], 16)
    raise AssertionError


def test_root_of_a_container_has_dockers_capabilities_and_others_none(engine):
    assert _effective(engine) == DEFAULT_CAPABILITIES
    assert _effective(engine, uid=1000) == 0
    assert _effective(engine, uid=1000, privileged=True) == 0
    assert _effective(engine, privileged=True) & ~DEFAULT_CAPABILITIES


def test_the_hosts_secrets_in_proc_and_sys_are_covered(engine):
    assert engine.text("cat /proc/keys /proc/timer_list") == ""
    assert engine.text("ls /sys/firmware /proc/acpi 2>/dev/null || true").split() in (
        ["/proc/acpi:", "/sys/firmware:"],
        ["/sys/firmware:"],
    )


@pytest.mark.parametrize("path", ["/proc/sys/kernel/panic", "/proc/sysrq-trigger", "/sys/kernel/profiling"])
def test_no_setting_of_the_kernel_can_be_changed(engine, path):
    # Opened, never written: a failing test must not harm the host.
    assert engine.shell(f": >> {path}").exit_code == 2


@pytest.mark.parametrize("fields", [{"env": (("A", "x\0--bind\0/"),)}, {"cwd": "/\0"}, {"hostname": "\0"}])
def test_nothing_can_smuggle_options_in(engine, fields):
    error = engine.run("true", **fields).error
    assert "NUL" in str(error)
    assert "--bind" not in str(error)


def test_an_argument_too_long_for_the_kernel_is_one_clear_error(engine):
    assert "Argument list too long" in str(engine.run("true", "x" * 200_000).error)


def test_a_read_only_root_stays_as_it_is(engine):
    root = engine.overlay()
    outcome = engine.shell("touch /x", root=root, read_only_root=True, cwd="/made/before")
    assert b"Read-only file system" in outcome.stderr
    assert [path.name for path in root.upper.iterdir()] == ["made"]


def test_files_of_a_step_belong_to_its_user_on_the_host(as_root):
    root = as_root.overlay()
    as_root.text("touch mine; ls -n /etc/motd", root=root, uid=1000, gid=1001, cwd="/home/it")
    made = (root.upper / "home/it/mine").stat()
    assert (made.st_uid, made.st_gid) == (1000, 1001)


def test_a_user_cannot_write_what_is_roots_and_sees_that_it_is(as_root):
    outcome = as_root.shell("stat -c %u:%g /etc/motd; echo x >> /etc/motd", uid=1000)
    assert outcome.stdout == b"0:0\n"
    assert b"Permission denied" in outcome.stderr


def test_root_can_give_files_away(as_root):
    assert as_root.text("touch x; chown 12:34 x; stat -c %u:%g x") == "12:34"


def test_with_one_user_giving_files_away_succeeds_and_changes_nothing(as_user):
    assert as_user.text("touch x; chown 12:34 x; stat -c %u:%g x; chown 0:0 x") == "0:0"
    assert as_user.shell("chown 0:0 /nonesuch").exit_code == 1
    assert as_user.shell("chown 12:34 /etc/motd", uid=1000).exit_code == 1
