# ROS 2 Jazzy with this package built in. Camera and viewer run outside the container:
#   docker build -t rehab_pose .
#   docker run --rm --net=host --ipc=host rehab_pose camera:=realsense
# --ipc=host (or --shm-size=1g) gives the images shared memory, --net=host lets the nodes find each other.
FROM ros:jazzy-ros-base

RUN apt-get update && apt-get install -y --no-install-recommends \
        python3-pip python3-numpy python3-opencv python3-tqdm python3-yaml \
        ros-jazzy-cv-bridge ros-jazzy-launch-ros ros-jazzy-visualization-msgs ros-jazzy-diagnostic-msgs \
        ros-jazzy-tf2-msgs ros-jazzy-tf2-ros-py ros-jazzy-hri-msgs \
    && rm -rf /var/lib/apt/lists/*
# Not packaged by Ubuntu in a recent enough version.
RUN pip install --no-cache-dir --break-system-packages "numpy<2" rosbags numba onnxruntime

WORKDIR /opt/rehab_pose_ws
COPY . src/rehab_pose
RUN . /opt/ros/jazzy/setup.sh \
    && colcon build --base-paths src/rehab_pose src/rehab_pose/rehab_pose_msgs src/rehab_pose/rehab_pose_sim \
    && . install/setup.sh \
    && install/rehab_pose/lib/rehab_pose/rehab-pose warm-up

ENV OMP_NUM_THREADS=1
ENTRYPOINT ["/bin/bash", "-c", "source install/setup.bash && exec ros2 launch rehab_pose rehab_pose.launch.py \"$@\"", "--"]
