"""Who is where: the person's pixels in one RGB-D frame."""
