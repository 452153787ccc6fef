"""Names of images in the state folder."""

import threading

from ci.engine.images import names


def test_a_name_is_given_whole_by_whoever_gives_it_last(tmp_path):
    file = names.folder(tmp_path) / "host/app/1/linux-amd64"
    digests = [f"sha256:{number:064x}" for number in range(8)]
    failed: list[OSError] = []

    def give(digest: str) -> None:
        try:
            for _ in range(50):
                names.keep(file, digest)
        except OSError as error:
            failed.append(error)

    givers = [threading.Thread(target=give, args=(digest,)) for digest in digests]
    for giver in givers:
        giver.start()
    for giver in givers:
        giver.join()
    assert failed == []
    assert file.read_text().strip() in digests
    assert list(file.parent.iterdir()) == [file]


def test_locks_and_what_is_being_written_are_no_names(tmp_path):
    place = names.folder(tmp_path) / "host/app/1"
    place.mkdir(parents=True)
    for name in ("linux-arm64", "linux-amd64", "linux-amd64.lock", "linux-amd64.12ab34cd.new"):
        (place / name).touch()
    assert list(names.files(tmp_path)) == [place / "linux-amd64", place / "linux-arm64"]
