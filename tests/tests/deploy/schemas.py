"""Checks Kubernetes objects (YAML on standard input) against the schemas of the version that is named.

Prints a line for each problem. What the cluster itself knows is checked by the strict schemas of kubernetes-validate;
custom resources by models that were generated from their definitions. Those ignore keys that they do not know, so what
they keep is compared with what was given.
"""

import sys

import kubernetes_validate
import yaml
from cloudcoil.models.keda.v1alpha1 import ScaledObject, TriggerAuthentication
from cloudcoil.models.prometheus_operator.v1 import PodMonitor, PrometheusRule
from pydantic import ValidationError

CUSTOM = {model.__name__: model for model in (ScaledObject, TriggerAuthentication, PodMonitor, PrometheusRule)}


def unknown_keys(given, kept, path=""):
    """Paths of keys that stand in `given` and not in `kept`."""
    if isinstance(given, dict) and isinstance(kept, dict):
        for key, value in given.items():
            if key in kept:
                yield from unknown_keys(value, kept[key], f"{path}/{key}")
            else:
                yield f"{path}/{key}"
    elif isinstance(given, list) and isinstance(kept, list):
        for index, (left, right) in enumerate(zip(given, kept)):
            yield from unknown_keys(left, right, f"{path}/{index}")


def problems(document, version):
    if document["apiVersion"].split("/")[0] in ("keda.sh", "monitoring.coreos.com"):
        try:
            kept = CUSTOM[document["kind"]].model_validate(document)
        except ValidationError as error:
            for one in error.errors():
                yield f"{'/'.join(map(str, one['loc']))}: {one['msg']}"
            return
        for path in unknown_keys(document, kept.model_dump(mode="json", by_alias=True, exclude_unset=True)):
            yield f"{path}: there is no such key"
    else:
        try:
            kubernetes_validate.validate(document, version, strict=True)
        except kubernetes_validate.ValidationError as error:
            yield f"{'/'.join(map(str, error.path))}: {error.message}"


def main():
    version = sys.argv[1]
    for document in yaml.safe_load_all(sys.stdin):
        for problem in problems(document, version):
            print(f"{document['kind']} {document['metadata']['name']}: {problem}")


main()
