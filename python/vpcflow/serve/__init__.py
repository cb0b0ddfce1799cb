"""Aggregates of logs over HTTP, for Grafana and for others: tables, series, a graph, annotations, metrics."""

from .board import Board, Figures
from .gathering import gather
from .metrics import exposition, history
from .server import Server

__all__ = ["Board", "Figures", "Server", "exposition", "gather", "history"]


def __dir__() -> list[str]:
    return __all__
