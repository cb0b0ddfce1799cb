"""Dashboards, alerts and provisioning files for Grafana, and what CloudWatch needs, made for a format of logs."""

from .alerting import alert_rules
from .cloudwatch import contributor_rules, insights_queries, metric_filters
from .dashboard import dashboard, victoriametrics
from .provisioning import provisioning
from .sources import SOURCES

__all__ = [
    "SOURCES", "alert_rules", "contributor_rules", "dashboard", "insights_queries", "metric_filters", "provisioning",
    "victoriametrics",
]  # fmt: skip


def __dir__() -> list[str]:
    return __all__
