"""Where originals are: in folders of this machine, or in buckets of an object store."""
