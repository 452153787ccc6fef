"""`dagger call`, `functions` and `check` on a Python module."""

import re
import shutil

import pytest

pytestmark = [pytest.mark.embedded, pytest.mark.slow]


@pytest.fixture
def call(dagger):
    """Run `dagger call` on the toolbox."""
    return lambda *arguments: dagger("call", "-m", "toolbox", *arguments)


@pytest.mark.parametrize(
    ("words", "out"),
    [
        (["greet"], "Hello, world!"),
        (["--greeting", "Hi", "greet", "--name=Bob", "--loud"], "HI, BOB!"),
        (["numbers", "--count", "3"], "0\n1.5\n3\n"),
        (["numbers", "--count", "2", "--json"], "[\n    0,\n    1.5\n]\n"),
        (["words", "--words", "a,b", "--words", "c d"], "a\nb\nc d\n"),
        (["point", "--x", "5", "label", "--prefix", "on"], "on 5"),
        (["points", "name"], "origin\nother\n"),
        (["mood", "--mood", "bad"], "BAD"),
        (["entries"], "dagger.json\n"),
        (["nothing"], ""),
        (["tree", "file", "--path", "a/b.txt", "contents"], "b"),
    ],
)
def test_what_a_chain_gives_is_printed_bare(call, words, out):
    done = call(*words)
    assert (done.code, done.out) == (0, out), done.err


def test_an_object_at_the_end_is_printed_by_its_type(call):
    assert re.fullmatch(r"ToolboxPoint@sha256:\w+\n", call("point", "--x", "1").out)
    assert re.fullmatch(r"(- ToolboxPoint@sha256:\w+\n){2}", call("points").out)


def test_files_directories_and_secrets_are_given_by_their_addresses(call):
    done = call("inputs", "--file", "note.txt", "--folder", "toolbox/src", "--token", "env:TOKEN_OF_TEST")
    assert (done.code, done.out) == (0, "noted\ntoolbox/\n5\n"), done.err


def test_an_address_that_leads_nowhere_is_told_with_the_argument(call):
    done = call("inputs", "--file", "nope.txt", "--folder", ".", "--token", "env:TOKEN_OF_TEST")
    assert done.code == 1
    assert done.err.startswith('Error: failed to get value for argument "file": ')
    assert done.err.endswith("\nRun 'dagger call inputs --help' for usage.\n")


def test_the_help_that_is_pointed_to_is_that_of_the_function_with_the_argument(dagger):
    done = dagger("core", "directory", "with-directory", "--path=x", "--source=./nope", "entries")
    assert done.err.endswith("\nRun 'dagger core directory with-directory --help' for usage.\n")


def test_output_exports_a_directory_and_saves_a_text(call, repository):
    done = call("tree", "-o", "made")
    assert (done.out, done.err) == ("", f'Saved to "{repository}/made".\n')
    assert (repository / "made/a/b.txt").read_text() == "b"
    done = call("greet", "-o", "told/greeting.txt")
    assert (done.out, done.err) == ("Hello, world!", f'Saved output to "{repository}/told/greeting.txt".\n')
    assert (repository / "told/greeting.txt").read_text() == "Hello, world!"


@pytest.mark.parametrize("words", [["fails"], ["fails", "stdout"]])
def test_a_command_that_fails_passes_its_exit_code_and_output_on(call, words):
    done = call(*words)
    assert (done.code, done.out) == (7, "")
    assert done.err.endswith("exit code: 7\nStdout:\nout\nStderr:\nerr\n"), done.err


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["gret"], 'unknown command "gret" for "dagger call"\nRun \'dagger call --help\' for usage.\n'),
        (["numbers"], "required flag(s) \"count\" not set\nRun 'dagger call numbers --help' for usage.\n"),
    ],
)
def test_what_is_wrong_with_the_command_line_is_told(call, words, error):
    done = call(*words)
    assert (done.code, done.out, done.err) == (1, "", f"Error: {error}")


def test_changes_are_shown_and_applied_where_that_is_agreed_to(call, repository):
    folder = repository / "changing"
    folder.mkdir()
    (folder / "note.txt").write_text("noted")
    done = call("change", "--folder", "changing")
    assert (done.code, done.out) == (0, ""), done.err
    assert done.err.startswith("+ changed.txt\n- note.txt\n")
    assert not (repository / "changed.txt").exists()
    assert call("-y", "change", "--folder", "changing").code == 0
    assert (repository / "changed.txt").read_text() == "changed"
    (repository / "changed.txt").unlink()
    (repository / "note.txt").write_text("noted")


