"""What Grafana does with a dashboard before it asks a source: values of variables go into queries, in the format that the
query names. Written after Grafana's description of it; not Grafana itself."""

import datetime
import json
import re
import urllib.parse

import vpcflow as vf
from vpcflow import _core

_NAME = re.compile(r"\$\{(\w+)(?::(\w+))?(?::(\w+))?\}")
_LUCENE = re.compile(r'([!*+\-=<>&|()\[\]{}^~?:\\/"])')


def _list(values, one, joined=","):
    return joined.join(one(value) for value in values)


def _lucene(values):
    if isinstance(values, str):
        return _LUCENE.sub(r"\\\1", values)
    quoted = [json.dumps(value) for value in values]
    return f"({' OR '.join(quoted)})" if len(quoted) > 1 else quoted[0]


_FORMATS = {
    "raw": lambda values: values if isinstance(values, str) else ",".join(values),
    "pipe": lambda values: "|".join([values] if isinstance(values, str) else values),
    "regex": lambda values: re.escape(values) if isinstance(values, str) else f"({_list(values, re.escape, '|')})",
    "doublequote": lambda values: _list([values] if isinstance(values, str) else values, lambda v: '"' + v.replace('"', '\\"') + '"'),
    "sqlstring": lambda values: _list([values] if isinstance(values, str) else values, lambda v: "'" + v.replace("'", "''") + "'"),
    "lucene": _lucene,
    "percentencode": lambda values: urllib.parse.quote(values, safe=""),
}  # fmt: skip


def expanded(text, made, start, end, **chosen):
    """Puts values into a query: those chosen, else those that a dashboard opens with. ``start``, ``end``: Unix seconds."""
    variables = {one["name"]: one for one in made["templating"]["list"]}

    def value(match):
        name, form, more = match.groups()
        if name in ("__from", "__to"):
            time = start if name == "__from" else end
            if form is None:
                return str(time * 1000)
            assert form == "date"
            moment = datetime.datetime.fromtimestamp(time, datetime.timezone.utc)
            return str(time) if more == "seconds" else moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")
        one = variables[name]
        if name in chosen:
            return _FORMATS[form or ("regex" if one["type"] == "query" else "raw")](chosen[name])
        if one["type"] == "textbox":
            return _FORMATS[form or "raw"](one["query"])
        assert one["current"]["value"] == "$__all"
        return one["allValue"]  # as it stands, whatever the format

    return _NAME.sub(value, text).replace("$__rate_interval", "20m")


# -- logs ------------------------------------------------------------------------------------------------------------

_EDGES = {
    "nat": {"pkt-srcaddr": "10.99.0.7"},
    "v6": {"srcaddr": "2001:db8::7", "dstaddr": "2600:1f18::9", "pkt-srcaddr": "2001:db8::7", "pkt-dstaddr": "2600:1f18::9"},
    "lost": {"log-status": "SKIPDATA"},
}  # fmt: skip
_WITHOUT = ("version", "account-id", "interface-id", "start", "end", "log-status", "vpc-id", "subnet-id", "region", "az-id")


def logs(format=None, records=800):
    """Logs of a format (default v5) that have of everything a little: rejects, a scan, records without data, lost ones,
    gateways, IPv6."""
    data = vf.synth(records, seed=3, reject_share=0.2, peers=60, noise_sources=60, format="v5").data
    head, *lines = data.decode().splitlines()
    names = head.split()
    for n, (kind, own) in enumerate(_EDGES.items()):
        for line in lines[n : 40 * (n + 1) : n + 2]:
            row = {**dict(zip(names, line.split())), **own}
            if kind == "lost":
                row = {name: value if name in _WITHOUT else "-" for name, value in row.items()}
            lines.append(" ".join(row.values()))
    wanted = names if format is None else [name for name, _ in _core.parse_format(format)]
    places = [names.index(name) if name in names else None for name in wanted]
    rows = (line.split() for line in lines)
    cut = [" ".join("-" if place is None else row[place] for place in places) for row in rows]
    return "\n".join([" ".join(wanted), *cut, ""]).encode()


# -- what a panel should show ----------------------------------------------------------------------------------------

_INSIDE = "10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 100.64.0.0/10"
_STATUS = {"NODATA": 1, "OK": 2, "SKIPDATA": 3}


