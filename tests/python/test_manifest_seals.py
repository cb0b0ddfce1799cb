"""Signatures of manifests, against programs and libraries that share no code with ours."""

import base64
import datetime
import hashlib
import http.server
import json
import shutil
import subprocess
import sys
import threading
import time

import pytest

import vpcflow as vf
from conftest import HEADER, line
from test_s3 import StandIn, begun

pytest.importorskip("cryptography")
needs_ssh = pytest.mark.skipif(not shutil.which("ssh-keygen"), reason="ssh-keygen is not installed")
needs_openssl = pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is not installed")


def run(*command, **options):
    return subprocess.run([str(part) for part in command], capture_output=True, check=False, **options)


@pytest.fixture
def ev(tmp_path):
    """A manifest of one object, not signed."""
    (tmp_path / "a.log").write_bytes(HEADER + line())
    vf.manifest.add(tmp_path / "a.log", tmp_path / "ev", created=0)
    return tmp_path / "ev"


@pytest.fixture
def head(ev):
    return ev / "heads" / "000001.json"


def verdicts(ev, *keys):
    rows = vf.manifest.verify(ev, keys=keys).rows
    return [(row.object, row.verdict) for row in rows if row.verdict != "ok"] or "ok"


def openssl_key(path, *options):
    assert run("openssl", "genpkey", *options, "-out", path).returncode == 0
    assert run("openssl", "pkey", "-in", path, "-pubout", "-out", f"{path}.pub").returncode == 0
    return path, f"{path}.pub"


# -- DSSE -----------------------------------------------------------------------------------------------------------


