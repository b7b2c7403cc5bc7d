# The graph in a container without network, root or write access: see "In a container" in docs/ros.md.
#   docker build -t rehab_pose .
#   docker compose up
# Versions are those of scripts/requirements.txt, with which the tests run. Pin the base to a digest where builds have to
# be repeatable: --build-arg BASE=python:3.11.14-slim-bookworm@sha256:...
ARG BASE=python:3.11.14-slim-bookworm

FROM ${BASE} AS build
# The message package is compiled.
RUN apt-get update \
    && apt-get install -y --no-install-recommends build-essential=12.9 \
    && rm -rf /var/lib/apt/lists/*
RUN python -m venv /opt/rehab_pose
ENV PATH=/opt/rehab_pose/bin:$PATH PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /source
COPY scripts/requirements.txt scripts/requirements.txt
# Without the laboratory, the exports and PDF.
RUN grep -E '^(ros-|numpy=|numba=|opencv-|onnxruntime=|rosbags=|lz4=|backports|PyYAML=|tqdm=|setuptools=|scipy=|starlette=|uvicorn=|websockets=|Jinja2=|pyrage=)' \
        scripts/requirements.txt > /runtime.txt \
    && pip install -r /runtime.txt
COPY rehab_pose_msgs rehab_pose_msgs
RUN pip install --no-deps ./rehab_pose_msgs
COPY . .
ENV NUMBA_CACHE_DIR=/var/cache/rehab_pose
RUN pip install --no-deps --no-build-isolation . ./rehab_pose_sim \
    && rehab-pose warm-up

FROM ${BASE}
RUN groupadd --gid 10001 rehab \
    && useradd --uid 10001 --gid rehab --create-home --shell /usr/sbin/nologin rehab \
    && install -d -m 0700 -o rehab -g rehab /sessions
COPY --from=build /opt/rehab_pose /opt/rehab_pose
# Compiled kernels. numba writes beside them, so they are a volume, which begins with this content.
COPY --from=build --chown=rehab:rehab /var/cache/rehab_pose /var/cache/rehab_pose
ENV PATH=/opt/rehab_pose/bin:$PATH \
    OMP_NUM_THREADS=1 \
    MALLOC_ARENA_MAX=1 \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    ROS_HOME=/sessions \
    NUMBA_CACHE_DIR=/var/cache/rehab_pose
USER 10001:10001
WORKDIR /tmp
VOLUME ["/sessions", "/var/cache/rehab_pose"]
# 0 = a session runs, 1 = none; 2 = the session node does not answer.
HEALTHCHECK --interval=60s --timeout=30s --start-period=120s --retries=3 \
    CMD ["sh", "-c", "rehab-pose session status > /dev/null 2>&1; [ $? -lt 2 ]"]
STOPSIGNAL SIGINT
ENTRYPOINT ["rehab-pose"]
CMD ["run"]
