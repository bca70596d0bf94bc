"""How a command names data: `postgres://crm:5432/crm.public.customers`, `table:public.customers` or `customers`."""

import re
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from pdp.v1.dataset_pb2 import DatasetName
    from pdp.v1.lineage_pb2 import DataName

Data = Annotated[
    str,
    typer.Argument(
        metavar="DATA",
        help="A dataset as NAMESPACE/NAME, such as postgres://crm:5432/crm.public.customers; or a resource as TYPE:ID; "
        "or the name of a table.",
    ),
]
Namespace = Annotated[
    str, typer.Option(metavar="NAMESPACE", help="DATA is the name of a dataset in this namespace, in any form.")
]
_URI = re.compile(r"(?P<namespace>[a-zA-Z][a-zA-Z0-9+.-]*://[^/]*)/(?P<name>.+)")
_OF_PATHS = ("table", "file", "topic")
"""Types of resources whose id may begin with a slash; `duckdb:/data/shop.duckdb/t` is a namespace and a name."""
_RESOURCE = re.compile(r"(?P<type>[a-zA-Z][a-zA-Z0-9_.-]*):(?P<id>.+)")


def data(text: str, namespace: str = "", hint: str = "DATA") -> "DataName":
    """The data that a text names. Raises `typer.BadParameter` where it names none."""
    from pdp.v1.dataset_pb2 import DatasetName
    from pdp.v1.lineage_pb2 import DataName, ResourceName

    if namespace:
        return DataName(dataset=DatasetName(namespace=namespace, name=text))
    if found := _URI.fullmatch(text):
        return DataName(dataset=DatasetName(**found.groupdict()))
    if "://" in text or not text:
        raise typer.BadParameter("name a dataset as NAMESPACE/NAME, or give --namespace", param_hint=hint)
    found = _RESOURCE.fullmatch(text)
    is_path = found is not None and found["id"].startswith("/") and found["type"] not in _OF_PATHS
    resource = found.groupdict() if found and not is_path else {"type": "table", "id": text}
    return DataName(resource=ResourceName(**resource))


def dataset(text: str, namespace: str = "", hint: str = "DATA") -> "DatasetName":
    """The dataset that a text names by its own names. Raises `typer.BadParameter` where it is a resource."""
    named = data(text, namespace, hint)
    if not named.HasField("dataset"):
        raise typer.BadParameter("name a dataset as NAMESPACE/NAME, or give --namespace", param_hint=hint)
    return named.dataset


def written(name: "DatasetName") -> str:
    """The dataset as a command takes it."""
    return f"{name.namespace}/{name.name}"
