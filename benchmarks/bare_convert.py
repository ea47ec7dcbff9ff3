"""One process of the baseline: every Nth photo of a folder, one call after the other."""

import sys
from pathlib import Path

from shared.claims import claim_of
from shared.claims_folder import FolderClaims
from shared.contracts import convert
from shared.settings import Settings
from workers.engines.decode_child import one_thread_each


def main() -> None:
    folder, home, index, step = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    one_thread_each()
    from workers.engines.conversion import convert_file  # the libraries read their settings when they are loaded

    settings, claims = Settings(), FolderClaims(home)
    files = sorted(folder.iterdir())[index::step]
    requests = [
        convert.Request(photo_id=i, file_path=claim_of(file), root=claim_of(folder), root_key="root:1")
        for i, file in enumerate(files)
    ]
    convert_file(requests[0], settings, FolderClaims(home / "warm"))
    print("ready", flush=True)
    sys.stdin.readline()
    for request in requests:
        convert_file(request, settings, claims)


if __name__ == "__main__":
    main()
