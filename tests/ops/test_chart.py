"""What the chart made of its examples is that of today's chart, and says what a server on Kubernetes needs."""

import json
import tomllib
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

from pdp.config import Config
from tests.ops.chart import CASES, CHART, EXAMPLES, digest

NAMES = [example.stem for example in EXAMPLES]


def manifests(name: str) -> dict[str, Any]:
    """The objects of an example, by their kinds, each of which is there once."""
    found = list(yaml.safe_load_all((CASES / f"{name}.yaml").read_text()))
    assert len({each["kind"] for each in found}) == len(found)
    return {each["kind"]: each for each in found}


def pod(name: str) -> dict[str, Any]:
    spec: dict[str, Any] = manifests(name)["Deployment"]["spec"]["template"]["spec"]
    return spec


@pytest.mark.parametrize("name", NAMES)
def test_what_is_kept_is_of_this_chart(name: str) -> None:
    """If not: `python -m tests.ops --renew`, and look at what changed."""
    assert (CASES / f"{name}.yaml").read_text().partition("\n")[0] == f"# of chart {digest()}"


@pytest.mark.parametrize("example", EXAMPLES, ids=NAMES)
def test_examples_are_as_the_schema_of_values_has_it(example: Path) -> None:
    schema = jsonschema_rs.validator_for(json.loads((CHART / "values.schema.json").read_text()))
    defaults, values = (yaml.safe_load(file.read_text()) for file in (CHART / "values.yaml", example))
    assert values.keys() <= defaults.keys()
    parts = {
        name: {**default, **values.get(name, {})} for name, default in defaults.items() if isinstance(default, dict)
    }
    merged = {**defaults, **values, **parts}
    schema.validate(merged)
    assert not schema.is_valid({**merged, "secrets": {**merged["secrets"], "keyz": "x"}})
    assert not schema.is_valid(merged | {"settings": {"audit_key": "elsewhere"}})


def test_the_defaults_alone_are_refused() -> None:
    schema = jsonschema_rs.validator_for(json.loads((CHART / "values.schema.json").read_text()))
    said = {error.instance_path[0] for error in schema.iter_errors(yaml.safe_load((CHART / "values.yaml").read_text()))}
    assert said == {"realm", "secrets", "policies"}


@pytest.mark.parametrize("name", NAMES)
def test_the_configuration_is_one_that_the_server_takes(name: str) -> None:
    values = tomllib.loads(manifests(name)["ConfigMap"]["data"]["placet.toml"])
    config = Config.model_validate(values)
    mounts = [mount["mountPath"] for mount in pod(name)["containers"][0]["volumeMounts"]]
    paths = [text for text in texts(values) if text.startswith("/")]
    assert len(paths) >= 6
    assert not [path for path in paths if not any(path.startswith(mount) for mount in mounts)]
    assert config.operations
    assert config.operations.listen == "0.0.0.0:4790"


def texts(value: Any) -> list[str]:
    if isinstance(value, dict | list):
        inner = value.values() if isinstance(value, dict) else value
        return [text for each in inner for text in texts(each)]
    return [value] if isinstance(value, str) else []


@pytest.mark.parametrize("name", NAMES)
def test_secrets_are_named_and_never_written(name: str) -> None:
    assert "Secret" not in manifests(name)
    volumes = {volume["name"]: volume for volume in pod(name)["volumes"]}
    secrets = {key: volume["secret"] for key, volume in volumes.items() if "secret" in volume}
    assert {"keys", "tls", "mongodb"} <= secrets.keys()
    assert {secret["defaultMode"] for secret in secrets.values()} == {0o440}
    assert not [variable for variable in pod(name)["containers"][0]["env"] if "valueFrom" in variable]


@pytest.mark.parametrize("name", NAMES)
def test_the_pod_may_do_nothing_but_serve(name: str) -> None:
    spec, (container,) = pod(name), pod(name)["containers"]
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsUser"] == spec["securityContext"]["fsGroup"] == 65532
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    written = {mount["mountPath"] for mount in container["volumeMounts"] if not mount.get("readOnly")}
    assert written == {"/tmp"}  # noqa: S108  # the Pod's own
    assert container["resources"]["limits"]["memory"]


@pytest.mark.parametrize("name", NAMES)
def test_probes_ask_the_port_of_operations_without_a_credential(name: str) -> None:
    (container,) = pod(name)["containers"]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    paths = {kind: container[f"{kind}Probe"]["httpGet"]["path"] for kind in ("startup", "liveness", "readiness")}
    assert paths == {"startup": "/readyz", "liveness": "/livez", "readiness": "/readyz"}
    assert {container[f"{kind}Probe"]["httpGet"]["port"] for kind in paths} == {"operations"}
    assert ports["operations"] == 4790


@pytest.mark.parametrize("name", NAMES)
def test_a_pod_has_time_to_drain_after_the_balancers_saw_it_leave(name: str) -> None:
    (container,) = pod(name)["containers"]
    operations = tomllib.loads(manifests(name)["ConfigMap"]["data"]["placet.toml"])["operations"]
    assert pod(name)["terminationGracePeriodSeconds"] >= operations["drain_seconds"] + 10 + 20
    readiness = container["readinessProbe"]
    assert "lifecycle" not in container
    assert readiness["periodSeconds"] * readiness["failureThreshold"] <= operations["drain_seconds"] + 1


@pytest.mark.parametrize("name", NAMES)
def test_clients_see_every_pod_and_others_are_kept_out(name: str) -> None:
    found = manifests(name)
    own = found["Deployment"]["spec"]["selector"]["matchLabels"]
    assert found["Service"]["spec"]["clusterIP"] == "None"
    policy, budget = found["NetworkPolicy"]["spec"], found["PodDisruptionBudget"]["spec"]
    assert found["Service"]["spec"]["selector"] == policy["podSelector"]["matchLabels"] == own
    assert budget["selector"]["matchLabels"] == own
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    assert all(rule["from"] and rule["ports"] for rule in policy["ingress"])
    assert len(pod(name)["topologySpreadConstraints"]) == 2


def test_the_number_of_pods_has_one_master() -> None:
    assert {name: "replicas" in manifests(name)["Deployment"]["spec"] for name in NAMES} == {
        name: "HorizontalPodAutoscaler" not in manifests(name) for name in NAMES
    }
    assert "HorizontalPodAutoscaler" in manifests("masking")


def test_a_service_monitor_is_as_its_schema_has_it() -> None:
    schema = jsonschema_rs.validator_for(json.loads((CASES / "servicemonitor-monitoring-v1.json").read_text()))
    monitor = manifests("people")["ServiceMonitor"]
    schema.validate(monitor)
    assert manifests("people")["Service"]["metadata"]["labels"][monitor["spec"]["jobLabel"]] == "placet"
    ports = {port["name"] for port in manifests("people")["Service"]["spec"]["ports"]}
    assert {endpoint["port"] for endpoint in monitor["spec"]["endpoints"]} <= ports
