"""Queries without data: what they can say, what they cannot do, and the data that they are bound to."""

import pytest

import vpcflow as vf

LOG = (
    b"srcaddr dstaddr dstport protocol bytes start end action\n"
    b"10.0.0.1 10.0.0.9 22 6 40 100 160 REJECT\n"
    b"10.0.0.1 10.0.0.9 443 6 960 160 220 ACCEPT\n"
    b"10.0.0.2 10.0.0.9 443 6 7 400 460 ACCEPT\n"
)
QUERIES = {
    "select": lambda q: q.filter("bytes > 10").select("srcaddr", "bytes"),
    "located": lambda q: q.select("srcaddr").located(),
    "all fields": lambda q: q.limit(2),
    "sort": lambda q: q.select("bytes").sort("bytes", descending=True),
    "agg": lambda q: q.agg(bytes=vf.sum("bytes"), n=vf.count()),
    "bins": lambda q: q.group_by("srcaddr", every="1m").agg(bytes=vf.sum("bytes")),
    "windows": lambda q: q.group_by("srcaddr", every="1m", window="5m").agg(bytes=vf.sum("bytes")),
    "gaps": lambda q: q.group_by("srcaddr", every="1m", gap="2m").agg(n=vf.count()),
    "having": lambda q: q.group_by("srcaddr").agg(n=vf.count(where="dstport = 443")).having("n >= 1"),
    "top_k": lambda q: q.group_by("srcaddr", "dstport").agg(b=vf.sum("bytes")).top_k(1, by="b", per="srcaddr"),
    "other": lambda q: q.group_by("srcaddr").agg(b=vf.sum("bytes")).top_k(1, by="b", other=True),
    "label": lambda q: q.label("net", "srcaddr", NETS).group_by("net").agg(n=vf.count()),
    "ratio": lambda q: q.group_by("srcaddr").agg(b=vf.sum("bytes"), n=vf.count(), each=vf.ratio("b", "n")),
    "sessions": lambda q: q.sessions(idle="1m"),
}
NETS = vf.labels.prefixes({"10.0.0.1/32": "one", "10.0.0.0/8": "ten"})
SELECTIONS = ("select", "located", "all fields", "sort")


@pytest.mark.parametrize("name", QUERIES)
def test_a_bound_query_is_that_of_a_scan(name):
    wanted = QUERIES[name](vf.scan(LOG)).collect()
    bound = QUERIES[name](vf.query()).bind(LOG)
    assert bound.collect().rows() == wanted.rows()
    assert len(wanted)
    assert bound.explain() == QUERIES[name](vf.scan(LOG)).explain()
    assert QUERIES[name](vf.query()).bind(vf.scan(LOG)).collect().rows() == wanted.rows()


@pytest.mark.parametrize("name", [name for name in QUERIES if name not in SELECTIONS])
def test_an_aggregation_takes_whatever_a_query_says(name):
    question = QUERIES[name](vf.query())
    wanted = QUERIES[name](vf.scan(LOG)).collect()
    lines = LOG.splitlines(keepends=True)
    parts = [vf.Aggregation(question).update(lines[0] + line) for line in lines[1:]]
    whole = vf.merge_all(parts)
    assert whole.collect().rows() == wanted.rows()
    assert whole.to_bytes() == vf.Aggregation(question).update(LOG).to_bytes()
    assert vf.Aggregation(QUERIES[name](vf.scan(LOG))).to_bytes() == vf.Aggregation(question).to_bytes()
    assert vf.Aggregation.of(question) == vf.Aggregation(question)


