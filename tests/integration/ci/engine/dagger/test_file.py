"""File, as Dagger's own integration tests (core/integration/file_test.go) have it."""

import json

import dagger
import pytest

pytestmark = [pytest.mark.embedded, pytest.mark.anyio]

TWELVE = "".join(f"{number}\n" for number in range(1, 13))


async def refused(awaitable) -> str:
    """The message that something asked for is refused with."""
    with pytest.raises(dagger.QueryError) as problem:
        await awaitable
    return str(problem.value)


async def test_a_new_file_has_its_name_contents_and_size(dag):
    file = dag.file("some-file", "some-content")
    assert (await file.name(), await file.contents(), await file.size()) == ("some-file", "some-content", 12)
    inner = dag.directory().with_new_file("foo/bar", "content").file("foo/bar")
    assert await inner.name() == "bar"


async def test_a_new_files_name_has_no_directory(dag):
    assert 'file name "dir/some-file" must not contain a directory' in await refused(
        dag.file("dir/some-file", "").sync()
    )
    assert "must not contain a directory" in await refused(dag.file("f", "").with_name("a/b").name())


async def test_a_file_that_is_not_there_is_named_as_it_was_asked_for(dag):
    for asked in (lambda file: file.name(), lambda file: file.contents(), lambda file: file.sync()):
        assert "keep/../this: no such file" in await refused(asked(dag.directory().file("keep/../this")))
    assert await dag.directory().file("nope").id()


@pytest.mark.parametrize(
    ("text", "options", "expected"),
    [
        (TWELVE, {"offset_lines": 5, "limit_lines": 5}, "6\n7\n8\n9\n10\n"),
        (TWELVE, {"offset_lines": 10}, "11\n12\n"),
        (TWELVE, {"limit_lines": 2}, "1\n2\n"),
        (TWELVE, {"limit_lines": 0}, ""),
        (TWELVE, {"offset_lines": 12}, ""),
        (TWELVE, {"offset_lines": 99, "limit_lines": 1}, ""),
        ("a\r\nb\x0bc\nlast", {"offset_lines": 1}, "b\x0bc\nlast"),
        ("one", {"limit_lines": 3}, "one"),
    ],
)
async def test_contents_may_be_some_lines(dag, text, options, expected):
    assert await dag.file("f", text).contents(**options) == expected


async def test_bytes_that_are_no_text_are_replaced_one_by_one(dag, tmp_path):
    (tmp_path / "f").write_bytes(b"a\xff\xe2\x82b\xc3\xa9")
    assert await dag.host().file(str(tmp_path / "f")).contents() == "a\ufffd\ufffd\ufffdb\u00e9"


async def test_a_file_that_is_too_large_is_not_handed_out(dag, tmp_path):
    with (tmp_path / "large").open("wb") as file:
        file.truncate((128 << 20) + 1)
    large = dag.host().file(str(tmp_path / "large"))
    assert "exceeds limit 134217728" in await refused(large.contents())
    assert await large.size() == (128 << 20) + 1


async def test_a_renamed_file_is_copied_under_its_new_name(dag):
    file = dag.directory().with_new_file("foo/bar", "content").file("foo/bar").with_name("baz")
    assert (await file.name(), await file.contents()) == ("baz", "content")
    assert await dag.directory().with_file("", file).entries() == ["baz"]


async def test_a_digest_is_what_dagger_computes(dag):
    file = dag.directory().with_new_file("/foo.txt", "Hello, World!").file("foo.txt")
    whole = "sha256:8a887cdd3e476c79e1a14a65a6c401673b56071a24561dadb5e152605e72a613"
    contents = "sha256:042a7d64a581ef2ee983f21058801cc35663b705e6c55f62fa8e0f18ecc70989"
    assert await file.digest() == whole
    assert await file.digest(exclude_metadata=True) == contents
    executable = dag.directory().with_new_file("foo.txt", "Hello, World!", permissions=0o777).file("foo.txt")
    assert await executable.digest() != whole
    assert await executable.digest(exclude_metadata=True) == contents


