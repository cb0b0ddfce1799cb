"""Twenty everyday lines of pandas over flow logs; each is checked. Runs with pandas 2 and 3: everyday_pandas.py LOG"""

import sys

import pandas as pd

import vpcflow as vf

flows = vf.scan(sys.argv[1])
df = flows.to_pandas()
rows = [row for row in flows.collect() if row["bytes"] is not None]
done = 0


def check(holds):
    global done
    assert holds
    done += 1


def total(wanted):
    return sum(row["bytes"] for row in rows if wanted(row))


by_pair = df.groupby(["srcaddr", "dstaddr"])["bytes"].sum()
check(
    len(by_pair) == len({(row["srcaddr"], row["dstaddr"]) for row in rows}) and by_pair.sum() == total(lambda row: True)
)
busiest = df.groupby("srcaddr")["bytes"].sum().nlargest(5)
check(busiest.iloc[0] == total(lambda row: row["srcaddr"] == busiest.index[0]))
check(df[df["action"] == "REJECT"].bytes.sum() == total(lambda row: row["action"] == "REJECT"))
check(
    df.query("dstport == 443 and action == 'ACCEPT'")["bytes"].sum()
    == total(lambda row: row["dstport"] == 443 and row["action"] == "ACCEPT")
)
check(df["srcaddr"].str.startswith("10.").sum() == sum(row["srcaddr"].startswith("10.") for row in rows))
check(df["action"].value_counts()["REJECT"] == sum(row["action"] == "REJECT" for row in rows))
check(df.set_index("start").resample("1h")["bytes"].sum().sum() == df["bytes"].sum())
check(df.pivot_table(index="srcaddr", columns="action", values="bytes", aggfunc="sum").shape[1] == 2)
owners = pd.DataFrame({"srcaddr": busiest.index, "team": list("abcde")})
check(df.merge(owners, on="srcaddr", how="left")["team"].notna().sum() == df["srcaddr"].isin(busiest.index).sum())
check(df["dstport"].isin([22, 3389]).sum() == sum(row["dstport"] in (22, 3389) for row in rows))
check((df["end"] - df["start"]).dt.total_seconds().max() <= 600)
check(df["start"].dt.hour.between(6, 9).all() and str(df["start"].dt.tz) == "UTC")
check(df.sort_values("bytes", ascending=False).head(3)["bytes"].is_monotonic_decreasing)
check(df.groupby("srcaddr").agg(peers=("dstaddr", "nunique"), bytes=("bytes", "sum"))["peers"].max() > 1)
each = df.assign(each=df["bytes"] / df["packets"])
check(each["each"].mean() > 40)
check(df["bytes"].isna().sum() == len(df) - len(rows))
check(df.drop_duplicates(["srcaddr", "dstaddr", "dstport"]).shape[0] > 1000)
check(
    df["dstport"].map({443: "https", 22: "ssh"}).fillna("other").value_counts()["https"] == (df["dstport"] == 443).sum()
)
check(pd.concat([df, df]).shape[0] == 2 * len(df) and df["srcaddr"].str.split(".").str[0].notna().any())
check(df["bytes"].quantile(0.95) > df["bytes"].median() and df[["bytes", "packets"]].corr().loc["bytes", "packets"] > 0)
print(f"pandas {pd.__version__}: {done} lines")
