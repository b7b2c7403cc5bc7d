"""Many recordings processed in parallel, on this machine or on a Ray cluster; a run that was stopped goes on."""
