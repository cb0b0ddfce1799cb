"""A stand-in of Logs Insights: the part of its query language that vpcflow writes, read anew from AWS's description of
it. Not AWS itself."""

import ipaddress
import math
import re
from collections import defaultdict

TOKEN = re.compile(r'\s*("(?:[^"\\]|\\.)*"|(?<=like )/(?:[^/\\]|\\.)*/|\d+(?:\.\d+)?|[A-Za-z_]\w*|!=|<=|>=|[=<>()\[\],*/+])')


def number(value):
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def equal(a, b):
    if number(a) is not None and number(b) is not None:
        return number(a) == number(b)
    return str(a) == str(b)


def less(a, b):
    return number(a) is not None and number(b) is not None and number(a) < number(b)


def in_subnet(version):
    def test(address, network):
        try:
            one = ipaddress.ip_address(address)
        except ValueError:
            return False
        return one.version == version and one in ipaddress.ip_network(network)

    return test


class Expression:
    """A condition or a computation, as a function of a row."""

    def __init__(self, text):
        self.tokens = [t for t in TOKEN.findall(text)]
        assert "".join(self.tokens) == re.sub(r'\s+(?=(?:[^"]*"[^"]*")*[^"]*$)', "", text), text
        self.at = 0
        self.run = self.either()
        assert self.at == len(self.tokens), text

    def peek(self):
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self, *words):
        if self.peek() in words:
            self.at += 1
            return self.tokens[self.at - 1]
        return None

    def either(self):
        left = self.both()
        while self.take("or"):
            left = (lambda a, b: lambda row: a(row) or b(row))(left, self.both())
        return left

    def both(self):
        left = self.test()
        while self.take("and"):
            left = (lambda a, b: lambda row: a(row) and b(row))(left, self.test())
        return left

    def test(self):
        if self.take("not"):
            inner = self.test()
            return lambda row: not inner(row)
        left = self.total()
        if self.take("like"):
            form = re.compile(self.tokens[self.at][1:-1])
            self.at += 1
            return lambda row: form.search(str(left(row))) is not None
        negated = bool(self.take("not"))
        if self.take("in"):
            assert self.take("[")
            values = [self.value()]
            while self.take(","):
                values.append(self.value())
            assert self.take("]")
            return lambda row: negated ^ any(equal(left(row), value(row)) for value in values)
        assert not negated
        sign = self.take("=", "!=", "<", "<=", ">", ">=")
        if sign is None:
            return left
        right = self.total()
        return {
            "=": lambda row: equal(left(row), right(row)), "!=": lambda row: not equal(left(row), right(row)),
            "<": lambda row: less(left(row), right(row)), ">": lambda row: less(right(row), left(row)),
            "<=": lambda row: less(left(row), right(row)) or equal(left(row), right(row)),
            ">=": lambda row: less(right(row), left(row)) or equal(left(row), right(row)),
        }[sign]  # fmt: skip

    def total(self):
        left = self.product()
        while self.take("+"):
            left = (lambda a, b: lambda row: number(a(row)) + number(b(row)))(left, self.product())
        return left

    def product(self):
        left = self.value()
        while sign := self.take("*", "/"):
            right = self.value()
            left = (lambda a, b, s: lambda row: number(a(row)) * number(b(row)) if s == "*" else number(a(row)) / number(b(row)))(left, right, sign)
        return left

    def value(self):
        if self.take("("):
            inner = self.either()
            assert self.take(")")
            return inner
        word = self.tokens[self.at]
        self.at += 1
        if word[0] == '"':
            return lambda row: word[1:-1]
        if word[0].isdigit():
            return lambda row: float(word)
        if not self.take("("):
            return lambda row: row[word]
        given = [self.either()]
        while self.take(","):
            given.append(self.either())
        assert self.take(")")
        call = {"floor": lambda x: math.floor(number(x)), "isIpv4InSubnet": in_subnet(4), "isIpv6InSubnet": in_subnet(6),
                "strcontains": lambda a, b: int(b in a)}[word]  # fmt: skip
        return lambda row: call(*(one(row) for one in given))


def said(value):
    """A number as Insights writes it."""
    return f"{value:.0f}" if value == int(value) else repr(value)


def aggregate(function, values):
    numbers = [number(value) for value in values if number(value) is not None]
    return {"count": len(values), "sum": sum(numbers), "min": min(numbers, default=0), "max": max(numbers, default=0)}[function]


def parts(text):
    """What commas separate, but not those in parentheses."""
    found = [""]
    for letter in text:
        inside = found[-1].count("(") > found[-1].count(")")
        if letter == "," and not inside:
            found.append("")
        else:
            found[-1] += letter
    return [part.strip() for part in found]


def key_of(row, key):
    """The value by which a row is grouped."""
    span = re.fullmatch(r"bin\((\d+)m\)", key)
    return row[key] if span is None else row["@timestamp"] // (60 * int(span[1])) * 60 * int(span[1])


def answer(query, messages, times=None):
    """The rows of a query over lines, each a dictionary of texts, and how many lines passed its filters. ``times``: those
    of the lines, in Unix seconds."""
    rows = [{"@message": message} for message in messages]
    if times is not None:
        rows = [{**row, "@timestamp": time} for row, time in zip(rows, times)]
    matched = len(rows)
    for command in query.split("\n| "):
        verb, _, rest = command.partition(" ")
        if verb == "parse":
            pattern, names = re.fullmatch(r'@message "([^"]*)" as (.*)', rest).groups()
            form = re.compile(re.escape(pattern).replace(r"\*", "(.*?)"))
            kept = []
            for row in rows:
                found = form.fullmatch(row["@message"])
                if found:
                    kept.append({**row, **dict(zip(names.split(", "), found.groups()))})
            rows = kept
        elif verb == "filter":
            test = Expression(rest).run
            rows = [row for row in rows if test(row)]
            matched = len(rows)
        elif verb == "fields":
            text, name = rest.rsplit(" as ", 1)
            computed = Expression(text).run
            rows = [{**row, name: said(computed(row))} for row in rows]
        elif verb == "stats":
            stats, _, by = rest.partition(" by ")
            groups = defaultdict(list)
            keys = parts(by) if by else []
            for row in rows:
                groups[tuple(key_of(row, key) for key in keys)].append(row)
            out = []
            for values, members in groups.items():
                row = dict(zip(keys, values))
                for one in parts(stats):
                    function, of, name = re.fullmatch(r"(\w+)\((.*)\) as (\w+)", one).groups()
                    run = (lambda row: 1) if of == "*" else Expression(of).run
                    row[name] = said(aggregate(function, [run(member) for member in members]))
                out.append(row)
            rows = out
        elif verb == "sort":
            name, way = rest.split(" ")
            rows.sort(key=lambda row: number(row[name]), reverse=way == "desc")
        else:
            assert verb == "limit", command
            rows = rows[: int(rest)]
    return rows, matched
