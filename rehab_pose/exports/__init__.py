"""Files of a recording for other programs: OpenSim (TRC, MOT), C3D, BVH, SMPL parameters, tables, video."""
