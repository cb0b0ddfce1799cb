"""What is no text is refused by name, with the way out, wherever it comes from."""

import bz2
import gzip
import io
import lzma
import random
import sqlite3
import struct
import tarfile
import zipfile

import pytest

import vpcflow as vf
from conftest import HEADER, line, run_cli

TEXT = HEADER + line() + line(src="10.0.0.2")


def zipped(names=("a.log",), method=zipfile.ZIP_DEFLATED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name in names:
            archive.writestr(name, TEXT)
    return out.getvalue()


def tarred(format, mode="w"):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode, format=format) as archive:
        info = tarfile.TarInfo("logs/a.log")
        info.size = len(TEXT)
        archive.addfile(info, io.BytesIO(TEXT))
    return out.getvalue()


def old_tar():
    """Of before 1988: no magic, but a checksum."""
    header = bytearray(tarred(tarfile.USTAR_FORMAT)[:512])
    header[257:512] = bytes(255)
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header) + TEXT.ljust(1024, b"\0")


def sqlite(tmp_path):
    path = tmp_path / "x.db"
    with sqlite3.connect(path) as db:
        db.execute("create table flows (srcaddr text, bytes int)")
    db.close()
    return path.read_bytes()


def arrow(kind):
    pa = pytest.importorskip("pyarrow")
    table = pa.table({"srcaddr": ["10.0.0.1"], "bytes": [5]})
    out = io.BytesIO()
    if kind == "orc":
        pytest.importorskip("pyarrow.orc").write_table(table, out)
    return out.getvalue()


NOISE = random.Random(26).randbytes(5000)
REFUSED = {
    "zip": (zipped(), "zip archive; unpack it first with unzip"),
    "zip, stored": (zipped(method=zipfile.ZIP_STORED), "zip archive"),
    "empty zip": (zipped(()), "zip archive"),
    "part of a zip": (b"PK\x07\x08" + zipped(), "zip archive"),
    "Excel": (zipped(("[Content_Types].xml", "xl/workbook.xml")), "Excel workbook"),
    "Word": (zipped(("[Content_Types].xml", "word/document.xml")), "zip archive"),
    "tar, ustar": (tarred(tarfile.USTAR_FORMAT), "tar archive"),
    "tar, GNU": (tarred(tarfile.GNU_FORMAT), "tar archive"),
    "tar, pax": (tarred(tarfile.PAX_FORMAT), "tar archive"),
    "tar, old": (old_tar(), "tar archive"),
    "tar.gz": (tarred(tarfile.GNU_FORMAT, "w:gz"), "what is packed in it is a tar archive"),
    "zip in gzip": (gzip.compress(zipped()), "what is packed in it is a zip archive"),
    "xz": (lzma.compress(TEXT), "this is xz; unpack it first with xz -d"),
    "lzma": (lzma.compress(TEXT, lzma.FORMAT_ALONE), "lzma"),
    "bzip2": (bz2.compress(TEXT), "this is bzip2"),
    "empty bzip2": (bz2.compress(b""), "this is bzip2"),
    "7z": (b"7z\xbc\xaf\x27\x1c\0\4" + NOISE, "7z archive"),
    "RAR": (b"Rar!\x1a\x07\x01\0" + NOISE, "RAR archive"),
    "lz4": (b"\x04\x22\x4d\x18\x64\x40\xa7" + TEXT, "this is lz4"),
    "snappy": (b"\xff\x06\0\0sNaPpY" + TEXT, "this is snappy"),
    "compress": (b"\x1f\x9d\x90" + NOISE, "compress"),
    "Avro": (b"Obj\x01\x04\x14avro.codec\x08null\x16avro.schema" + TEXT, "this is Avro"),
    "pcap": (struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1) + NOISE, "pcap"),
    "pcap, other end": (struct.pack(">IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1) + NOISE, "pcap"),
    "pcap, nanoseconds": (struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 65535, 1), "pcap"),
    "pcapng": (b"\x0a\x0d\x0d\x0a\x1c\0\0\0\x4d\x3c\x2b\x1a" + NOISE, "pcapng"),
    "UTF-16": (TEXT.decode().encode("utf-16"), "UTF-16 text; convert it first with iconv"),
    "UTF-16, other end": (b"\xfe\xff" + TEXT.decode().encode("utf-16-be"), "UTF-16"),
    "UTF-16 without mark": (TEXT.decode().encode("utf-16-le"), "UTF-16"),
    "UTF-16 without mark, other end": (TEXT.decode().encode("utf-16-be"), "UTF-16"),
    "UTF-32": (TEXT.decode().encode("utf-32"), "UTF-32"),
    "UTF-32 without mark": (TEXT.decode().encode("utf-32-le"), "UTF-32"),
    "UTF-32 without mark, other end": (TEXT.decode().encode("utf-32-be"), "UTF-32"),
    "PDF": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n" + NOISE, "PDF"),
    "HTML": (b"\n<!DOCTYPE html>\n<html><body>Sign in</body></html>\n", "HTML page"),
    "HTML without type": (b"<HTML><head><title>403</title></head></HTML>", "HTML page"),
    "S3's error": (b'<?xml version="1.0"?>\n<Error><Code>NoSuchKey</Code></Error>', "an error of S3"),
    "evtx": (b"ElfFile\0" + bytes(4000), "evtx"),
    "ELF": (b"\x7fELF\x02\x01\x01" + bytes(500), "a program"),
    "Windows": (b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff" + NOISE, "a program"),
    "noise": (NOISE, "binary data, not text"),
    "zeros": (bytes(5000), "binary data, not text"),
    "noise in gzip": (gzip.compress(NOISE), "what is packed in it is binary data"),
    "PNG": (b"\x89PNG\r\n\x1a\n" + NOISE, "an image"),
    "old Excel": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "xls"),
}  # fmt: skip


