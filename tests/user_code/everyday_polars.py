"""Twenty everyday lines of polars over flow logs; each is checked: everyday_polars.py LOG"""

import sys

import polars as pl

import vpcflow as vf

flows = vf.scan(sys.argv[1])
df = flows.to_polars()
lf = flows.lazy()
rows = [row for row in flows.collect() if row["bytes"] is not None]
done = 0


def check(holds):
    global done
    assert holds
    done += 1


def total(wanted):
    return sum(row["bytes"] for row in rows if wanted(row))


by_pair = df.group_by("srcaddr", "dstaddr").agg(pl.sum("bytes"))
check(by_pair["bytes"].sum() == total(lambda row: True))
busiest = df.group_by("srcaddr").agg(pl.col("bytes").sum()).top_k(5, by="bytes")
check(busiest["bytes"].max() == max(total(lambda row, who=who: row["srcaddr"] == who) for who in busiest["srcaddr"]))
check(df.filter(pl.col("action") == "REJECT")["bytes"].sum() == total(lambda row: row["action"] == "REJECT"))
check(
    lf.filter(pl.col("dstport") == 443).select(pl.sum("bytes")).collect().item()
    == total(lambda row: row["dstport"] == 443)
)
check(df["srcaddr"].str.starts_with("10.").sum() == sum(row["srcaddr"].startswith("10.") for row in rows))
check(
    lf.filter(pl.col("srcaddr").str.starts_with("10.")).collect().height
    == sum(row["srcaddr"].startswith("10.") for row in rows)
)
owners = pl.DataFrame({"srcaddr": busiest["srcaddr"], "team": list("abcde")})
check(
    df.join(owners, on="srcaddr", how="left")["team"].is_not_null().sum()
    == df["srcaddr"].is_in(busiest["srcaddr"].to_list()).sum()
)
check(lf.join(owners.lazy(), on="srcaddr").collect().height == df.join(owners, on="srcaddr").height)
check(
    df["action"].value_counts().filter(pl.col("action") == "REJECT")["count"].item()
    == sum(row["action"] == "REJECT" for row in rows)
)
check(df.sort("start").group_by_dynamic("start", every="1h").agg(pl.sum("bytes"))["bytes"].sum() == df["bytes"].sum())
check(df.select((pl.col("end") - pl.col("start")).dt.total_seconds().max()).item() <= 600)
check(df.pivot("action", index="srcaddr", values="bytes", aggregate_function="sum").width >= 3)
check(df.with_columns(each=pl.col("bytes") / pl.col("packets"))["each"].mean() > 40)
check(df["bytes"].null_count() == df.height - len(rows))
check(df.unique(["srcaddr", "dstaddr", "dstport"]).height > 1000)
check(df.with_columns(pl.concat_str("srcaddr", pl.lit(":"), "srcport"))["srcaddr"].str.contains(":").any())
check(df.sort("bytes", descending=True, nulls_last=True).head(3)["bytes"].is_sorted(descending=True))
check(pl.concat([df, df]).height == 2 * df.height)
check(
    df["srcaddr"].replace({busiest["srcaddr"][0]: "me"}).eq("me").sum() == df["srcaddr"].eq(busiest["srcaddr"][0]).sum()
)
check(pl.DataFrame(flows.collect()).equals(df) and df.describe().height > 5)
print(f"polars {pl.__version__}: {done} lines")