def text(value):
    """A value as sources give it, whatever its type; none is the empty text."""
    return "" if value is None or value == "-" else str(value)


def ours(flows, ask, since=0):
    """Our own answer to a panel's question: values by the texts of the keys, with the time of the bin before them where it
    is asked through time. ``since``: the beginning of the page, of what is new."""
    for field, sign, value in ask.where:
        if sign in ("private", "public"):
            flows = flows.filter(f"{field} {'not ' if sign == 'public' else ''}in ({_INSIDE})")
        elif sign != "differs":
            flows = flows.filter(f"{field} {sign} {value if value.isdigit() else repr(value)}")
    if ask.every_record:
        flows = flows.filter("log_status is null or log_status is not null")
    by = [name.replace("-", "_") for name in ask.by]
    if ask.measure == "status":
        values = {}
        for row in flows.select("start", "log_status", *by).collect():
            key = (row["start"] // 300 * 300, *(text(row[name]) for name in by))
            values[key] = max(values.get(key, 0), _STATUS[row["log_status"]])
        return values
    agg = vf.sum("bytes") if ask.measure == "bytes" else vf.count()
    if ask.over_time:
        rows = flows.group_by(*by, every="5m", bin_by="start").agg(n=agg).collect()
        return {(row["time"], *(text(row[name]) for name in by)): row["n"] or 0 for row in rows}
    rows = flows.group_by(*by).agg(n=agg, first=vf.min("start")).collect()
    values = {tuple(text(row[name]) for name in by): row["n"] or 0 for row in rows if not ask.new or row["first"] >= since}
    if any(sign == "differs" for _, sign, _ in ask.where):  # of the fields by which it groups
        return {key: value for key, value in values.items() if key[0] and key[0] != key[1]}
    return values


def check(panel, found, expected):
    """Compares rows of a source, values by keys in order, with :func:`ours`."""
    ask = panel.ask
    assert bool(found) == bool(expected), panel.name
    if ask.over_time:
        assert found == {key: value for key, value in expected.items() if value}, panel.name
        return
    assert all(expected[key] == value for key, value in found.items()), panel.name
    most = sorted(expected.values(), reverse=True)[: ask.n]
    assert sorted(found.values(), reverse=True) == most, panel.name


def search_body(target, query, start, end):
    """The search that Grafana's plugin makes of a target for OpenSearch, after its description."""
    order = {"query": {"query_string": {"analyze_wildcard": True, "query": query}}}
    when = {"range": {target["timeField"]: {"gte": start * 1000, "lte": end * 1000, "format": "epoch_millis"}}}
    body = {"size": 0, "query": {"bool": {"filter": [when, order["query"]]}}}
    place = body
    for bucket in target["bucketAggs"]:
        if bucket["type"] == "date_histogram":
            own = {"date_histogram": {"field": bucket["field"], "fixed_interval": "300s", "min_doc_count": 0}}
        else:
            settings = bucket["settings"]
            ranked = {settings["orderBy"]: settings["order"]}
            own = {"terms": {"field": bucket["field"], "size": int(settings["size"]), "order": ranked, "min_doc_count": 1}}
            metrics = [one for one in target["metrics"] if one["id"] == settings["orderBy"]]
            if metrics:
                own["aggs"] = {one["id"]: {one["type"]: {"field": one["field"]}} for one in metrics}
        place.setdefault("aggs", {})[bucket["id"]] = own
        place = own
    for one in target["metrics"]:
        if one["type"] != "count":
            place.setdefault("aggs", {})[one["id"]] = {one["type"]: {"field": one["field"]}}
    return body


def search_rows(target, answer):
    """The values by keys of an answer, as the plugin makes rows of nested buckets."""
    rows = {}

    def walk(own, ids, key):
        if not ids:
            metric = target["metrics"][0]
            rows[key] = own["doc_count"] if metric["type"] == "count" else int(own[metric["id"]]["value"])
            return
        for bucket in own[ids[0]]["buckets"]:
            walk(bucket, ids[1:], (*key, bucket["key"]))

    walk(answer["aggregations"], [bucket["id"] for bucket in target["bucketAggs"]], ())
    if target["bucketAggs"][-1]["type"] == "date_histogram":
        return {(key[-1] // 1000, *map(text, key[:-1])): value for key, value in rows.items() if value}
    return {tuple(map(text, key)): value for key, value in rows.items()}
