"""The format of zoo.json has a policy and a JSON Schema: minor versions are read, the schema is that of the code."""

import copy
import json

import jsonschema
import pytest
import tiny_entries as tiny

from zoo import manifest
from zoo.entries import catalog
from zoo.manifest import MANIFEST, Manifest

SCHEMA = json.loads(manifest.SCHEMA_FILE.read_text("utf-8"))
EMBEDDED = sorted(catalog.EMBEDDED.glob(f"*/{MANIFEST}"))


@pytest.fixture
def document(tmp_path):
    """The manifest of a tiny autoencoder, as JSON."""
    written = tiny.write(tmp_path / "tiny-vae", tiny.encoder(), tiny.decoder())
    return json.loads((written.folder / MANIFEST).read_text("utf-8"))


def test_the_schema_that_is_kept_is_that_of_the_code():
    assert manifest.SCHEMA_FILE.read_text("utf-8") == manifest.json_schema(), "renew it by `make schema`"
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("path", EMBEDDED, ids=lambda path: path.parent.name)
def test_embedded_entries_keep_to_the_schema(path):
    jsonschema.validate(json.loads(path.read_text("utf-8")), SCHEMA)


@pytest.mark.parametrize("version", [1, "1", "1.0", "1.7", "1.1234"])
def test_a_minor_version_is_read_with_keys_that_it_alone_knows(document, version):
    document |= {"schema": version, "colour_space": "sRGB"}
    document["image"]["gamma"] = 2.2
    jsonschema.validate(document, SCHEMA)
    found = Manifest.model_validate_json(json.dumps(document))
    assert found.schema_version == version
    kept = json.loads(found.model_dump_json(by_alias=True, exclude_unset=True))
    assert kept == document


@pytest.mark.parametrize(
    ("key", "value"), [("schema", 2), ("schema", "2.0"), ("schema", "1."), ("name", "Tiny"), ("files", None)]
)
def test_the_schema_refuses_what_the_code_refuses(document, key, value):
    wrong = copy.deepcopy(document) | {key: value}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, SCHEMA)
    with pytest.raises(ValueError, match=key):
        Manifest.model_validate_json(json.dumps(wrong))