@needs_openssl
@pytest.mark.parametrize(
    "options",
    [("-algorithm", "ed25519"), ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"),
     ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384")],
    ids=["ed25519", "p256", "p384"],
)  # fmt: skip
def test_envelopes_are_read_by_others(ev, head, tmp_path, options):
    dsse = pytest.importorskip("securesystemslib.dsse")
    from cryptography.hazmat.primitives.serialization import load_pem_public_key
    from securesystemslib.signer import SSlibKey

    key, public = openssl_key(tmp_path / "k.pem", *options)
    assert vf.manifest.sign(ev, key).files == ["signatures/000001.dsse.json"]
    written = json.loads((ev / "signatures" / "000001.dsse.json").read_text())
    keyid = written["signatures"][0]["keyid"]
    envelope = dsse.Envelope.from_dict(json.loads(json.dumps(written)))
    pem = load_pem_public_key(open_bytes(public))
    other = SSlibKey.from_crypto(pem, keyid)
    assert list(envelope.verify([other], 1)) == [keyid]
    envelope.payload = envelope.payload.replace(b"heads", b"Heads")
    with pytest.raises(Exception, match=r"[Ss]ignature"):
        envelope.verify([other], 1)
    statement = json.loads(base64.b64decode(written["payload"]))
    digest = hashlib.sha256(head.read_bytes()).hexdigest()
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["subject"] == [{"name": "heads/000001.json", "digest": {"sha256": digest}}]
    assert verdicts(ev, public) == verdicts(ev) == "ok"


def open_bytes(path):
    with open(path, "rb") as file:
        return file.read()


@needs_openssl
def test_several_keys_sign_and_others_are_unknown(ev, tmp_path):
    one, one_public = openssl_key(tmp_path / "1.pem", "-algorithm", "ed25519")
    two, two_public = openssl_key(tmp_path / "2.pem", "-algorithm", "ed25519")
    vf.manifest.sign(ev, one)
    assert verdicts(ev, two_public) == [("heads/000001.json", "signer unknown")]
    vf.manifest.sign(ev, two)
    assert vf.manifest.sign(ev, two).files == []
    assert len(vf.manifest.verify(ev).signers) == 2
    assert verdicts(ev, one_public) == verdicts(ev, two_public) == "ok"
    (tmp_path / "both").mkdir()
    shutil.copy(one_public, tmp_path / "both" / "one")
    assert verdicts(ev, tmp_path / "both") == "ok"


@needs_openssl
def test_keys_in_variables_and_passwords(ev, tmp_path, monkeypatch):
    key, public = openssl_key(tmp_path / "k.pem", "-algorithm", "ed25519")
    run("openssl", "pkey", "-in", key, "-aes256", "-passout", "pass:secret", "-out", tmp_path / "locked.pem")
    with pytest.raises(vf.ManifestError, match=r"it is encrypted; put its password into the variable VPCFLOW_KEY_PASSWORD"):
        vf.manifest.sign(ev, tmp_path / "locked.pem")
    monkeypatch.setenv("VPCFLOW_KEY_PASSWORD", "wrong")
    with pytest.raises(vf.ManifestError, match="cannot be read"):
        vf.manifest.sign(ev, tmp_path / "locked.pem")
    monkeypatch.setenv("VPCFLOW_KEY_PASSWORD", "secret")
    vf.manifest.sign(ev, tmp_path / "locked.pem")
    monkeypatch.setenv("SIGNING", key.read_text())
    assert vf.manifest.sign(ev, "env:SIGNING").files == []  # the same key
    assert verdicts(ev, public) == "ok"
    for wrong, said in [("env:NOT_THERE", "not set"), (public, "no private key"), (tmp_path / "x", "no such file")]:
        with pytest.raises(vf.VpcflowError, match=said):
            vf.manifest.sign(ev, wrong)
    run("openssl", "genpkey", "-algorithm", "RSA", "-out", tmp_path / "rsa.pem")
    with pytest.raises(vf.ManifestError, match="allowed is an Ed25519 or an ECDSA key"):
        vf.manifest.sign(ev, tmp_path / "rsa.pem")
    for wrong in (key, tmp_path / "a.log"):
        with pytest.raises(vf.ManifestError, match=r"expected|public"):
            vf.manifest.verify(ev, keys=wrong)


def test_kms_signs_and_keeps_its_key(ev, tmp_path, monkeypatch):
    moto = pytest.importorskip("moto")
    import boto3

    for name, value in {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_REGION": "eu-west-1"}.items():
        monkeypatch.setenv(name, value)
    with moto.mock_aws():
        client = boto3.client("kms", region_name="eu-west-1")
        made = client.create_key(KeyUsage="SIGN_VERIFY", KeySpec="ECC_NIST_P256")["KeyMetadata"]
        vf.manifest.sign(ev, f"awskms:{made['Arn']}")
        assert vf.manifest.sign(ev, f"awskms:{made['KeyId']}").files == []
        public = client.get_public_key(KeyId=made["KeyId"])["PublicKey"]
        with pytest.raises(vf.SourceError, match="KMS key alias/nothing"):
            vf.manifest.sign(ev, "awskms:alias/nothing")
    pem = b"-----BEGIN PUBLIC KEY-----\n" + base64.encodebytes(public) + b"-----END PUBLIC KEY-----\n"
    (tmp_path / "kms.pem").write_bytes(pem)
    assert verdicts(ev, tmp_path / "kms.pem") == "ok"


# -- ssh-keygen, minisign -------------------------------------------------------------------------------------------


@needs_ssh
def test_ssh_keygen_agrees(ev, head, tmp_path, monkeypatch):
    for name in ("id", "other"):
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / name)
    (file,) = vf.manifest.sign(ev, tmp_path / "id").files
    (tmp_path / "allowed").write_text(f"audit@example.org {(tmp_path / 'id.pub').read_text()}")
    (tmp_path / "others").write_text(f"eve@example.org {(tmp_path / 'other.pub').read_text()}")
    check = ["ssh-keygen", "-Y", "verify", "-f", tmp_path / "allowed", "-I", "audit@example.org", "-n", "vpcflow-manifest"]
    assert run(*check, "-s", ev / file, input=head.read_bytes()).returncode == 0
    assert run(*check, "-s", ev / file, input=head.read_bytes() + b" ").returncode != 0
    assert verdicts(ev, tmp_path / "allowed") == verdicts(ev, tmp_path / "id.pub") == verdicts(ev) == "ok"
    assert vf.manifest.verify(ev, keys=tmp_path / "allowed").signers == ["ssh key audit@example.org"]
    assert verdicts(ev, tmp_path / "others") == [("heads/000001.json", "signer unknown")]
    monkeypatch.setenv("SIGNING", (tmp_path / "other").read_text())
    vf.manifest.sign(ev, "env:SIGNING")
    assert verdicts(ev, tmp_path / "others") == "ok"
    # One that is made outside is taken as well, and one of another head is not.
    run("ssh-keygen", "-Y", "sign", "-n", "vpcflow-manifest", "-f", tmp_path / "id", tmp_path / "a.log")
    (ev / file).write_bytes((tmp_path / "a.log.sig").read_bytes())
    vf.manifest.folder.Folder(ev).write_sums()
    assert verdicts(ev, tmp_path / "others") == [(file, "invalid")]


def test_minisign_agrees(ev, head, tmp_path):
    minisign = pytest.importorskip("minisign")
    pair, other = minisign.KeyPair.generate(), minisign.KeyPair.generate()
    (tmp_path / "m.key").write_bytes(bytes(pair.secret_key))
    (tmp_path / "m.pub").write_bytes(bytes(pair.public_key))
    (tmp_path / "o.pub").write_bytes(bytes(other.public_key))
    (file,) = vf.manifest.sign(ev, tmp_path / "m.key").files
    signature = minisign.Signature.from_file(ev / file)
    pair.public_key.verify(head.read_bytes(), signature)
    with pytest.raises(minisign.VerifyError):
        pair.public_key.verify(head.read_bytes() + b" ", signature)
    assert vf.manifest.sign(ev, tmp_path / "m.key").files == []
    assert verdicts(ev, tmp_path / "m.pub") == verdicts(ev) == "ok"
    assert verdicts(ev, tmp_path / "o.pub") == [("heads/000001.json", "signer unknown")]
    number = base64.b64decode((tmp_path / "m.pub").read_text().splitlines()[1])[2:10]
    assert file.split(".")[1] == f"{int.from_bytes(number, 'little'):016x}"  # as the program prints it


# -- RFC 3161 -------------------------------------------------------------------------------------------------------

TSA = """
[ tsa ]
default_tsa = t
[ t ]
serial = {0}/serial
signer_cert = {0}/tsa.crt
signer_key = {0}/tsa.pem
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
ess_cert_id_alg = sha256
[ ext ]
extendedKeyUsage = critical,timeStamping
keyUsage = critical,digitalSignature
[ ca ]
basicConstraints = critical,CA:true
keyUsage = critical,keyCertSign
"""


@pytest.fixture(params=["signer", "chain"])
def authority(request, tmp_path):
    """An authority of RFC 3161 out of openssl; its URL and its root. With the chain its certificates do not come in the
    order of DER."""
    pytest.importorskip("rfc3161_client")
    base = tmp_path / "tsa"
    base.mkdir()
    (base / "conf").write_text(TSA.format(base))
    (base / "serial").write_text("01\n")
    options = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-config", base / "conf"]
    (base / "conf").write_text(TSA.format(base).replace("[ t ]\n", f"[ t ]\ncerts = {base}/ca.crt\n" if request.param == "chain" else "[ t ]\n") + "[ req ]\ndistinguished_name = d\n[ d ]\n")
    for name in ("ca", "other"):
        made = run("openssl", "req", "-x509", *options, "-keyout", base / f"{name}.pem", "-out", base / f"{name}.crt", "-days", "9",
                   "-subj", f"/CN={name}", "-extensions", "ca")  # fmt: skip
        assert made.returncode == 0, made.stderr
    run("openssl", "req", *options, "-keyout", base / "tsa.pem", "-out", base / "tsa.csr", "-subj", "/CN=tsa")
    made = run("openssl", "x509", "-req", "-in", base / "tsa.csr", "-CA", base / "ca.crt", "-CAkey", base / "ca.pem",
               "-CAcreateserial", "-days", "9", "-extfile", base / "conf", "-extensions", "ext", "-out", base / "tsa.crt")  # fmt: skip
    assert made.returncode == 0, made.stderr

    class Answers(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            (base / "query").write_bytes(self.rfile.read(int(self.headers["Content-Length"])))
            made = run("openssl", "ts", "-reply", "-queryfile", base / "query", "-config", base / "conf", "-out", base / "reply")
            body = (base / "reply").read_bytes() if self.path == "/" and not made.returncode else b"no stamp"
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/", base
    server.shutdown()
    server.server_close()


@needs_openssl
def test_openssl_agrees_on_stamps(ev, head, tmp_path, authority):
    url, base = authority
    (file,) = vf.manifest.sign(ev, stamp_url=url).files
    now = time.time()
    check = ["openssl", "ts", "-verify", "-CAfile", base / "ca.crt", "-in", ev / file, "-data"]
    assert run(*check, head).returncode == 0
    (tmp_path / "other").write_bytes(head.read_bytes().replace(b"1", b"2", 1))
    assert run(*check, tmp_path / "other").returncode != 0
    key, public = openssl_key(tmp_path / "k.pem", "-algorithm", "ed25519")
    vf.manifest.sign(ev, key)
    found = vf.manifest.verify(ev, keys=[public, base / "ca.crt"])
    assert found.ok
    assert [text.split(" of 20")[0] for text in found.signers if "stamp" in text] == ["stamp"]
    said = next(text for text in found.signers if "stamp" in text).split()[-1]
    assert abs(datetime.datetime.fromisoformat(said.replace("Z", "+00:00")).timestamp() - now) < 600
    assert verdicts(ev, public, base / "other.crt") == [(file, "invalid")]
    assert verdicts(ev, base / "ca.crt") == "ok"
    assert verdicts(ev, base / "other.crt") == [("heads/000001.json", "signer unknown"), (file, "invalid")]
    (tmp_path / "none").mkdir()
    with pytest.raises(vf.ManifestError, match="an empty folder"):
        vf.manifest.verify(ev, keys=tmp_path / "none")
    assert any(text.endswith("not checked") for text in vf.manifest.verify(ev).signers)
    for wrong, said in [(url + "x", "not an answer of RFC 3161"), ("http://127.0.0.1:1/", "127.0.0.1"), ("file:///etc/passwd", "expected the http")]:
        with pytest.raises(vf.VpcflowError, match=said):
            vf.manifest.sign(ev, stamp_url=wrong)


# -- buckets --------------------------------------------------------------------------------------------------------


@pytest.fixture(params=["obstore", "boto3"])
def s3(request, monkeypatch):
    if request.param == "obstore":
        pytest.importorskip("obstore")
    else:
        monkeypatch.setitem(sys.modules, "obstore", None)
    server = StandIn()
    yield begun(server, monkeypatch)
    server.close()


def test_objects_of_a_bucket(s3, tmp_path, monkeypatch):
    folder = "AWSLogs/123456789010/vpcflowlogs/us-east-1/2026/11"
    keys = [f"{folder}/{day}/123456789010_vpcflowlogs_us-east-1_fl-1_202611{day}T0000Z_{n}.log" for day in (21, 22, 24) for n in (0, 1)]
    for key in keys:
        s3.objects["logs"][key] = HEADER + line(dstport=len(s3.objects["logs"]) + 1)
    done = vf.manifest.add("s3://logs/", tmp_path / "ev", created=1_795_900_000)
    assert done.objects == [f"s3://logs/{key}" for key in keys]
    assert done.empty == ["2026-11-23"]
    got = len(s3.got)
    assert vf.manifest.add("s3://logs/", tmp_path / "ev").same == 6
    assert len(s3.got) == got  # their ETags say that they are the same
    assert vf.manifest.verify(tmp_path / "ev", "s3://logs/").counts("object") == {"ok": 6}
    with monkeypatch.context() as patch:  # large ones come in ranges
        for module in ("stores", "measuring"):
            patch.setattr(f"vpcflow.manifest.{module}.IN_MEMORY", 50)
        vf.manifest.add("s3://logs/", tmp_path / "parts", created=1_795_900_000)
    assert vf.manifest.head(tmp_path / "parts") == vf.manifest.head(tmp_path / "ev")
    for key in keys:
        place = tmp_path / "copy" / key
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(s3.objects["logs"][key])
    assert vf.manifest.verify(tmp_path / "ev", tmp_path / "copy").counts("object") == {"ok": 6}
    s3.objects["logs"][keys[0]] += line()
    del s3.objects["logs"][keys[1]]
    assert vf.manifest.verify(tmp_path / "ev", "s3://logs/").counts("object") == {"ok": 4, "changed": 1, "missing": 1}
    part = vf.manifest.verify(tmp_path / "ev", f"s3://logs/{folder}/24/")
    assert (part.counts("object"), part.unasked) == ({"ok": 2}, 4)
