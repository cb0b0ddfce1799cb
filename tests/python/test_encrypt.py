"""Parquet encrypted by column: roles read what they may and are refused the rest, keys rotate, damage is an error."""

import json

import pytest

import vpcflow as vf
import vpcflow.cli
from conftest import HEADER, line
from vpcflow.io.parquet_keys import KeyFile
from vpcflow.protect.encrypt import encrypt
from vpcflow.protect.roles import new_keys, roles_of, write_keys

TRAFFIC = "dstport,protocol,packets,bytes,start,end,action,log-status"
LOG = HEADER + b"".join(line(src=f"10.77.88.{n}", size=n) for n in range(1, 100))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder of keys, and a file under them."""
    folder = tmp_path_factory.mktemp("encrypted")
    keys = new_keys(roles_of([f"analyst={TRAFFIC}", "ops=interface-id,bytes"]))
    write_keys(folder / "keys", keys)
    encrypt(vf.scan(LOG), folder / "flows.parquet", keys)
    return folder


@pytest.fixture
def as_role(made, monkeypatch):
    def use(role, file=None):
        monkeypatch.setenv("VPCFLOW_KEYS", str(made / "keys" / f"{role}.json"))
        return vf.scan(file or made / "flows.parquet")

    return use


def test_the_owner_reads_all(as_role):
    assert as_role("owner").collect().rows() == vf.scan(LOG).collect().rows()


def test_a_role_reads_the_rest_and_is_refused_addresses(as_role):
    flows = as_role("analyst")
    assert flows.group_by("dstport").agg(n=vf.count(), bytes=vf.sum("bytes")).collect().rows() == [{"dstport": 22, "n": 99, "bytes": 4950}]
    for refused in (
        flows.group_by("srcaddr").agg(n=vf.count()),
        flows.filter("srcaddr = '10.77.88.1'").agg(n=vf.count()),
        flows.select("bytes", "srcaddr"),
        flows.sessions(),
    ):
        with pytest.raises(vf.SourceError, match=r"srcaddr.*: encrypted, and the keys of 'analyst' do not open") as error:
            refused.collect()
        assert "damaged" not in str(error.value)
        assert "10.77" not in str(error.value)
    assert as_role("ops").group_by("interface_id").agg(bytes=vf.sum("bytes")).collect().rows() == [{"interface_id": "eni-1", "bytes": 4950}]
    with pytest.raises(vf.SourceError, match="dstport: encrypted"):
        as_role("ops").group_by("dstport").agg(n=vf.count()).collect()


def test_every_column_is_encrypted(made):
    """No name and no value of any column stands in the file."""
    data = (made / "flows.parquet").read_bytes()
    assert data[:4] == data[-4:] == b"PARE"
    for word in (b"10.77.88", b"srcaddr", b"ACCEPT", b"eni-1", b"vpcflow"):
        assert word not in data
    keys = {path.name: path.stat().st_mode & 0o777 for path in (made / "keys").iterdir()}
    assert keys == {"owner.json": 0o600, "analyst.json": 0o600, "ops.json": 0o600}
    owner, analyst = (json.loads((made / "keys" / f"{name}.json").read_text()) for name in ("owner", "analyst"))
    assert set(owner["keys"]) == {"footer", "owner", "analyst", "ops", "analyst+ops"}
    assert set(analyst["keys"]) == {"footer", "analyst", "analyst+ops"}
    assert analyst["fields"] == {}


def test_without_keys_and_with_wrong_ones(made, monkeypatch, tmp_path):
    flows = lambda: vf.scan(made / "flows.parquet").collect()  # noqa: E731
    monkeypatch.delenv("VPCFLOW_KEYS", raising=False)
    with pytest.raises(vf.SourceError, match="encrypted Parquet; set VPCFLOW_KEYS"):
        flows()
    monkeypatch.setenv("VPCFLOW_KEYS", str(tmp_path / "none.json"))
    with pytest.raises(vf.SourceError, match="cannot be read"):
        flows()
    write_keys(tmp_path / "others", new_keys({}))
    monkeypatch.setenv("VPCFLOW_KEYS", str(tmp_path / "others" / "owner.json"))
    with pytest.raises(vf.SourceError, match="not the one that encrypted the file"):
        flows()
    # The right footer, and another key of a column by the same name.
    mixed = json.loads((made / "keys" / "owner.json").read_text())
    mixed["keys"]["owner"] = json.loads((tmp_path / "others" / "owner.json").read_text())["keys"]["owner"]
    (tmp_path / "mixed.json").write_text(json.dumps(mixed))
    monkeypatch.setenv("VPCFLOW_KEYS", str(tmp_path / "mixed.json"))
    with pytest.raises(vf.SourceError, match="not the one that encrypted the file"):
        flows()


@pytest.mark.parametrize("text", ["", "[]", "{}", "\xff", '{"schema": 1, "role": "a", "keys": {}}', '{"schema": 1, "role": "a", "keys": {"footer": ["QQ=="]}}', '{"schema": 2, "role": "a", "keys": {"footer": "arn"}}', '{"schema": 1, "role": "a", "keys": {"footer": []}}'])
def test_what_is_no_file_of_keys(tmp_path, text):
    (tmp_path / "keys.json").write_text(text, encoding="latin-1")
    with pytest.raises(vf.ProtectionError, match="it is no file of keys; allowed is one made by vpcflow protect keys"):
        KeyFile.read(str(tmp_path / "keys.json"))


def test_damage_is_an_error(made, as_role, tmp_path):
    """Never other rows: each part is authenticated."""
    whole = as_role("owner").collect().rows()
    data = (made / "flows.parquet").read_bytes()
    changed = 0
    for place in range(5, len(data) - 8, 211):
        (tmp_path / "bad.parquet").write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        try:
            assert as_role("owner", tmp_path / "bad.parquet").collect().rows() == whole
        except (vf.SourceError, vf.NoRecordsError):
            changed += 1
    assert changed > 9
    (tmp_path / "bad.parquet").write_bytes(data[: len(data) // 2])
    with pytest.raises((vf.SourceError, vf.FormatError)):
        as_role("owner", tmp_path / "bad.parquet").collect()


def test_rotation(tmp_path, monkeypatch, capsys):
    """Old files are read until they are encrypted anew; then old keys, and who has only these, open nothing."""

    def run(*args):
        monkeypatch.delenv("VPCFLOW_KEYS", raising=False)
        return vpcflow.cli.main(["protect", *map(str, args)])

    def count(role, file):
        monkeypatch.setenv("VPCFLOW_KEYS", str(role))
        return vf.scan(tmp_path / file).agg(bytes=vf.sum("bytes")).collect().rows()[0]["bytes"]

    keys = tmp_path / "keys"
    (tmp_path / "a.log").write_bytes(LOG)
    assert run("keys", keys, "--role", f"analyst={TRAFFIC}") == 0
    assert run("encrypt", tmp_path / "a.log", "-o", tmp_path / "old.parquet", "--keys", keys / "owner.json") == 0
    (tmp_path / "stolen.json").write_bytes((keys / "analyst.json").read_bytes())
    assert run("keys", keys, "--rotate") == 0
    assert (keys / "analyst.json").stat().st_mode & 0o777 == 0o600
    assert count(keys / "analyst.json", "old.parquet") == 4950
    assert run("encrypt", tmp_path / "old.parquet", "-o", tmp_path / "new.parquet", "--keys", keys / "owner.json") == 0
    assert run("keys", keys, "--drop-old") == 0
    assert count(keys / "analyst.json", "new.parquet") == 4950
    for role, file in ((keys / "analyst.json", "old.parquet"), (tmp_path / "stolen.json", "new.parquet")):
        with pytest.raises(vf.SourceError, match="not the one that encrypted the file"):
            count(role, file)
    assert run("keys", keys) == 2
    assert "it is there already" in capsys.readouterr().err
    assert run("encrypt", tmp_path / "a.log", "-o", tmp_path / "b.parquet", "--keys", keys / "analyst.json") == 2
    assert "the owner's are needed" in capsys.readouterr().err
    assert run("encrypt", tmp_path / "a.log", "-o", tmp_path / "a.log", "--keys", keys / "owner.json") == 2
    assert (tmp_path / "a.log").read_bytes() == LOG


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("analyst", "expected NAME=FIELD"),
        ("owner=bytes", "other than owner and footer"),
        ("A+b=bytes", "small letters"),
        ("analyst=", "no field"),
        ("analyst=srcadr", "did you mean 'srcaddr'"),
    ],
)
def test_roles_that_cannot_be(text, said):
    with pytest.raises(vf.PlanError) as error:
        roles_of([text])
    assert said in str(error.value)
