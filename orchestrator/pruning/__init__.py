"""`keepers prune`: what nobody needs any more goes: old logs, old versions of the taste, settled failures, vectors of
retired models, orphans."""
