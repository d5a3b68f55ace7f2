"""A Dask cluster of two worker processes on this machine: ``python small_cluster.py [FOLDER]``.

Prints where it is, and ends when its standard input does. With a FOLDER it is encrypted, and the certificate,
key and authority of a client are written there.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path


def main(folder: str | None = None) -> None:
    from distributed import LocalCluster
    from distributed.security import Security

    security = None if folder is None else Security.temporary()
    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address=None,
        protocol="tcp://" if security is None else "tls://", security=security,
    ) as cluster:  # fmt: skip
        if folder is not None:
            for name in ("tls_client_cert", "tls_client_key", "tls_ca_file"):
                Path(folder, f"{name}.pem").write_text(getattr(security, name))
        print(json.dumps({"address": cluster.scheduler_address}), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