def refused(source, what, **options):
    with pytest.raises(vf.FormatError) as raised:
        vf.scan(source, **options).agg(n=vf.count()).collect()
    assert what in str(raised.value)
    assert "no header line" not in str(raised.value)


@pytest.mark.parametrize("name", REFUSED)
def test_refused_by_name(name, tmp_path):
    data, what = REFUSED[name]
    path = tmp_path / "flow.log"
    path.write_bytes(data)
    for source in (data, path, io.BytesIO(data), [path], [data]):
        refused(source, what)
    for container in ("text", "cloudwatch-export", "json", "csv", "subscription"):
        refused(data, what, container=container)
    refused(data, what, format="srcaddr bytes")
    done = run_cli("summary", path, "--json")
    assert done.returncode == 2
    assert what in done.stderr.decode()


def test_refused_databases(tmp_path):
    refused(sqlite(tmp_path), "an SQLite database")
    refused(arrow("orc"), "this is ORC")


def test_refused_among_others(tmp_path, quiet):
    (tmp_path / "a.log").write_bytes(TEXT)
    (tmp_path / "b.log").write_bytes(zipped())
    with pytest.raises(vf.FormatError, match=r"b\.log: this is a zip archive"):
        vf.scan(tmp_path).agg(n=vf.count()).collect()


@pytest.mark.parametrize("ending", ["br", "snappy", "lzo", "pkl"])
def test_what_has_no_magic_is_named_by_its_ending(ending, tmp_path):
    path = tmp_path / f"flow.log.{ending}"
    path.write_bytes(b"\x8b\x90\x80" + NOISE)
    refused(path, "by its name")


def test_text_with_bad_bytes_is_read(quiet):
    bad = HEADER + line() + b"\0" * 2000 + b"\n" + NOISE.replace(b"\n", b"") + b"\n" + line(src="10.0.0.2")
    result = vf.scan(bad).agg(n=vf.count()).collect()
    assert result["n"] == [2]
    for text in (b"PK srcaddr\n", b"Rar! bytes\n", b"MZ\n", b"ORC file\n", b"x^2 y\n"):
        with pytest.raises(vf.FormatError, match="no header line"):
            vf.scan(text).agg(n=vf.count()).collect()
