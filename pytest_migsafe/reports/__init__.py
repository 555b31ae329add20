"""Reports render reviews; they compute nothing new."""
