"""Unpacked layers stay as long as something stored may need them."""

from concurrent.futures import ThreadPoolExecutor

from infra.local.runtime.rootfs import retention


def unpacked(folder, *names):
    for name in names:
        (folder / name).mkdir()
        (folder / name / "file").write_text(name)
    return [folder / name for name in names]


def there(folder):
    return {each.name for each in folder.iterdir()} - {".images"}


def test_layers_go_with_the_last_image_that_is_made_of_them(tmp_path):
    base, old, new = unpacked(tmp_path, "base", "old", "new")
    retention.note(tmp_path, "app:1", [old, base])
    retention.note(tmp_path, "app:2", [new, base])
    retention.prune(tmp_path, {"app:1", "app:2", "never seen"})
    assert there(tmp_path) == {"base", "old", "new"}
    retention.prune(tmp_path, {"app:2"})
    assert there(tmp_path) == {"base", "new"}
    retention.prune(tmp_path, set())
    assert there(tmp_path) == set()


def test_a_name_that_means_another_image_now_keeps_that_one(tmp_path):
    first, second = unpacked(tmp_path, "first", "second")
    retention.note(tmp_path, "app:latest", [first])
    retention.note(tmp_path, "app:latest", [second])
    retention.prune(tmp_path, {"app:latest"})
    assert there(tmp_path) == {"second"}


def test_what_a_kill_left_of_an_unpacking_goes(tmp_path):
    unpacked(tmp_path, ".new-x")
    retention.prune(tmp_path, set())
    assert there(tmp_path) == set()


def test_tasks_of_one_image_note_it_at_the_same_time(tmp_path):
    layers = unpacked(tmp_path, "only")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: retention.note(tmp_path, "app:1", layers), range(400)))
    retention.prune(tmp_path, {"app:1"})
    assert there(tmp_path) == {"only"}
