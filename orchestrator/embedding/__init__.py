"""The models that embed photos: which one is in force, which are here, and how to fetch CLIP."""
