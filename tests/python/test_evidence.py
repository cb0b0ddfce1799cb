"""Bags of evidence: RFC 8493, checked by sha256sum and bagit without our code, and by ours for the rest."""

import hashlib
import io
import json
import os
import random
import shutil
import subprocess
import tarfile

import pytest

import vpcflow as vf
from conftest import HEADER, LONG, line
from vpcflow.cli import main
from vpcflow.manifest import evidence
from vpcflow.manifest.bags import safe_name


@pytest.fixture
def case(tmp_path):
    """Logs with a manifest, a finding, and names that hurt."""
    folder = tmp_path / "case"
    (folder / "logs").mkdir(parents=True)
    for number in range(5):
        (folder / "logs" / f"{number}.log").write_bytes(HEADER + line(dstport=number))
    (folder / "findings.json").write_text("{}\n")
    (folder / "a\nb %0A =.txt").write_text("x")
    (folder / ".hidden").write_text("y")
    (folder / "empty").write_text("")
    vf.manifest.add(folder / "logs", tmp_path / "ev", created=0)
    return folder


@pytest.fixture
def bag(case, tmp_path):
    made = evidence.pack(
        case, tmp_path / "bag", manifest=tmp_path / "ev", who="R. Roe", commands=["vpcflow detect logs/ --json"], created=60
    )
    assert made.ok
    return tmp_path / "bag"


def bad(bag, **options):
    return [(row.object, row.verdict) for row in evidence.verify(bag, **options).rows if row.verdict != "ok"]


def sums(bag):
    commands = [["sha256sum", "-c", "--quiet", "--strict", f"{name}manifest-sha256.txt"] for name in ("", "tag")]
    return all(subprocess.run(command, cwd=bag, capture_output=True).returncode == 0 for command in commands)


def write_tags(bag):
    """What who changes a bag would do to hide it."""
    for out, names in (("manifest-sha256.txt", sorted(p for p in bag.rglob("data/**/*") if p.is_file())),
                       ("tagmanifest-sha256.txt", [bag / n for n in ("bag-info.txt", "bagit.txt", "custody.jsonl", "manifest-sha256.txt")])):  # fmt: skip
        text = "".join(f"{hashlib.sha256(p.read_bytes()).hexdigest()}  {p.relative_to(bag)}\n" for p in names)
        (bag / out).write_text(text)


def test_others_find_it_whole(bag):
    assert sums(bag)
    bagit = pytest.importorskip("bagit")
    found = bagit.Bag(str(bag))
    found.validate()
    size = sum(path.stat().st_size for path in (bag / "data").rglob("*") if path.is_file())
    files = sum(path.is_file() for path in (bag / "data").rglob("*"))
    assert found.info["Payload-Oxum"] == f"{size}.{files}"
    assert found.info["Vpcflow-Manifest-Head"] == vf.manifest.head(bag / "data" / "manifest").sha256
    assert not list(bag.rglob("*\n*"))
    named = [json.loads(text) for text in (bag / "data" / "names.jsonl").read_text().splitlines()]
    assert {one["file"].rpartition("/")[2]: one["name"].rpartition("/")[2] for one in named}["a=0Ab=20=250A=20=3D.txt"] == "a\nb %0A =.txt"
    assert "vpcflow detect logs/ --json" in (bag / "data" / "README.txt").read_text()
    assert "AWS does not sign flow logs" in (bag / "data" / "README.txt").read_text()


def test_every_listed_file_has_its_proof(bag):
    proofs = [json.loads(path.read_text()) for path in sorted((bag / "data" / "proofs").iterdir())]
    assert [one["file"] for one in proofs] == [f"data/case/case/logs/{n}.log" for n in range(5)]


