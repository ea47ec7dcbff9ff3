"""Work that is done again, or for the first time, for photos of the archive: some at a time, behind all else."""
