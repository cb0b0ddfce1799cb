"""Twenty everyday lines of DuckDB over flow logs; each is checked: everyday_duckdb.py LOG"""

import sys

import duckdb

import vpcflow as vf

flows = vf.scan(sys.argv[1])
result = flows.collect()
findings = vf.detect(flows)
owners = flows.group_by("srcaddr").agg(bytes=vf.sum("bytes")).top_k(5, by="bytes").collect()
rows = [row for row in result if row["bytes"] is not None]
db = duckdb.connect()
db.execute("set TimeZone = 'UTC'")
done = 0


def check(holds):
    global done
    assert holds
    done += 1


def one(query):
    return db.sql(query).fetchall()[0][0]


def total(wanted):
    return sum(row["bytes"] for row in rows if wanted(row))


check(one("select count(*) from result") == len(result))
check(one("select sum(bytes) from result where action = 'REJECT'") == total(lambda row: row["action"] == "REJECT"))
check(one("select sum(bytes) from result where dstport = 443") == total(lambda row: row["dstport"] == 443))
check(
    one("select count(*) from (select srcaddr, dstaddr, sum(bytes) from result where bytes is not null group by all)")
    == len({(r["srcaddr"], r["dstaddr"]) for r in rows})
)
check(one("select srcaddr from result group by 1 order by sum(bytes) desc limit 1") == owners["srcaddr"][0])
check(
    one("select count(*) from result join owners using (srcaddr)")
    == sum(row["srcaddr"] in owners["srcaddr"] for row in rows)
)
check(
    one("select count(*) from result where srcaddr like '10.%'")
    == sum(row["srcaddr"].startswith("10.") for row in rows)
)
check(
    one("select count(*) from result where starts_with(dstaddr, '10.')")
    == sum(row["dstaddr"].startswith("10.") for row in rows)
)
check(
    one("select count(*) from result where dstport in (22, 3389)") == sum(row["dstport"] in (22, 3389) for row in rows)
)
check(one("select count(distinct time_bucket(interval 1 hour, start)) from result") >= 3)
check(one('select max("end" - start) <= interval 10 minute from result'))
check(one("select extract(hour from min(start)) from result") == 6)
check(one("select count(*) from result where bytes is null") == len(result) - len(rows))
check(one("select count(*) from (select distinct srcaddr, dstaddr, dstport from result)") > 1000)
check(one("select max(peers) from (select srcaddr, count(distinct dstaddr) peers from result group by 1)") > 1)
check(
    one(
        "select count(*) from (select *, row_number() over (partition by srcaddr order by bytes desc) n from result) where n = 1"
    )
    >= 1000
)
check(one("select quantile_cont(bytes, 0.95) > median(bytes) from result"))
check(
    len(db.sql("pivot (select srcaddr, action, bytes from result) on action using sum(bytes) group by srcaddr").columns)
    >= 3
)
check(one("select count(*) from findings where severity = 'high'") == sum(f.severity == "high" for f in findings))
check(
    one("select sum(bytes) from owners") == sum(owners["bytes"])
    and len(db.sql("select * from result").df()) == len(result)
)
print(f"DuckDB {duckdb.__version__}: {done} lines")