@pytest.mark.parametrize("name", ["data/case/case/logs/3.log", "data/manifest/objects.jsonl", "data/README.txt", "bag-info.txt", "bagit.txt"])
def test_sha256sum_bagit_and_we_find_the_changed_byte(bag, name):
    data = bytearray((bag / name).read_bytes())
    data[len(data) // 2] ^= 4
    (bag / name).write_bytes(data)
    assert not sums(bag)
    bagit = pytest.importorskip("bagit")
    with pytest.raises((bagit.BagError, UnicodeDecodeError)):
        bagit.Bag(str(bag)).validate()
    assert (name, "changed") in bad(bag)


def test_what_was_taken_and_added_is_named(bag):
    (bag / "data" / "case" / "case" / "logs" / "3.log").unlink()
    (bag / "data" / "case" / "more.txt").write_text("z")
    (bag / "note.txt").write_text("z")
    (bag / "data" / "case" / "case" / "empty").unlink()
    (bag / "data" / "case" / "case" / "empty").symlink_to("/etc/hostname")
    found = bad(bag)
    assert ("data/case/case/logs/3.log", "missing") in found
    assert ("data/case/more.txt", "unlisted") in found
    assert ("note.txt", "unlisted") in found
    assert ("data/case/case/empty", "unreadable") in found
    assert ("data/proofs/000004.json", "invalid") in found


def test_who_writes_the_hashes_anew_meets_the_proofs_and_the_custody(bag):
    (bag / "data" / "case" / "case" / "logs" / "3.log").write_bytes(HEADER + line(dstport=99))
    write_tags(bag)
    assert sums(bag)
    assert bad(bag) == [("custody.jsonl", "invalid"), ("data/proofs/000004.json", "invalid")]


def test_custody_is_a_chain(bag):
    evidence.hand_over(bag, "handed to counsel", who="J. Doe", created=120)
    found = evidence.hand_over(bag, "put\ninto the safe \u202e", created=180)
    assert found.ok
    assert sums(bag)
    lines = (bag / "custody.jsonl").read_bytes().splitlines(keepends=True)
    assert [one.who for one in found.custody][:2] == ["R. Roe", "J. Doe"]
    assert [one.when for one in found.custody] == [f"1970-01-01T00:0{n}:00Z" for n in (1, 2, 3)]
    assert [one.previous for one in found.custody] == [None, *(hashlib.sha256(text).hexdigest() for text in lines[:2])]
    assert {one.head_sha256 for one in found.custody} == {vf.manifest.head(bag / "data" / "manifest").sha256}
    for number, other in [(0, lines[0].replace(b"Roe", b"Rue")), (1, b""), (1, lines[1] * 2)]:
        (bag / "custody.jsonl").write_bytes(b"".join(other if n == number else text for n, text in enumerate(lines)))
        write_tags(bag)
        assert bad(bag) == [("custody.jsonl", "invalid")]
        with pytest.raises(vf.SourceError, match="not as it was written: custody"):
            evidence.hand_over(bag, "again")


def test_a_signed_line_of_custody_holds_for_all_that_was_packed(case, tmp_path):
    pytest.importorskip("cryptography")
    for name in ("one", "two"):
        command = f"openssl genpkey -algorithm ed25519 -out {name}.pem && openssl pkey -in {name}.pem -pubout -out {name}.pub"
        subprocess.run(command, shell=True, cwd=tmp_path, check=True)
    place, keys = tmp_path / "bag", {"keys": tmp_path / "one.pub"}
    assert evidence.pack(case, place, key=tmp_path / "one.pem").ok
    assert bad(place) == bad(place, **keys) == []
    assert bad(place, keys=tmp_path / "two.pub") == [("custody.jsonl", "signer unknown")]
    assert sums(place)
    evidence.hand_over(place, "handed over")
    assert bad(place, **keys) == []
    assert "the newest 1 line not signed" in [row.detail for row in evidence.verify(place, **keys).rows]
    evidence.hand_over(place, "handed on", key=tmp_path / "two.pem")
    assert [text[-8:] for text in evidence.verify(place).signers] == ["(line 1)", "(line 3)"]
    assert bad(place, keys=tmp_path / "two.pub") == []
    # Who packs other files writes the hashes, and the first line, anew.
    other = tmp_path / "other"
    shutil.copytree(case, other / "case")
    (other / "case" / "findings.json").write_text("{1}\n")
    evidence.pack(other / "case", tmp_path / "forged")
    shutil.copytree(place / "signatures", tmp_path / "forged" / "signatures")
    shutil.copytree(place / "keys", tmp_path / "forged" / "keys")
    evidence._write_tags(tmp_path / "forged")
    assert ("custody.jsonl", "not signed") in bad(tmp_path / "forged", **keys)


def test_a_tar_file_is_a_bag_too(case, tmp_path):
    for name in ("one", "two"):
        assert evidence.pack(case, tmp_path / name / "bag.tar" if (tmp_path / name).mkdir() is None else "", who="R. Roe", created=60).ok
    assert (tmp_path / "one" / "bag.tar").read_bytes() == (tmp_path / "two" / "bag.tar").read_bytes()
    subprocess.run(["tar", "-xf", "bag.tar"], cwd=tmp_path / "one", check=True)
    assert sums(tmp_path / "one" / "bag")
    data = bytearray((tmp_path / "one" / "bag.tar").read_bytes())
    place = data.index(b"version account-id")
    data[place] ^= 1
    (tmp_path / "bad.tar").write_bytes(data)
    assert [verdict for _, verdict in bad(tmp_path / "bad.tar")] == ["changed"]
    with pytest.raises(vf.ArgumentError, match="unpack it first"):
        evidence.hand_over(tmp_path / "one" / "bag.tar", "x")


def member(name, kind=tarfile.REGTYPE, link=""):
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size = kind, link, 0 if kind != tarfile.REGTYPE else 4
    return info


@pytest.mark.parametrize(
    "members",
    [
        [member("../x")], [member("/tmp/x")], [member("bag/a", tarfile.SYMTYPE, "/etc")], [member("bag/a", tarfile.LNKTYPE, "/etc/passwd")],
        [member("bag/a", tarfile.FIFOTYPE)], [member("bag/a"), member("bag/a")], [member("a"), member("bag/bagit.txt")], [],
    ],
)  # fmt: skip
def test_tar_files_that_were_made_to_hurt(tmp_path, members):
    with tarfile.open(tmp_path / "x.tar", "w") as tar:
        for one in members:
            tar.addfile(one, io.BytesIO(b"1234"))
    with pytest.raises(vf.ManifestError):
        evidence.verify(tmp_path / "x.tar")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.tar"]


@pytest.mark.parametrize("text", [b"0" * 64 + b"  ../../etc/passwd\n", b"0" * 64 + b"  /etc/passwd\n", b"x\n", b"\xff\n", b"", b"0" * 9000])
@pytest.mark.parametrize("name", ["manifest-sha256.txt", "tagmanifest-sha256.txt"])
def test_lists_that_were_made_to_hurt(bag, name, text):
    (bag / name).write_bytes(text)
    assert bad(bag)


def test_flips_of_bits_are_seen(bag):
    tags = (bag / "tagmanifest-sha256.txt").read_text()
    (bag / "tagmanifest-sha256.txt").write_text(tags[:64].upper() + tags[64:])  # the same number, in other bytes
    assert ("tagmanifest-sha256.txt", "changed") in bad(bag)
    (bag / "tagmanifest-sha256.txt").write_text(tags)
    paths = sorted(path for path in bag.rglob("*") if path.is_file())
    bits = [(path, bit) for path in paths for bit in range(8 * path.stat().st_size)]
    for path, bit in random.Random(3).sample(bits, 4000 if LONG else 20):
        data = path.read_bytes()
        path.write_bytes(data[: bit // 8] + bytes([data[bit // 8] ^ 1 << bit % 8]) + data[bit // 8 + 1 :])
        seen = bad(bag)
        path.write_bytes(data)
        assert seen, (path, bit)


def test_names_in_bags_differ_and_are_plain():
    names = ["a", "A", "a b", "a=20b", "../a", "./a", "..", "é", "\udcff", "a" * 300, "a" * 299 + "b", "-a", "con/aux", "a\\b", "a%25"]
    made = [safe_name(name) for name in names]
    assert len(set(made)) == len(names)
    assert all(text.isascii() and "%" not in text and ".." not in text.split("/") for text in made)
    assert all(len(part) <= 200 for text in made for part in text.split("/"))


def test_what_cannot_be_packed(case, tmp_path):
    for wrong, out, kind in [
        ([], "x", vf.ArgumentError), ([case, case], "x", vf.ArgumentError), ([tmp_path / "nothing"], "x", vf.SourceNotFoundError),
        ([case], "case", vf.OutputError), ([case], "no/such/x.tar", vf.OutputError),
    ]:  # fmt: skip
        with pytest.raises(kind):
            evidence.pack(wrong, tmp_path / out)
    os.mkfifo(case / "pipe")
    with pytest.raises(vf.OutputError, match="not a regular file"):
        evidence.pack(case, tmp_path / "x")
    assert not (tmp_path / "x").exists()
    (tmp_path / "ev" / "heads" / "000001.json").unlink()
    with pytest.raises(vf.ManifestError, match=r"heads/000001.json: missing"):
        evidence.pack(case / "logs", tmp_path / "x", manifest=tmp_path / "ev")
    for wrong in (case, tmp_path / "nothing", case / "empty"):
        with pytest.raises(vf.VpcflowError):
            evidence.verify(wrong)


def test_the_commands(case, tmp_path, capsys):
    def said(code, *args):
        assert main([str(arg) for arg in args]) == code
        return capsys.readouterr().out

    said(0, "evidence", "pack", case, "-o", tmp_path / "b", "--manifest", tmp_path / "ev", "--who", "R. Roe")
    assert "J. Doe: handed over" in said(0, "evidence", "custody", tmp_path / "b", "--who", "J. Doe", "--what", "handed over")
    rows = [json.loads(text) for text in said(0, "evidence", "verify", tmp_path / "b", "--json").splitlines()]
    assert {row["verdict"] for row in rows} == {"ok"}
    assert {tuple(row) for row in rows} == {("object", "verdict", "kind", "period", "detail")}
    shutil.rmtree(tmp_path / "b" / "data" / "case")
    shown = said(1, "evidence", "verify", tmp_path / "b")
    assert "missing  data/case/case/findings.json" in shown
    assert "R. Roe: packed" in shown
