"""Helm's own engine on a chart: what `helm lint --strict` says of it, and what it makes, as JSON.

usage: chart.py CHART < VALUES.json
"""

import json
import sys

import yaml
from helm_python import chart

path, values = sys.argv[1], json.load(sys.stdin)
report = chart.lint(path, values, strict=True, kube_version="v1.34.0")
rendered = chart.Chart.load(path).render(values, name="r", namespace="n")
objects = [
    it
    for name, text in rendered.items()
    if name.endswith(".yaml")
    for it in yaml.safe_load_all(text)
    if it
]
# Of severities, 2 is a warning and 3 an error.
complaints = [it for it in report["messages"] if it["severity"] != 1] + report["errors"]
print(json.dumps({"complaints": complaints, "objects": objects}))
