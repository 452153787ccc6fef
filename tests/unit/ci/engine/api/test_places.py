"""A session imports the resolvers that it is asked for, and knows where they are without importing them."""

import subprocess
import sys

from ci.engine.api import RESOLVERS, places, registry

ASKED = """
import sys
from pathlib import Path
from ci.engine.api import places, registry
from ci.engine.api.schema import FieldSpec, type_ref

known = registry.lazy(places.installed(Path(sys.argv[1])))
before = {name for name in sys.modules if name.startswith("ci.engine.api.types")}
known.find(FieldSpec("Query", "defaultPlatform", type_ref("Platform!"), {}))
after = {name for name in sys.modules if name.startswith("ci.engine.api.types")}
print(sorted(after - before), sorted(before))
"""


def test_the_module_of_every_field_that_is_served_or_refused_is_known(tmp_path):
    known = registry.load(RESOLVERS)
    assert places.installed(tmp_path).keys() == {*known.resolvers, *known.refusals}


def test_what_is_kept_on_disk_says_the_same_and_is_made_anew_when_it_is_damaged(tmp_path):
    first = places.installed(tmp_path)
    assert places.installed(tmp_path) == first
    (file,) = (tmp_path / "schema").iterdir()
    file.write_text('{"ci.engine')
    assert places.installed(tmp_path) == first


def test_only_the_module_of_the_field_that_is_looked_for_is_imported(tmp_path):
    places.installed(tmp_path)
    done = subprocess.run([sys.executable, "-c", ASKED, tmp_path], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['ci.engine.api.types', 'ci.engine.api.types.query'] []"
