"""Metrics as JSON and as text."""

from __future__ import annotations

import json

from rehab_pose_lab.benchmarks.output import metrics_json, metrics_table, rounded_metrics


def test_json_has_null_where_a_number_is_not_finite() -> None:
    text = metrics_json({"a": 1.5, "b": float("nan"), "labels": ["x"]})
    assert json.loads(text) == {"a": 1.5, "b": None, "labels": ["x"]}


def test_metrics_are_rounded() -> None:
    assert rounded_metrics({"a": 0.123456, "b": float("inf")}) == {"a": 0.1235, "b": None}


def test_the_table_has_the_reference_next_to_the_value() -> None:
    heading, first, second = metrics_table({"a": 1.0, "b": 2.0, "name": "x"}, {"b": 3.0}, titles=("new", "old"))
    assert heading.split() == ["new", "old"]
    assert first.split() == ["a", "1.0000"]
    assert second.split() == ["b", "2.0000", "3.0000"]