def test_help_tells_of_a_functions_arguments(call):
    assert call("greet", "--help").out == (
        "Greet somebody.\n\nNobody is left out.\n\n"
        "USAGE\n  dagger call greet [arguments]\n\n"
        "ARGUMENTS\n"
        "      --loud          \n"
        '      --name string   Who is greeted (default "world")\n'
    )
    assert "      --count int      How many [required]\n" in call("numbers", "--help").out
    assert "--mood BAD,GOOD" in call("mood", "--help").out


def test_help_of_what_is_not_there_is_that_of_what_it_was_looked_for_in(call):
    done = call("point", "nope", "--help")
    assert (done.code, done.err) == (1, 'Error: unknown command "nope" for "dagger call point"\n')
    assert "\nUSAGE\n  dagger call point [arguments] <function>\n" in done.out


def test_help_of_the_module_tells_of_its_functions_and_what_it_is_made_of(call):
    told = call("--help").out
    assert "\n  dagger call [options] <function>\n" in told
    assert "\nFUNCTIONS\n  broken        Look for faults, and find one.\n" in told
    assert '\nARGUMENTS\n      --greeting string    What is said (default "Hello")\n' in told


def test_functions_are_listed_also_those_of_what_they_give(dagger):
    listed = dagger("functions", "-m", "toolbox").out.splitlines()
    assert listed[0].split() == ["Name", "Description"]
    assert "greet      Greet somebody." in listed
    assert dagger("functions", "-m", "toolbox", "point").out.splitlines()[1:] == [
        "label   The point as a text.",
        "name    -",
        "x       -",
    ]
    done = dagger("functions", "-m", "toolbox", "greet")
    assert (
        done.err == 'Error: function "greet" returns type "STRING_KIND" with no further functions available\n'
    )


def test_a_module_may_be_named_by_the_environment(dagger, monkeypatch):
    monkeypatch.setenv("DAGGER_MODULE", "toolbox")
    done = dagger("call", "greet")
    assert (done.out, done.code) == ("Hello, world!", 0), done.err


def test_where_there_is_no_module_there_are_no_functions(alone):
    assert alone("-s", "functions").err == "No functions found.\n"
    assert alone("-s", "call", "greet").err.startswith('Error: unknown command "greet" for "dagger call"\n')


def test_checks_are_listed_and_run(dagger):
    assert [line.split()[0] for line in dagger("check", "-m", "toolbox", "-l").out.splitlines()] == [
        "Name",
        "broken",
        "lint",
    ]
    done = dagger("check", "-m", "toolbox")
    assert (done.code, done.out) == (1, "✘ broken\n✔ lint\n")
    assert done.err.endswith("not clean\nError: 1 checks failed\n")
    assert dagger("check", "-m", "toolbox", "lint").code == 0


def test_daggers_own_functions_are_called_with_core(dagger):
    done = dagger("core", "directory", "with-new-file", "--path", "x", "--contents", "y", "entries")
    assert (done.code, done.out) == (0, "x\n")
    assert "\n  dagger core directory [options]" not in dagger("core", "directory", "--help").out


def test_a_field_that_is_an_id_is_printed_as_one(dagger):
    done = dagger("core", "directory", "sync")
    assert (done.code, bool(re.fullmatch(r"[\w-]+=*", done.out))) == (0, True), done


def test_a_query_may_call_a_modules_functions(dagger, repository):
    (repository / "greet.graphql").write_text("{toolbox {greet}}")
    done = dagger("query", "-m", "toolbox", "--doc", "greet.graphql")
    assert (done.code, done.out) == (0, '{\n    "toolbox": {\n        "greet": "Hello, world!"\n    }\n}\n')


def test_a_query_calls_the_module_that_it_is_asked_in(alone, repository, monkeypatch):
    (repository / "greet.graphql").write_text("{toolbox {greet}}")
    monkeypatch.chdir(repository / "toolbox")
    assert '"Hello, world!"' in alone("-s", "query", "--doc", "../greet.graphql").out
    done = alone("-s", "query", "-M", "--doc", "../greet.graphql")
    assert 'Error: Cannot query field "toolbox" on type "Query"' in done.err


def test_each_command_in_a_session_sees_a_module_as_it_is_now_by_whatever_path(dagger, repository):
    shutil.copytree(repository / "toolbox", repository / "edited")
    code = repository / "edited/src/toolbox/__init__.py"
    assert dagger("functions", "-m", "edited").code == 0
    code.write_text(code.read_text().replace("def words", "def phrases"))
    done = dagger("functions", "-m", f"{repository}/edited")
    assert (done.code, "\nphrases " in done.out, "\nwords " in done.out) == (0, True, False), done.err
