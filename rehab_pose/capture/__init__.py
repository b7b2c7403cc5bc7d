"""From raw colour and depth images to RGB-D frames: pairing, rectification, cleaning and registration of depth."""
