"""Benchmark of the mesh marker, a part of `rehab-pose-lab bench ros`."""

from __future__ import annotations

import time
from statistics import median

import numpy as np
import rclpy
from rclpy.node import Node

from rehab_pose.body.fitter import BodyFitter
from rehab_pose.messages import topics
from rehab_pose.ros.adapters.mesh_template import MeshTemplate
from rehab_pose.ros.io.message_factory import message_class
from rehab_pose.ros.io.qos import qos
from rehab_pose.ros.runtime.process_setup import keep_memory

__all__ = ["marker_metrics"]

MARKERS = 150
PERIOD_S = 1.0 / 30.0


def marker_metrics() -> dict[str, float]:
    """Return the time to build the mesh marker of the body, and to build and publish it, at 30 Hz [ms]."""
    keep_memory()  # as the node does
    faces = BodyFitter().model.faces
    vertices_m = np.random.default_rng(0).normal(0.0, 1.0, (int(faces.max()) + 1, 3)).astype(np.float32)
    template = MeshTemplate("camera_color_optical_frame", faces)
    context = rclpy.Context()
    context.init()
    node = Node("marker_bench", context=context)
    kind, profile = message_class(topics.MESH_MARKER.type_name), qos(topics.MESH_MARKER.delivery)
    publisher = node.create_publisher(kind, topics.MESH_MARKER.name, profile)
    node.create_subscription(kind, topics.MESH_MARKER.name, lambda _data: None, profile, raw=True)
    built_ms, sent_ms = [], []
    for index in range(MARKERS):
        time.sleep(PERIOD_S)
        start_s = time.perf_counter()
        data = template.fill(index, vertices_m)
        built_ms.append((time.perf_counter() - start_s) * 1e3)
        publisher.publish(data)
        sent_ms.append((time.perf_counter() - start_s) * 1e3)
    context.try_shutdown()
    return {"marker_build_ms": round(median(built_ms), 3), "marker_publish_ms": round(median(sent_ms), 3)}
