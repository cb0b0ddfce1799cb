"""Files of Grafana's ``provisioning`` folder: the data source, and where dashboards are."""

from __future__ import annotations

from typing import Any

from .ecs import START
from .sources import source_of

Json = dict[str, Any]

_PORTS = {"prometheus": 9090, "infinity": 9432, "victorialogs": 9428, "opensearch": 9200}


def provisioning(
    source: str, *, url: str | None = None, folder: str = "/var/lib/grafana/dashboards"
) -> dict[str, Json]:
    """Returns files by their path below ``provisioning``. ``url``: of the source, where it has one; ``folder``: where
    the dashboard lies on the machine of Grafana. The source's uid is ``vpcflow``, as alert rules name it. No file has
    a secret: a token stands as a variable of Grafana's environment.

    >>> sorted(provisioning("prometheus"))
    ['dashboards/vpcflow.yaml', 'datasources/vpcflow.yaml']
    """
    own = source_of(source)
    data: Json = {"name": "vpcflow", "uid": "vpcflow", "type": own.plugin, "access": "proxy", "isDefault": False}
    if source in _PORTS:
        data["url"] = url or f"http://127.0.0.1:{_PORTS[source]}"
    if source == "prometheus":
        data["jsonData"] = {"timeInterval": "5m", "httpMethod": "POST"}
    elif source == "infinity":
        data["jsonData"] = {"auth_method": "bearerToken", "allowedHosts": [data["url"]]}
        data["secureJsonData"] = {"bearerToken": "$VPCFLOW_TOKEN"}
    elif source == "opensearch":
        own_data = {"database": "vpcflow", "timeField": START, "flavor": "opensearch", "version": "2.19.1"}
        data["jsonData"] = {**own_data, "pplEnabled": False}
    elif source in ("cloudwatch", "athena"):
        data["jsonData"] = {"authType": "default", "defaultRegion": "$AWS_REGION"}
    provider = {
        "name": "vpcflow", "folder": "vpcflow", "type": "file", "allowUiUpdates": False, "options": {"path": folder},
    }  # fmt: skip
    return {
        "datasources/vpcflow.yaml": {"apiVersion": 1, "datasources": [data]},
        "dashboards/vpcflow.yaml": {"apiVersion": 1, "providers": [provider]},
    }
