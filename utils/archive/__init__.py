"""Heat maps of an archive too large for memory, in chunks, by several processes."""

from utils.archive.archive import explain, local_client, read, relevance

__all__ = ["explain", "local_client", "read", "relevance"]