@pytest.mark.parametrize(
    ("text", "arguments", "expected"),
    [
        ("Hello, World!", {"search": "World", "replacement": "You"}, "Hello, You!"),
        ("a World\nb World\n", {"search": "World", "replacement": "x", "first_from": 1}, "a x\nb World\n"),
        ("W\nb\nW\nW", {"search": "W", "replacement": "x", "first_from": 2}, "W\nb\nx\nW"),
        ("W W\nW", {"search": "W", "replacement": "$&", "all": True}, "$& $&\n$&"),
        ("W\nW\nW", {"search": "W", "replacement": "x", "all": True, "first_from": 2}, "W\nx\nx"),
        ("A\nold 1\nold 2\nB", {"search": "old 1\nold 2", "replacement": "new"}, "A\nnew\nB"),
        ("$50.99 $100", {"search": "$50.99", "replacement": "\\1"}, "\\1 $100"),
        ("Remove this", {"search": "Remove ", "replacement": ""}, "this"),
        ("nothing", {"search": "x", "replacement": "y", "all": True}, "nothing"),
    ],
)
async def test_text_is_replaced(dag, text, arguments, expected):
    assert await dag.file("f", text).with_replaced(**arguments).contents() == expected


async def test_a_replacement_that_is_not_clear_is_refused_when_it_is_used(dag):
    twice = dag.file("f", "one W and W\n").with_replaced("W", "x")
    assert await twice.id()
    assert "found multiple times: line 1 (4-5), line 1 (10-11)" in await refused(twice.contents())
    assert "search string not found" in await refused(dag.file("f", "a").with_replaced("b", "c").contents())
    later = dag.file("f", "a\nb").with_replaced("a", "c", first_from=2)
    assert "search string not found" in await refused(later.contents())


async def test_a_replacement_keeps_the_files_name_and_mode(dag):
    file = dag.file("f", "a", permissions=0o751).with_replaced("a", "b").with_replaced("b", "c")
    assert (await file.name(), await file.contents(), await file.stat().permissions()) == ("f", "c", 0o751)


async def test_a_stat_tells_what_is_known_of_the_file(dag):
    stat = dag.file("f", "data", permissions=0o640).stat()
    assert (await stat.name(), await stat.size(), await stat.permissions()) == ("f", 4, 0o640)
    assert await stat.file_type() == dagger.FileType.REGULAR


async def test_json_in_a_file_is_read_and_what_is_none_is_refused(dag):
    document = dag.file("f", '{"a": {"b": "c"}}').as_json()
    assert await document.field(["a", "b"]).as_string() == "c"
    assert json.loads(await document.contents()) == {"a": {"b": "c"}}
    assert "invalid JSON" in await refused(dag.file("f", "no json").as_json().contents())


async def test_an_export_writes_the_file_where_it_is_told(dag, workdir, tmp_path):
    file = dag.file("name", "text", permissions=0o744)
    target = tmp_path / "new" / "some-file"
    assert await file.export(str(target)) == str(target)
    assert (target.read_text(), target.stat().st_mode & 0o777) == ("text", 0o744)
    assert target.parent.stat().st_mode & 0o777 == 0o700
    assert await file.export("relative") == str(workdir / "relative")
    assert await file.export("../outside") == str(workdir.parent / "outside")
    assert [path.name for path in target.parent.iterdir()] == ["some-file"]


async def test_an_export_goes_into_a_directory_only_if_that_is_allowed(dag, tmp_path):
    file = dag.file("name", "text")
    assert f'destination "{tmp_path}" is a directory' in await refused(file.export(str(tmp_path)))
    assert await file.export(str(tmp_path), allow_parent_dir_path=True) == str(tmp_path)
    assert (tmp_path / "name").read_text() == "text"


async def test_an_export_over_a_file_keeps_its_mode_and_follows_a_link(dag, tmp_path):
    (tmp_path / "there").touch(0o600)
    (tmp_path / "link").symlink_to("there")
    await dag.file("f", "new", permissions=0o755).export(str(tmp_path / "link"))
    assert (tmp_path / "link").is_symlink()
    assert ((tmp_path / "there").read_text(), (tmp_path / "there").stat().st_mode & 0o777) == ("new", 0o600)


async def test_a_files_owner_may_be_a_number_or_a_name_of_its_tree(dag):
    tree = dag.directory().with_new_file("etc/passwd", "auser:x:1234:9:::\n").with_new_file("f", "")
    named, numbered = tree.file("f").chown("auser"), tree.file("f").chown("1234:1234")
    assert await named.digest() == await numbered.digest() != await tree.file("f").digest()
