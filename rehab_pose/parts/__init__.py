"""Body regions of the Look-Into-Person (LIP) data set on the person's pixels."""
