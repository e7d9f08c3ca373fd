"""Files that are not on this machine: object stores by fsspec, and addresses of the web."""
