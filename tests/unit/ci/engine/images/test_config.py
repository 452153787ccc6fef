"""An image's configuration survives being read and written."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci.engine.images import BrokenImage, ImageConfig

WHOLE = {
    "architecture": "arm64",
    "os": "linux",
    "variant": "v8",
    "created": "2024-01-01T00:00:00Z",
    "author": "somebody",
    "os.features": ["x"],
    "config": {
        "User": "1000:1000",
        "Env": ["PATH=/bin", "A=b=c"],
        "Entrypoint": ["/init"],
        "Cmd": ["serve", ""],
        "WorkingDir": "/app",
        "Labels": {"b": "2", "a": "1"},
        "ExposedPorts": {"8000/tcp": {}, "53/udp": {}},
        "Volumes": {"/data": {}},
        "StopSignal": "SIGINT",
        "Healthcheck": {"Test": ["CMD", "true"], "Interval": 1},
        "OnBuild": ["RUN x"],
        "ArgsEscaped": True,
        "Future": {"x": [1]},
    },
    "rootfs": {"type": "layers", "diff_ids": ["sha256:1", "sha256:2"]},
    "history": [{"created_by": "a"}, {"created_by": "b", "empty_layer": True}, {"created_by": "c"}],
}


def test_nothing_is_lost_not_even_what_is_not_known():
    config = ImageConfig.from_json(json.dumps(WHOLE).encode())
    assert json.loads(config.to_json("linux/arm64/v8", ["sha256:1", "sha256:2"])) == WHOLE


def test_fields_have_their_plain_types():
    config = ImageConfig.from_json(json.dumps(WHOLE).encode())
    assert config.env == ("PATH=/bin", "A=b=c")
    assert config.cmd == ("serve", "")
    assert config.labels == (("a", "1"), ("b", "2"))
    assert config.exposed_ports == ("53/udp", "8000/tcp")
    assert hash(config) == hash(ImageConfig.from_json(json.dumps(WHOLE).encode()))


def test_what_docker_leaves_null_is_empty():
    config = ImageConfig.from_json(b'{"config":{"Env":null,"Cmd":null,"Labels":null,"Volumes":null}}')
    assert config == ImageConfig()


def test_history_has_an_entry_for_each_layer_or_none_at_all():
    config = ImageConfig.from_json(json.dumps(WHOLE).encode())
    longer = json.loads(config.to_json("linux/amd64", ["1", "2", "3"]))["history"]
    assert sum(not entry.get("empty_layer") for entry in longer) == 3
    assert "history" not in json.loads(config.to_json("linux/amd64", ["1"]))


@pytest.mark.parametrize(
    "data", [b"", b"[]", b'"x"', b'{"config":{"Env":1}}', b'{"config":{"Labels":["x"]}}']
)
def test_what_is_no_configuration_is_a_broken_image(data):
    with pytest.raises(BrokenImage, match="configuration"):
        ImageConfig.from_json(data)


words = st.lists(st.text(min_size=1), max_size=3).map(tuple)


@given(
    st.builds(
        ImageConfig,
        user=st.text(),
        env=words,
        entrypoint=st.one_of(st.none(), words.filter(bool)),
        cmd=st.one_of(st.none(), words.filter(bool)),
        workdir=st.text(),
        labels=st.dictionaries(st.text(), st.text()).map(lambda labels: tuple(sorted(labels.items()))),
        exposed_ports=st.sets(st.text(min_size=1)).map(lambda ports: tuple(sorted(ports))),
    )
)
def test_every_configuration_comes_back(config):
    assert ImageConfig.from_json(config.to_json("linux/amd64", [])) == config