def test_both_forms_of_an_aggregation_are_the_same():
    where = vf.col("action") == "ACCEPT"
    plain = vf.Aggregation(by=["srcaddr", "dstport"], every="1m", bin_by="start", where=where, allow_missing=True, n="count()")
    query = vf.query(allow_missing=True).filter(where).group_by("srcaddr", "dstport", every="1m", bin_by="start").agg(n="count()")
    assert plain.update(LOG).to_bytes() == vf.Aggregation(query).update(LOG).to_bytes()
    assert vf.Aggregation().update(LOG).collect().rows() == vf.Aggregation(vf.query().agg()).update(LOG).collect().rows()
    for more in ({"by": "srcaddr"}, {"every": 60}, {"bin_by": "start"}, {"where": "bytes > 1"}, {"allow_missing": True}, {"n": "count()"}):
        with pytest.raises(vf.PlanError, match="give a query, or what it groups by"):
            vf.Aggregation(query, **more)
    assert vf.Aggregation(query=vf.sum("bytes")).update(LOG).collect()["query"] == [1007]  # an aggregate of that name


@pytest.mark.parametrize("name", QUERIES)
@pytest.mark.parametrize(
    "run",
    [
        lambda q: q.collect(),
        lambda q: q.to_arrow(),
        lambda q: q.__arrow_c_stream__(),
        lambda q: vf.collect_all([q, q]),
        lambda q: q.format,
        lambda q: q.formats,
    ],
    ids=["collect", "to_arrow", "stream", "collect_all", "format", "formats"],
)
def test_without_data_nothing_runs(name, run):
    with pytest.raises(vf.PlanError, match=r"this query has no data; bind\(data\) gives it some"):
        run(QUERIES[name](vf.query()))


@pytest.mark.parametrize("run", [lambda q: q.coverage(), lambda q: next(q.batches()), lambda q: q.columns, lambda q: vf.detect(q)])
def test_without_data_records_are_not_looked_at(run):
    with pytest.raises(vf.PlanError, match=r"no data; bind\(data\)"):
        run(vf.query())


def test_what_is_known_without_data():
    question = vf.query().group_by("srcaddr").agg(n=vf.count())
    assert question.columns == ["srcaddr", "n"]
    assert vf.query().select("dstport", "bytes").columns == ["dstport", "bytes"]
    assert question.explain().startswith("scan      no data; bind(data) gives it some\n")
    assert "no data" in repr(vf.query())
    with pytest.raises(vf.FieldError, match="did you mean 'bytes'"):
        _ = vf.query().filter("bytse > 1").select("bytes").columns


def test_binding_keeps_what_the_data_say():
    scanned = vf.scan(LOG, start=150, allow_empty=True).filter("protocol = 6").label("net", "srcaddr", NETS)
    question = vf.query().filter("action = 'ACCEPT'").group_by("net").agg(n=vf.count())
    assert question.bind(scanned).collect().rows() == [{"net": "one", "n": 1}, {"net": "ten", "n": 1}]
    assert vf.query().group_by("srcaddr").agg(n=vf.count()).bind(LOG, start=150, end=300).collect().rows() == [
        {"srcaddr": "10.0.0.1", "n": 1}
    ]
    with pytest.raises(vf.NoRecordsError):
        vf.query().agg(n=vf.count()).bind(LOG, start=9999).collect()
    queries = [question.bind(scanned), vf.query().agg(n=vf.count()).bind(scanned)]
    assert [len(result) for result in vf.collect_all(queries)] == [2, 1]  # one pass


def test_what_cannot_be_bound():
    question = vf.query().agg(n=vf.count())
    with pytest.raises(vf.PlanError, match="this query has data"):
        question.bind(LOG).bind(LOG)
    with pytest.raises(vf.PlanError, match="options belong to the scan"):
        question.bind(vf.scan(LOG), threads=1)
    with pytest.raises(vf.PlanError, match="bind comes before group_by"):
        question.bind(vf.scan(LOG).agg(n=vf.count()))
    with pytest.raises(TypeError):
        question.bind(LOG, thread=1)


def test_fields_that_logs_lack():
    for flows in (vf.scan(LOG, allow_missing=True), vf.query(allow_missing=True).bind(LOG), vf.query().bind(LOG, allow_missing=True)):
        assert flows.select("srcaddr", "az-id").collect()["az_id"] == [None] * 3
        assert flows.group_by("az-id").agg(n=vf.count()).collect().rows() == [{"az_id": None, "n": 3}]
    with pytest.raises(vf.FieldError):
        vf.scan(LOG).select("az-id").collect()
